"""A loss that contains a softmax (or sigmoid) receives probabilities.

## What it finds

SoftmaxWithLoss whose first bottom is produced by a Softmax layer, and SigmoidCrossEntropyLoss after a Sigmoid
layer.

## Why it matters

These losses compute the softmax (sigmoid) themselves, because that is more accurate. When it is applied
twice, the scores already lie between 0 and 1 before the second one: with C classes the loss cannot fall below
ln(1 + (C − 1)/e), 1.46 for ten classes, and gradients are small. The net seems to learn badly.

## Example

```
 layer {
   name: "loss"
   type: "SoftmaxWithLoss"
-  bottom: "prob"
+  bottom: "fc8"
   bottom: "label"
   top: "loss"
 }
```

## Fix safety

Unsafe: the net learns something different. The loss gets the blob that the Softmax reads; the Softmax layer
stays, because other layers may read it. Where the Softmax works in place, nothing is edited.

## When it is a false alarm

Hardly ever. MultinomialLogisticLoss is the right loss for probabilities, and is not reported. Nets of forks
are also checked, but neither layer may have a field of a fork, which may change what the layer computes.

## References

- BVLC Caffe, `src/caffe/layers/softmax_loss_layer.cpp`, `sigmoid_cross_entropy_loss_layer.cpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.net import Layer
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import in_each_phase, is_of_bvlc
from caffefix.syntax.edits import Replace
from caffefix.syntax.scalars import is_string, quoted

PASS = Pass.REPAIR
CHANGES = ("layer.bottom",)
NAME = "double-softmax"

SIGNS = tuple(kind.name for kind in BOOK.values() if kind.contains)


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each loss."""
    for net in subject.nets:
        types = {layer.type for layer in net.layers}
        if not any(layer.kind.contains in types for layer in net.layers if layer.kind.contains):
            continue
        yield from in_each_phase(net, _judge)


def _judge(view: list[Layer]) -> Iterator[Finding]:
    makers: dict[str, Layer] = {}
    read: dict[int, Layer | None] = {}  # by Softmax layer: the producer of the version that it reads
    for layer in view:
        maker = makers.get(layer.bottoms[0]) if layer.bottoms else None
        if maker is not None and _is_contained(maker, layer):
            is_kept = makers.get(maker.bottoms[0]) is read[id(maker)]
            yield _finding(layer, maker, maker.bottoms[0] if is_kept else "")
        read[id(layer)] = maker
        makers.update(dict.fromkeys(layer.tops, layer))


def _is_contained(maker: Layer, loss: Layer) -> bool:
    """Whether a loss repeats the computation that produced its first bottom."""
    same = maker.type == loss.kind.contains and len(maker.bottoms) == 1
    return same and is_of_bvlc(maker) and is_of_bvlc(loss)


def _finding(loss: Layer, maker: Layer, scores: str) -> Finding:
    node = next(loss.node.fields("bottom"))
    message = (
        f"{loss.type} computes the {maker.type.lower()} itself, but receives that of layer "
        f"'{maker.name}': it is applied twice and the loss cannot come near 0"
    )
    if not scores or node.in_list or not is_string(node.value):
        return Finding(NAME, Severity.WARNING, f"{message}; feed it the scores", node, loss.name)
    edit = Replace(node, quoted(scores, node.value[0]))
    fix = Fix((edit,), Applicability.UNSAFE, f"bottom {maker.tops[0]} → {scores}")
    return Finding(
        NAME, Severity.WARNING, f"{message}; feeds it the scores, {scores}", node, layer=loss.name, fix=fix
    )
