"""Shapes that do not fit: Caffe aborts when it sets up a layer.

## What it finds

A layer whose bottoms, by shape inference, Caffe will not take: an Eltwise or Concat of different
sizes, a kernel larger than its map, a Reshape that does not divide, labels that are not as many as
predictions, groups that do not divide the channels, weights shared by layers of different shapes,
and whatever else the layers check. (A layer without `num_output` is `missing-num-output`.) Only sizes
that the file states are compared; what a database or a Python layer gives is unknown, and so is
everything that follows from it.

## Why it matters

Caffe aborts when it builds the net, with the message that is shown, which seldom says which layer
it is about.

## Example

```
 layer {
   name: "sum"
   type: "Eltwise"
   bottom: "res2a"      # 2 64 56 56
-  bottom: "res2a_b1"   # 2 256 56 56
+  bottom: "res2a_b1p"  # 2 64 56 56
   top: "res2a_sum"
 }
```

## Fix safety

No fix: which of the sizes is wrong is not in the file.

## When it is a false alarm

For a fork whose layer of the same name takes other shapes; files with fields that BVLC's Caffe does
not know, and what follows layers that it does not have, are left alone for that reason. A program
that reshapes inputs after loading does not help: the net must load first.

## References

- BVLC Caffe, `LayerSetUp` and `Reshape` of each layer in `src/caffe/layers`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.layers.bvlc import is_of_bvlc
from caffefix.caffe.layers.shapes.outputs import is_outputless
from caffefix.caffe.net import Layer
from caffefix.caffe.shapes import infer
from caffefix.findings import Finding, Phase, Severity, Subject
from caffefix.fixers._views import View, agreed, during, subjects

PHASE = Phase.REPAIR
GROUP = "Graph and shapes"
NAME = "shape-mismatch"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer that does not fit."""
    for net in subjects(subject):
        for layer, text, phases in agreed(net, _problems):
            message = f'its shapes do not fit: Caffe aborts{during(net, phases)} with "{text}" at this layer'
            yield Finding(NAME, Severity.ERROR, message, layer.node.field("name") or layer.node, layer.name)


def _problems(view: View) -> Iterator[tuple[Layer, str]]:
    shapes = infer(view.graph, view.net, view.phase)
    judged = (p for p in shapes.problems if is_of_bvlc(p.layer.type))
    return ((p.layer, p.message) for p in judged if not is_outputless(p.layer))  # missing-num-output tells
