"""A layer has more or fewer bottoms or tops than its type allows.

## What it finds

Layers of BVLC's types with a number of `bottom`s or `top`s that the type does not allow: an Accuracy
without its label, a Convolution without a bottom, an Eltwise with one.

## Why it matters

Each type states how many blobs it reads and produces, and Caffe checks the numbers when it sets the layer
up: `Accuracy Layer takes 2 bottom blob(s) as input.` Then it aborts.

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

No fix: the layer does not say which blob is missing, or which is superfluous.

## When it is a false alarm

For a fork whose type accepts more than BVLC's: a SoftmaxWithLoss with label weights as its third bottom.
Types and numbers in which forks are known to differ are not checked. In files that BVLC's parser does not
accept, only missing blobs are reported, and not for layers with fields that BVLC's Caffe does not have.

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
            continue  # perhaps a part of a net, without the rest of it
        for layer in net.layers:
            if of_bvlc or is_of_bvlc(layer):
                yield from _judge(layer, severity, surplus=of_bvlc)


def miscounted(layer: Layer) -> bool:
    """Whether a layer has more or fewer bottoms or tops than its type is known to allow."""
    return any(_judge(layer))


def _judge(layer: Layer, severity: Severity = Severity.ERROR, *, surplus: bool = True) -> Iterator[Finding]:
    """Missing blobs, and surplus ones unless a fork's version of the type may accept them (NormFace)."""
    kind = layer.kind
    if kind.bottoms is not None:
        fewest, most = kind.bottoms
        yield from _side(
            layer, "bottom", len(layer.bottoms), fewest, most=most if surplus else MANY, severity=severity
        )
    if kind.tops is not None:
        fewest, most = kind.tops
        yield from _side(layer, "top", len(layer.tops), fewest, most=most if surplus else MANY, severity=severity)


def _side(layer: Layer, side: str, count: int, fewest: int, most: int, severity: Severity) -> Iterator[Finding]:
    if fewest <= count <= most:
        return
    if fewest == most:
        right = str(fewest or "none")
    else:
        right = f"at least {fewest}" if count < fewest else f"at most {most}"
    plural = "" if count == 1 else "s"
    takes = "takes" if side == "bottom" else "produces"
    message = f"{count or 'no'} {side}{plural}, but a layer of type {layer.type} {takes} {right}: Caffe aborts"
    yield Finding(NAME, severity, message, layer.node.field(side) or layer.node, layer.name)
