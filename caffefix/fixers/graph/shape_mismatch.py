"""Shapes do not match: Caffe aborts when it sets up a layer.

## What it finds

A layer whose bottoms Caffe does not accept, according to shape inference: an Eltwise or Concat of different
sizes, a kernel larger than its feature map, a Reshape whose sizes do not divide evenly, a number of labels
that differs from the number of predictions, groups that do not divide the channels, weights shared by
layers of different shapes, and anything else that the layers check. (A layer without `num_output` is
`missing-num-output`.) Only sizes stated in the file are compared; the shapes that a database or a Python
layer produces are unknown, and so is everything that depends on them.

## Why it matters

Caffe aborts when it builds the net, with the message that is shown, which seldom names the layer at fault.

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

No fix: the file does not say which of the sizes is wrong.

## When it is a false alarm

For a fork whose layer of the same name accepts other shapes. So in files that BVLC's parser does not
accept, layers with fields that BVLC's Caffe does not have are not checked, nor are the layers that depend
on them; in such files, only data sizes that the file states are used. A program that reshapes inputs after
loading makes no difference: the net must load first.

## References

- BVLC Caffe, `LayerSetUp` and `Reshape` of each layer in `src/caffe/layers`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from caffefix.caffe.layers.bvlc import is_bvlc_type
from caffefix.caffe.layers.shapes.outputs import is_outputless
from caffefix.caffe.net import Layer
from caffefix.caffe.schema import load
from caffefix.caffe.shapes import infer
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._layers import is_of_bvlc
from caffefix.fixers._views import View, agreed, during, is_accepted, of_every_fork

PASS = Pass.REPAIR
NAME = "shape-mismatch"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer whose shapes do not match."""
    of_bvlc = bool(subject.forks & load().bit("bvlc"))
    severity = Severity.ERROR if of_bvlc or is_accepted(subject) else Severity.WARNING
    problems = partial(_problems, known=None if of_bvlc else _means_the_same)
    for net in of_every_fork(subject):
        for layer, text, phases in agreed(net, problems):
            message = f'shapes do not match: Caffe aborts{during(net, phases)} with "{text}" at this layer'
            yield Finding(NAME, severity, message, layer.node.field("name") or layer.node, layer.name)


def _problems(view: View, known: Callable[[Layer], bool] | None) -> Iterator[tuple[Layer, str]]:
    shapes = infer(view.graph, view.net, view.phase, known=known)
    judged = (p for p in shapes.problems if is_bvlc_type(p.layer.type))
    return ((p.layer, p.message) for p in judged if not is_outputless(p.layer))  # missing-num-output reports these


def _means_the_same(layer: Layer) -> bool:
    """Whether a layer in a fork's file does the same as BVLC's layer of that type."""
    return is_bvlc_type(layer.type) and not layer.kind.extended and is_of_bvlc(layer)
