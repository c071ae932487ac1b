"""A loss that contains a softmax (or sigmoid) is fed with probabilities.

## What it finds

SoftmaxWithLoss whose first bottom is made by a Softmax layer, and SigmoidCrossEntropyLoss behind a
Sigmoid layer.

## Why it matters

These losses compute the softmax (sigmoid) themselves, for it is more exact that way. Applied twice,
the scores lie between 0 and 1 before the second one: with C classes the loss cannot fall below
ln(1 + (C − 1)/e), 1.46 for ten classes, and gradients are small. The net seems to learn
badly.

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

Unsafe: the net learns something else. The loss gets the blob that the Softmax reads; the Softmax
layer stays, for others may read it. Where it works in place, nothing is edited.

## When it is a false alarm

Hardly ever. For probabilities MultinomialLogisticLoss is the right loss, and is no finding. Nets of forks are
looked at, too, but neither layer may have a field of a fork's, which may change what it computes.

## References

- BVLC Caffe, `src/caffe/layers/softmax_loss_layer.cpp`, `sigmoid_cross_entropy_loss_layer.cpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.net import Layer
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import is_of_bvlc, views
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
        found = {id(f.node): f for view in views(net) for f in _judge(view)}
        yield from found.values()


def _judge(view: list[Layer]) -> Iterator[Finding]:
    makers: dict[str, Layer] = {}
    read: dict[int, Layer | None] = {}  # by the Softmax layer: who made the version that it reads
    for layer in view:
        maker = makers.get(layer.bottoms[0]) if layer.bottoms else None
        if maker is not None and _is_contained(maker, layer):
            is_kept = makers.get(maker.bottoms[0]) is read[id(maker)]
            yield _finding(layer, maker, maker.bottoms[0] if is_kept else "")
        read[id(layer)] = maker
        makers.update(dict.fromkeys(layer.tops, layer))


def _is_contained(maker: Layer, loss: Layer) -> bool:
    """Whether a loss computes once more what made its first bottom."""
    same = maker.type == loss.kind.contains and len(maker.bottoms) == 1
    return same and is_of_bvlc(maker) and is_of_bvlc(loss)


def _finding(loss: Layer, maker: Layer, scores: str) -> Finding:
    node = next(loss.node.fields("bottom"))
    message = (
        f"{loss.type} computes the {maker.type.lower()} itself, but is fed with that of layer "
        f"'{maker.name}': it is applied twice and the loss cannot come near 0"
    )
    if not scores or node.in_list or not is_string(node.value):
        return Finding(NAME, Severity.WARNING, f"{message}; feed it the scores", node, loss.name)
    edit = Replace(node, quoted(scores, node.value[0]))
    fix = Fix((edit,), Applicability.UNSAFE, f"bottom {maker.tops[0]} → {scores}")
    return Finding(NAME, Severity.WARNING, f"{message}; feeds it the scores, {scores}", node, loss.name, fix)
