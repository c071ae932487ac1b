"""A layer has more or fewer bottoms or tops than its type takes.

## What it finds

Layers of BVLC's types with a number of `bottom`s or `top`s that the type does not take: an Accuracy
without its label, a Convolution without a bottom, an Eltwise of one.

## Why it matters

Each type states how many blobs it reads and makes, and Caffe compares as it sets the layer up:
`Accuracy Layer takes 2 bottom blob(s) as input.` Then it aborts.

## Example

```
 layer {
   name: "accuracy"
   type: "Accuracy"
   bottom: "fc8"
+  bottom: "label"
   top: "accuracy"
 }
```

## Fix safety

No fix: which blob is missing, or too many, is not in the layer.

## When it is a false alarm

For a fork that has taught the type more than BVLC's does: a SoftmaxWithLoss with weights for labels as
its third bottom. Types and counts that forks are known to differ in are not judged. In files that BVLC's
parser does not take, only what is missing is told, and not of layers with fields that BVLC does not have.

## References

- BVLC Caffe, `include/caffe/layer.hpp`, `CheckBlobCounts`; the layers' headers
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.layers.kind import MANY
from caffefix.caffe.net import Layer
from caffefix.caffe.roles import Role
from caffefix.caffe.schema import load
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._layers import is_of_bvlc
from caffefix.fixers._views import is_accepted

PASS = Pass.REPAIR
NAME = "wrong-blob-count"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each side of a layer."""
    of_bvlc = bool(subject.forks & load().bit("bvlc"))
    severity = Severity.ERROR if of_bvlc or is_accepted(subject) else Severity.WARNING
    for net in subject.nets:
        if not subject.learns(net) and subject.role(net) is not Role.DEPLOY:
            continue  # perhaps a part of a net, without what is around it
        for layer in net.layers:
            if of_bvlc or is_of_bvlc(layer):
                yield from _judge(layer, severity, surplus=of_bvlc)


def miscounted(layer: Layer) -> bool:
    """Whether a layer has more or fewer bottoms or tops than its type takes, as far as that is known."""
    return any(_judge(layer))


def _judge(layer: Layer, severity: Severity = Severity.ERROR, *, surplus: bool = True) -> Iterator[Finding]:
    """What is missing, and what is too many unless a fork may have taught the type to take it (NormFace)."""
    kind = layer.kind
    if kind.bottoms is not None:
        fewest, most = kind.bottoms
        yield from _side(layer, "bottom", len(layer.bottoms), fewest, most if surplus else MANY, severity)
    if kind.tops is not None:
        fewest, most = kind.tops
        yield from _side(layer, "top", len(layer.tops), fewest, most if surplus else MANY, severity)


def _side(layer: Layer, side: str, count: int, fewest: int, most: int, severity: Severity) -> Iterator[Finding]:
    if fewest <= count <= most:
        return
    if fewest == most:
        right = str(fewest or "none")
    else:
        right = f"at least {fewest}" if count < fewest else f"at most {most}"
    plural = "" if count == 1 else "s"
    takes = "takes" if side == "bottom" else "makes"
    message = f"{count or 'no'} {side}{plural}, but a layer of type {layer.type} {takes} {right}: Caffe aborts"
    yield Finding(NAME, severity, message, layer.node.field(side) or layer.node, layer.name)
