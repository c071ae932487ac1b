"""Layers with weights do not lead to a loss: they are computed but never learn.

## What it finds

In the TRAIN phase of a net with a loss, a layer that should learn (its `lr_mult` is not zero) although
nothing that depends on its tops is a loss. Each dead end is reported once, at the last layer with weights
before it.

## Why it matters

Caffe prints `conv5_b does not need backward computation.` and trains the rest; these weights keep their
initial values. Usually a bottom further down names the wrong blob, so a whole branch is left unconnected.

## Example

```
 layer {
   name: "fc8"
   type: "InnerProduct"
-  bottom: "fc6"
+  bottom: "fc7"
   top: "fc8"
 }
```

## Fix safety

No fix: the file does not say where the branch belongs.

## When it is a false alarm

If features are computed on purpose while something else is trained; freeze them with `param { lr_mult: 0 }`
to say so. Branches that end in layers which BVLC's Caffe does not have are not reported, because these
layers may be losses, and neither are layers that share their weights with others.

## References

- BVLC Caffe, `src/caffe/net.cpp`, `Net::Init` (`blobs_under_loss`)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.graph import Blob, Graph, Step
from caffefix.caffe.layers.bvlc import is_bvlc_type
from caffefix.caffe.net import Layer, Phase
from caffefix.caffe.roles import LEARNING, scores
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._views import View, agreed, subjects

PASS = Pass.REPAIR
ROLES = LEARNING
NAME = "unreachable-loss"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each branch, at its last layer with weights."""
    for net in subjects(subject):
        if not subject.learns(net):
            continue
        for layer, ends, _ in agreed(net, _loose):
            message = f"no loss is reached from '{layer.name}': Caffe computes it but never trains it; {ends}"
            yield Finding(NAME, Severity.WARNING, message, layer.node.field("name") or layer.node, layer.name)


def _loose(view: View) -> Iterator[tuple[Layer, str]]:
    graph = view.graph
    if view.phase is not Phase.TRAIN or not any(scores(step.layer) for step in graph.steps):
        return
    useful = graph.to_loss()
    for step in graph.steps:
        if not _learns(step.layer) or any(top.index in useful for top in step.tops):
            continue
        behind = _behind(graph, step)
        if all(is_bvlc_type(s.layer.type) for s in behind) and not any(_learns(s.layer) for s in behind):
            yield step.layer, _ends(graph, step, behind)


def _learns(layer: Layer) -> bool:
    shared = any(param.shared_name for param in layer.params)
    return bool(layer.kind.weights) and layer.param(0).lr_mult != 0 and not shared


def _behind(graph: Graph, step: Step) -> list[Step]:
    """All steps that depend on a step."""
    found: set[int] = set()
    stack = list(step.tops)
    while stack:
        for reader in graph.readers(stack.pop()):
            if reader.index not in found:
                found.add(reader.index)
                stack.extend(reader.tops)
    return [graph.steps[index] for index in sorted(found)]


def _ends(graph: Graph, step: Step, behind: list[Step]) -> str:
    """Where the branch ends, in words."""
    open_ends: list[Blob] = [
        top for other in (step, *behind) for top in other.tops if not graph.consumers[top.index]
    ]
    if open_ends:
        return f"nothing reads '{open_ends[0].name}'"
    return f"'{behind[-1].layer.name}' is not a loss" if behind else "nothing reads it"
