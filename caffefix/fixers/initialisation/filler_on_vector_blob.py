"""A filler made for matrices fills a vector, with numbers of ±1.7.

## What it finds

`xavier` or `msra` as `bias_filler` of layers with weights, as `filler` or `bias_filler` of Scale, or as
`filler` of Bias and PReLU, in train nets. Biases of an InnerProduct that reads the data itself are not
reported, unless the data are images: with few inputs, the spread of the biases is what makes the units
differ.

## Why it matters

These fillers divide by the number of inputs, which Caffe derives from the blob's shape: the number of all
elements divided by that of the first axis. For a vector that is 1. So xavier draws from −1.73..1.73 and msra
from a gaussian of standard deviation 1.41, whatever the size of the layer: biases larger than the signals
they are added to, or a gamma or slope of either sign.

## Example

```
 bias_filler {
-  type: "xavier"
+  type: "constant"
 }
```

## Fix safety

Unsafe: it changes the initial values of the net. Biases become 0, gamma 1 and PReLU's slope 0.25, which are
Caffe's values where there is no filler.

## When it is a false alarm

When all weights are loaded (`--weights`). Nets with such biases may learn anyway: their first steps repair
the biases.

## References

- BVLC Caffe, `include/caffe/filler.hpp`, `XavierFiller`, `MSRAFiller` (`fan_in = count / shape(0)`)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer, Net, alike
from caffefix.caffe.roles import LEARNING, is_origin
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import with_makers
from caffefix.fixers.initialisation._fillers import retype
from caffefix.syntax.tree import Node

PASS = Pass.TUNE
CHANGES = (
    "layer.*_param.bias_filler",
    "layer.scale_param.filler",
    "layer.bias_param.filler",
    "layer.prelu_param.filler",
)
NEEDS_FAMILY = True  # a solver in the same folder may load weights
SIGNS = ("filler", "bias_filler")
ROLES = LEARNING
NAME = "filler-on-vector-blob"

_RANGE = {"xavier": "−1.73..1.73", "msra": "a gaussian of std 1.41"}


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each filler."""
    if not subject.from_scratch:
        return
    for net in subject.nets:
        if not subject.learns(net):
            continue
        vectors = ((layer, *vector) for layer in net.layers if _is_concerned(layer) for vector in _vectors(layer))
        found = [(layer, filler, value) for layer, filler, value in vectors if _is_for_matrices(filler)]
        first = _reading_vectors(net) if found else []
        for layer, filler, value in found:
            if layer in first:
                continue
            kind = filler.string("type") or ""
            message = (
                f"{filler.name} is {kind}, which counts one input for a vector and draws from {_RANGE[kind]}, "
                f"more than the signals; changes it to constant {value or 0}"
            )
            fix = Fix(tuple(retype(filler, "constant", value)), Applicability.UNSAFE, f"constant {value or 0}")
            yield Finding(NAME, Severity.WARNING, message, filler, layer=layer.name, fix=fix)


def _reading_vectors(net: Net) -> list[Layer]:
    """InnerProduct layers that read data directly, where the data are not images."""
    return [
        layer
        for layer, makers in with_makers(net.layers)
        if layer.type == "InnerProduct"
        and all(maker is None or (is_origin(maker) and not maker.kind.images) for maker in makers)
    ]


def _vectors(layer: Layer) -> Iterator[tuple[Node, str]]:
    """Fillers of the layer's vectors, each with the constant that Caffe uses without one; empty for 0."""
    found: list[tuple[Node | None, str]] = []
    weights = layer.kind.weights
    if weights and layer.flag(weights, "bias_term", True):
        found.append((layer.node.message(weights, "bias_filler"), ""))
    elif layer.type == "Scale" and len(layer.bottoms) == 1 and layer.number("scale_param", "num_axes", 1) == 1:
        found.append((layer.node.message("scale_param", "filler"), "1"))
        if layer.flag("scale_param", "bias_term", False):
            found.append((layer.node.message("scale_param", "bias_filler"), ""))
    elif layer.type == "Bias" and len(layer.bottoms) == 1 and layer.number("bias_param", "num_axes", 1) == 1:
        found.append((layer.node.message("bias_param", "filler"), ""))
    elif layer.type == "PReLU":
        found.append((layer.node.message("prelu_param", "filler"), "0.25"))
    return ((node, value) for node, value in found if node is not None)


@alike
def _is_concerned(layer: Layer) -> bool:
    return any(_is_for_matrices(filler) for filler, _ in _vectors(layer))


def _is_for_matrices(filler: Node) -> bool:
    return filler.string("type") in _RANGE and filler.scalar("variance_norm") in (None, "FAN_IN", "0")
