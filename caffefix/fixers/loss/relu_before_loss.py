"""The scores that a softmax loss reads have passed through a ReLU.

## What it finds

SoftmaxWithLoss or SigmoidCrossEntropyLoss whose first bottom is the output of an InnerProduct or Convolution
layer, cut off at 0 by a ReLU in between.

## Why it matters

Scores may have either sign. Below zero the ReLU passes neither the score nor its gradient: a class whose
score is negative for an image gets no gradient from it, and a sigmoid can never output less than 0.5. Such
nets may learn, but badly; often a whole class stays at 0 for ever.

## Example

```
-layer {
-  name: "relu8"
-  type: "ReLU"
-  bottom: "fc8"
-  top: "fc8"
-}
 layer {
   name: "loss"
   type: "SoftmaxWithLoss"
   bottom: "fc8"
```

## Fix safety

Unsafe: the net learns something different. A ReLU that works in place is deleted.

## When it is a false alarm

When scores are kept from being negative on purpose. A pooling layer between ReLU and loss (SqueezeNet,
Network in Network) is a different design, and so is a ReLU with a negative slope; neither is reported.

## References

- BVLC Caffe, `src/caffe/layers/relu_layer.cpp`, `softmax_loss_layer.cpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.net import Layer
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import bvlc_nets, in_each_phase, with_makers
from caffefix.syntax.edits import Delete

PASS = Pass.REPAIR
CHANGES = ("layer",)
NAME = "relu-before-loss"

SIGNS = tuple(sorted(kind.name for kind in BOOK.values() if kind.contains))


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each ReLU."""
    for net in bvlc_nets(subject):
        yield from in_each_phase(net, _judge)


def _judge(view: list[Layer]) -> Iterator[Finding]:
    makers = {id(layer): made for layer, made in with_makers(view)}
    for loss in view:
        relu = next(iter(makers[id(loss)]), None) if loss.kind.contains else None
        if relu is None or relu.type != "ReLU" or relu.number("relu_param", "negative_slope", 0) != 0:
            continue
        source = next(iter(makers[id(relu)]), None)
        if source is not None and source.kind.linear:
            yield _finding(relu, source, loss)


def _finding(relu: Layer, source: Layer, loss: Layer) -> Finding:
    message = (
        f"it cuts off scores of '{source.name}' at 0 before {loss.type} reads them: negative scores learn nothing"
    )
    if relu.bottoms != relu.tops or relu.node.in_list:
        advice = f"{message}; make '{relu.bottoms[0]}' the bottom of the loss"
        return Finding(NAME, Severity.WARNING, advice, relu.node, relu.name)
    fix = Fix((Delete(relu.node),), Applicability.UNSAFE, f"delete {relu.name}")
    return Finding(NAME, Severity.WARNING, f"{message}; deletes the layer", relu.node, layer=relu.name, fix=fix)
