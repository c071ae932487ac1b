"""A layer reads a blob that no earlier layer produces.

## What it finds

A `bottom` that is neither an input of the net nor a `top` of an earlier layer, in a phase that has data.
Each phase (and stage) is checked separately: a blob that only the TRAIN data layer produces is unknown to a
layer that also runs in TEST. Snippets, whose bottoms come from elsewhere, are not reported.

## Why it matters

Caffe aborts when it builds the net: `Unknown bottom blob 'conv_1' (layer 'relu1', bottom index 0)`. Layers
run in the order of the file, so a blob that is produced further down is also unknown. Forks have layers and
fields of their own but build the graph with the same code, so nets for forks are also checked.

## Example

```
 layer {
   name: "conv1"
   type: "Convolution"
   bottom: "data"
   top: "conv1"
 }
 layer {
   name: "relu1"
   type: "ReLU"
-  bottom: "Conv1"
+  bottom: "conv1"
   top: "relu1"
 }
```

## Fix safety

Safe: the old net could not be built. A fix is offered only if exactly one available blob has the same name
except for case, or except for one letter inside a word (`dtaa` for `data`; never `conv2` for `conv1` or
`branch2b` for `branch2a`). Otherwise the nearest names are reported, and nothing is changed.

## When it is a false alarm

If a program adds layers before it loads the net, or for a part of a net that another file includes but that
has data of its own. If no known parser accepts the file, so it may be for another fork, the finding is a
warning, and nothing is edited. If the problem exists only in phase TEST and no layer is restricted to TEST,
the finding is a note: the net may never be tested. A net that contains a fork's layer without tops (an
import of another net, for example), or a fork's `include` rules, is not reported.

## References

- BVLC Caffe, `src/caffe/util/insert_splits.cpp`, `InsertSplits`; `src/caffe/net.cpp`,
  `Net::AppendBottom`
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from caffefix.caffe.net import Layer, Net, Phase
from caffefix.caffe.placeholders import is_placeholder
from caffefix.findings import Applicability, Finding, Fix, Pass, Subject
from caffefix.fixers._schema import respelling
from caffefix.fixers._views import View, agreed, during, is_accepted, of_every_fork, severity, views
from caffefix.syntax.edits import Replace
from caffefix.syntax.scalars import is_string
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
NAME = "unknown-bottom"
VALUES = True
CHANGES = ("layer.bottom",)

# The intended name is searched for this many bottoms of a net; with more unknown ones, the net is unfinished.
_MOST = 50


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each such bottom."""
    for net in of_every_fork(subject):
        nodes: dict[Layer, list[Node]] = {}
        for index, (layer, slot, phases) in enumerate(agreed(net, _undefined)):
            if layer not in nodes:
                nodes[layer] = list(layer.node.fields("bottom"))
            yield _finding(
                subject, net, layer, slot, phases=phases, node=nodes[layer][slot], closely=index < _MOST
            )


def _undefined(view: View) -> Iterator[tuple[Layer, int]]:
    graph = view.graph
    if graph.undefined and any(
        map(is_placeholder, (top for step in graph.steps for top in step.layer.node.fields("top")))
    ):
        return  # any placeholder may become that blob once it is filled in
    for use in graph.undefined:
        yield graph.steps[use.step].layer, use.slot


def _finding(
    subject: Subject, net: Net, layer: Layer, slot: int, phases: tuple[Phase, ...], node: Node, *, closely: bool
) -> Finding:
    """One finding; the intended name is searched for only if ``closely``, because that scans all blobs."""
    name = layer.bottoms[slot]
    at_hand, later = _blobs(net, layer, phases[0]) if closely else ([], {})
    meant = _misspelt(name, at_hand)
    fix = None
    if name in later:
        hint = f"layer '{later[name]}' produces it further down, but layers run in the order of the file"
    elif meant is not None and is_accepted(subject) and len(phases) == len({view.phase for view in views(net)}):
        fix = Fix((_respell(node, meant),), Applicability.SAFE, f"bottom {name} → {meant}")
        hint = f"writes '{meant}'"
    else:
        near = _nearest(name, at_hand)
        hint = "no earlier layer produces it" + (
            f"; the nearest is {' or '.join(map(repr, near))}" if near else ""
        )
    message = (
        f"Caffe aborts{during(net, phases)} with \"Unknown bottom blob '{name}' "
        f"(layer '{layer.name}', bottom index {slot})\": {hint}"
    )
    return Finding(NAME, severity(subject, net, phases), message, node, layer=layer.name, fix=fix)


def _blobs(net: Net, layer: Layer, phase: Phase) -> tuple[list[str], dict[str, str]]:
    """Names of the blobs produced before a layer, and of those after it with the layers that produce them."""
    before: dict[str, None] = {}
    behind: dict[str, str] = {}
    for view in views(net):
        if view.phase is not phase:
            continue
        before.update(dict.fromkeys(blob.name for blob in view.graph.inputs))
        reached = False
        for step in view.graph.steps:
            reached = reached or step.layer is layer
            for top in step.tops:
                if not reached:
                    before[top.name] = None
                elif top.name not in step.layer.bottoms:
                    behind.setdefault(top.name, step.layer.name)
    return list(before), behind


def _misspelt(name: str, candidates: Sequence[str]) -> str | None:
    """The one name that is meant: the same except for case or one letter inside a word."""
    meant = respelling(name, candidates)
    if meant is None or meant.lower() == name.lower():
        return meant
    words = [re.findall(r"[^\W\d_]+|[\W\d_]+", text) for text in (name, meant)]
    changed = [(a, b) for a, b in zip(*words, strict=False) if a != b]
    inside = len(words[0]) == len(words[1]) and len(changed) == 1
    return meant if inside and all(len(word) > 3 and word.isalpha() for word in changed[0]) else None


def _nearest(name: str, candidates: Sequence[str]) -> list[str]:
    """Names that may be meant: those with something before or after the word, else similar ones."""
    longer = [other for other in candidates if re.search(rf"(^|[\W_]){re.escape(name)}([\W_]|$)", other)]
    if longer:
        return longer[:2]
    from difflib import get_close_matches

    return get_close_matches(name, candidates, 2)


def _respell(node: Node, name: str) -> Replace:
    quote = node.value[0] if is_string(node.value) else '"'
    return Replace(node, f"{quote}{name}{quote}")
