"""A softmax loss over a single class, which is always 0.

## What it finds

SoftmaxWithLoss over axis 1 on the output of an InnerProduct or Convolution layer with `num_output: 1`,
directly or through elementwise layers.

## Why it matters

Softmax divides by the sum over the classes. For one class the result is 1, whatever the score: the loss is 0
from the first iteration on, all gradients are 0, and the net learns nothing. Labels other than 0 read memory
beyond the blob. Two classes need `num_output: 2`, or `num_output: 1` with SigmoidCrossEntropyLoss.

## Example

```
 inner_product_param {
-  num_output: 1
+  num_output: 2
 }
```

## Fix safety

No fix: the file does not say which of the two remedies is intended.

## When it is a false alarm

Never in BVLC's Caffe, as long as the loss has a weight. A layer with another `softmax_param.axis`, or with
more blobs in between, is not reported.

## References

- BVLC Caffe, `src/caffe/layers/softmax_loss_layer.cpp`
- BVLC/caffe issue 4054 (whose advice to use one output is wrong)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer
from caffefix.caffe.roles import scores
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._layers import bvlc_nets, in_each_phase, with_makers

PASS = Pass.REPAIR
SIGNS = ("SoftmaxWithLoss",)
NAME = "single-class-softmax"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each loss."""
    for net in bvlc_nets(subject):
        yield from in_each_phase(net, _judge)


def _judge(view: list[Layer]) -> Iterator[Finding]:
    makers = {id(layer): made for layer, made in with_makers(view)}
    for layer in view:
        if layer.type != "SoftmaxWithLoss" or not scores(layer) or layer.number("softmax_param", "axis", 1) != 1:
            continue
        source = _first(makers[id(layer)])
        while source is not None and source.kind.keeps_shape and len(source.bottoms) == 1:
            source = _first(makers[id(source)])
        if source is not None and _is_single(source):
            message = (
                f"layer '{source.name}' has one output, and the softmax of one class is always 1: the loss is 0 "
                "and nothing learns; use num_output: 2, or SigmoidCrossEntropyLoss"
            )
            yield Finding(NAME, Severity.ERROR, message, layer.node, layer.name)


def _first(made: list[Layer | None]) -> Layer | None:
    return made[0] if made else None


def _is_single(layer: Layer) -> bool:
    holder = layer.kind.weights
    has_one = layer.kind.linear and layer.number(holder, "num_output", 0) == 1
    return has_one and layer.number(holder, "axis", 1) == 1
