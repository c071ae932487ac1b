"""The net is tested on the data that it is trained on.

## What it finds

Two data layers for the same blob, one for TRAIN and one for TEST, that read the same `source`, and do not
differ in another field that selects data (`root_folder`, a fork's list).

## Why it matters

The test then measures how well the net remembers its training data. Accuracy continues to rise while the net
overfits, and says nothing about other data, which is what a test is for. Usually the TRAIN layer was copied,
and its `source` not changed.

## Example

```
 layer {
   name: "data"
   type: "Data"
   top: "data"
   top: "label"
   include { phase: TEST }
-  data_param { source: "train_lmdb" batch_size: 32 backend: LMDB }
+  data_param { source: "test_lmdb" batch_size: 32 backend: LMDB }
 }
```

## Fix safety

No fix: the file does not say where other data are. The finding is a note, shown with `--notes`.

## When it is a false alarm

When the net is never tested (a solver in the same folder that says so, by `test_iter: 0` or none, is taken
into account), when a test on training data is intended, to see what the net can learn, or when a program
writes other paths into the file. A source that is clearly a placeholder (`/path/to/lmdb`) is not reported,
nor is MemoryData, which a program fills.

## References

- BVLC Caffe, `src/caffe/solver.cpp`, `Solver::Test`; `src/caffe/layers/data_layer.cpp`
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from caffefix._startup.patterns import pattern
from caffefix.caffe.net import Layer
from caffefix.caffe.roles import is_source
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._layers import phase_twins
from caffefix.syntax.green import printed
from caffefix.syntax.scalars import is_string, quoted, string_value
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
SIGNS = ("source",)
NAME = "train-source-in-test"
NEEDS_FAMILY = True  # a solver in the same folder may say that it is never tested

_PLACEHOLDER = pattern(r"path.?to|your|\bxxx|[${}<>%]|^\W*$", re.IGNORECASE)
# Fields next to the source that change how data are read, not which data.
_SAME_DATA = frozenset(
    """
    source batch_size shuffle backend prefetch rand_skip new_height new_width is_color crop_size mirror mean_file
    scale threads cache fg_threshold bg_threshold fg_fraction context_pad crop_mode cache_images
    """.split()
)


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each pair of layers, at the source of the one for TEST."""
    if _is_never_tested(subject):
        return
    for net in subject.nets:
        for train, test in phase_twins(net, _is_read) if subject.learns(net) else ():
            source = _source(test)
            if source is None or _PLACEHOLDER.search(source.value) or _picks(test) != _picks(train):
                continue
            name = quoted(string_value(source.value))
            message = (
                f"TEST reads {name}, as TRAIN does: the test measures how well the net knows its training data; "
                "give TEST its own data"
            )
            yield Finding(NAME, Severity.INFO, message, source, test.name)


def _is_never_tested(subject: Subject) -> bool:
    """Whether solvers in the same folder name the file, and none of them tests."""
    solvers = [member.solver for member in subject.family.solvers]
    return bool(solvers) and not any(any(solver.numbers("test_iter")) for solver in solvers if solver is not None)


def _is_read(layer: Layer) -> bool:
    return is_source(layer) and layer.type != "MemoryData"


def _source(layer: Layer) -> Node | None:
    """The one source that a layer names."""
    found = [node for holder in _holders(layer) for node in holder.fields("source") if is_string(node.value)]
    return found[0] if len(found) == 1 else None


def _picks(layer: Layer) -> list[tuple[str, str]]:
    """The fields that determine which data a layer reads: its source, and others that may select among them."""
    source = _source(layer)
    fields = (node for holder in _holders(layer) for node in holder.children())
    chosen = [(node.name, _text(node)) for node in fields if node.name not in _SAME_DATA]
    return sorted([*chosen, ("source", "" if source is None else string_value(source.value))])


def _holders(layer: Layer) -> Iterator[Node]:
    return (node for node in layer.node.children() if node.is_message and node.has("source"))


def _text(node: Node) -> str:
    if node.is_message:
        return printed(node.block)
    return string_value(node.value) if is_string(node.value) else node.value
