"""Two layers in the same phase produce a blob of the same name.

## What it finds

A `top` whose name already belongs to an input or to another layer of the same phase, where the layer does
not work in place. In place means that the `top` and the `bottom` of the same index are equal, and that no
other layer reads the same version of the blob: otherwise Caffe splits the blob, and the layer is no longer
in place. TRAIN/TEST pairs of layers are fine.

## Why it matters

Caffe aborts when it builds the net: `Top blob 'fc7' produced by multiple sources.` (older versions:
`Duplicate blobs produced by multiple sources.`) Usually a layer was copied and its top not renamed, or an
`include { phase: TEST }` is missing, or a layer reads a blob before a ReLU works on it in place.

Forks have layers and fields of their own but check this with the same code, so nets for forks are also
checked.

## Example

```
 layer {
   name: "fc8_b"
   type: "InnerProduct"
   bottom: "fc7"
-  top: "fc8"
+  top: "fc8_b"
 }
```

## Fix safety

No fix: the file does not say which name is meant, or which layer should read it.

## When it is a false alarm

If a program selects layers from the file before loading it. If no known parser accepts the file, so it may
be for another fork, the finding is a warning. If the problem exists only in phase TEST and no layer is
restricted to TEST, the finding is a note: the net may never be tested. A net that contains a fork's layer
without tops (an import of another net, for example), or a fork's `include` rules, is not reported.

## References

- BVLC Caffe, `src/caffe/net.cpp`, `Net::AppendTop`; `src/caffe/util/insert_splits.cpp`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix.caffe.graph import Graph, Step
from caffefix.caffe.net import Layer
from caffefix.findings import Finding, Pass, Subject
from caffefix.fixers._views import View, agreed, during, of_every_fork, severity
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
NAME = "duplicate-top"
VALUES = True


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each such top."""
    for net in of_every_fork(subject):
        nodes: dict[Layer, list[Node]] = {}
        for layer, (slot, why), phases in agreed(net, _redefined):
            if layer not in nodes:
                nodes[layer] = list(layer.node.fields("top"))
            message = (
                f"Caffe aborts{during(net, phases)} with \"Top blob '{layer.tops[slot]}' produced by "
                f'multiple sources.": {why}; give this top another name'
            )
            yield Finding(NAME, severity(subject, net, phases), message, nodes[layer][slot], layer.name)


def _redefined(view: View) -> Iterator[tuple[Layer, tuple[int, str]]]:
    makers: dict[str, list[Step]] = {}
    for step in view.graph.steps:
        for top in step.tops:
            makers.setdefault(top.name, []).append(step)
    for use in view.graph.redefined:
        step = view.graph.steps[use.step]
        yield step.layer, (use.slot, _why(view.graph, step, use.slot, makers[step.tops[use.slot].name][:2]))


def _why(graph: Graph, step: Step, slot: int, makers: Sequence[Step]) -> str:
    """Why a top is duplicated; ``makers`` are the steps that produce the first two tops of that name."""
    name = step.tops[slot].name
    if slot < len(step.bottoms) and step.bottoms[slot].name == name:
        other = next((reader for reader in graph.readers(step.bottoms[slot]) if reader is not step), None)
        what = f"layer '{other.layer.name}' also reads it" if other else "it is read twice or is also a loss"
        return f"the layer cannot work in place, because {what}"
    if list(makers) == [step, step]:
        return "the layer names this top twice"
    if makers[0] is step:
        return "an input of the net has this name"
    return f"layer '{makers[0].layer.name}' already produces it"
