"""BatchNorm is written twice, once for TRAIN and once for TEST, where once is enough.

## What it finds

Two BatchNorm layers of the same name and blobs, one for TRAIN with `use_global_stats: false` (or
nothing) and one for TEST with `true` (or nothing), that are otherwise equal.

## Why it matters

Caffe does the same with a single layer: `use_global_stats` is false in TRAIN and true in TEST unless the file
says otherwise. The twins are harmless as long as they stay alike; a rate or an `eps` changed in only one of
them is a difference between training and testing that nobody expects.

## Example

```
 layer {
   name: "bn1"
   type: "BatchNorm"
   bottom: "conv1"
   top: "conv1"
-  include {
-    phase: TRAIN
-  }
-  batch_norm_param {
-    use_global_stats: false
-  }
-}
-layer {
-  name: "bn1"
-  type: "BatchNorm"
-  bottom: "conv1"
-  top: "conv1"
-  include {
-    phase: TEST
-  }
-  batch_norm_param {
-    use_global_stats: true
-  }
 }
```

## Fix safety

Unsafe, although the net is the same to Caffe in both phases: the edit removes a layer from a file that works.
It is made on request only (`--unsafe`, or `--select batch-norm-phase-twins`). The finding is a note, shown
with `--notes`.

## When it is a false alarm

For a fork in which `use_global_stats` has another default. Layers with fields that BVLC's BatchNorm does not
have are not reported.

## References

- BVLC Caffe, `src/caffe/layers/batch_norm_layer.cpp`, `LayerSetUp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Generation, Layer, Net, Phase
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import alone, bvlc_nets, only_in
from caffefix.syntax.edits import Delete
from caffefix.syntax.scalars import is_string, number_value, string_value
from caffefix.syntax.tree import Node, descend

PASS = Pass.TUNE
CHANGES = ("layer",)
SIGNS = ("BatchNorm",)
NAME = "batch-norm-phase-twins"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each pair."""
    for net in bvlc_nets(subject):
        for train, test in _twins(net):
            first, second = sorted((train, test), key=lambda layer: layer.node.offset)
            message = (
                "two BatchNorm layers for TRAIN and TEST do what one without use_global_stats does, because Caffe "
                "chooses by phase; merges them into one"
            )
            stale = [*first.node.fields("include"), *first.node.fields("exclude"), *map(alone, _flags(first))]
            edits = tuple(map(Delete, (*stale, second.node)))
            fix = Fix(edits, Applicability.UNSAFE, f"one {first.name} for both phases")
            yield Finding(NAME, Severity.INFO, message, first.node, layer=first.name, fix=fix)


def _twins(net: Net) -> Iterator[tuple[Layer, Layer]]:
    by_name: dict[str, list[Layer]] = {}
    for layer in net.layers:
        if layer.name and layer.generation is Generation.V2 and not layer.node.in_list:
            by_name.setdefault(layer.name, []).append(layer)
    for layers in by_name.values():
        if len(layers) != 2 or not all(x.is_bvlc_batch_norm and not x.stages for x in layers):
            continue
        train = [x for x in layers if only_in(x, Phase.TRAIN) and _uses(x) != "true"]
        test = [x for x in layers if only_in(x, Phase.TEST) and _uses(x) != "false"]
        if train and test and _signature(train[0]) == _signature(test[0]):
            yield train[0], test[0]


def _flags(layer: Layer) -> list[Node]:
    holder = layer.node.message("batch_norm_param")
    return list(holder.fields("use_global_stats")) if holder is not None else []


def _uses(layer: Layer) -> str:
    """``true``, ``false``, or empty if the field is absent."""
    if not _flags(layer):
        return ""
    return "true" if layer.flag("batch_norm_param", "use_global_stats", False) else "false"


def _signature(layer: Layer) -> list[tuple[int, str, str]]:
    """Its fields except those in which the twins may differ: depth, name, value."""
    left_out = {id(n) for n in (*layer.node.fields("include"), *layer.node.fields("exclude"), *_flags(layer))}
    found = []
    for node in descend(layer.node):
        around = [node, *node.ancestors()]
        if not any(id(n) in left_out for n in around):
            found.append((len(around), node.name, _plain(node.value)))
    # A batch_norm_param without other fields means nothing.
    holder = layer.node.message("batch_norm_param")
    if holder is not None and all(id(n) in left_out for n in holder.children()):
        found = [entry for entry in found if entry[1] != "batch_norm_param"]
    return sorted(found)


def _plain(value: str) -> str:
    """A scalar's value without its spelling: quotes, and notations of numbers."""
    if is_string(value):
        return string_value(value)
    number = number_value(value)
    return value if number is None else repr(number)
