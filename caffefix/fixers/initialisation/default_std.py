"""A gaussian filler without `std`, or a uniform one without bounds, on weights.

## What it finds

`weight_filler { type: "gaussian" }` without `std` (or `uniform` without `max`) in a train net, on layers
whose units sum ten inputs or more, in nets without normalisation.

## Why it matters

Caffe's defaults for these fillers are not suited to weights: a standard deviation of 1, and for `uniform` the
range 0..1, all positive. A layer with n inputs multiplies the signal by √n, or by about n/2 if all weights
are positive; two or three such layers make the loss overflow.

## Example

```
 weight_filler {
-  type: "gaussian"
+  type: "msra"
 }
```

## Fix safety

Unsafe: it changes the initial values of the net. `msra` is a gaussian of standard deviation √(2/fan_in);
where the input is raw pixels, `xavier` is used instead, with √(1/fan_in).

## When it is a false alarm

When all weights are loaded (`--weights`), or a distribution of that width is intended.

## References

- BVLC Caffe, `caffe.proto`, `FillerParameter` (`std` 1, `min` 0, `max` 1);
  `include/caffe/filler.hpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.fillers import fans
from caffefix.caffe.graph import build
from caffefix.caffe.net import Layer, Net, Phase, alike
from caffefix.caffe.roles import LEARNING, loss_stages
from caffefix.caffe.shapes import infer
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers.initialisation._fillers import Chooser, retype
from caffefix.syntax.tree import Node

PASS = Pass.TUNE
CHANGES = ("layer.*_param.weight_filler",)
NEEDS_FAMILY = True  # a solver in the same folder may load weights
SIGNS = ("weight_filler",)
ROLES = LEARNING
NAME = "default-std"

# With fewer inputs than this, a standard deviation of 1 is not too wide.
_FEW = 10


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer."""
    if not subject.from_scratch:
        return
    for net in subject.nets:
        if subject.learns(net) and any(map(_has_default, net.layers)):
            yield from _judge(net)


def _judge(net: Net) -> Iterator[Finding]:
    view = net.view(Phase.TRAIN, loss_stages(net, Phase.TRAIN))
    if any(layer.kind.normaliser for layer in view):
        return
    chooser = Chooser(view)
    graph = build(view, net.inputs)
    unknown = 100 if any(layer.kind.images for layer in view) else 0  # an image has many values
    shapes = infer(graph, net, Phase.TRAIN)
    for step in graph.steps:
        filler = _default(step.layer)
        if filler is None:
            continue
        inputs = next((fans(blob.shape)[0] for blob in shapes.params_of(step) if blob.role == "weight"), None)
        if (inputs or unknown) < _FEW:
            continue
        kind = chooser.choose(step.layer)
        wide = "gaussian without std has std 1" if _is_gaussian(filler) else "uniform without max draws from 0..1"
        message = f"weight_filler {wide}, far too wide for weights: signals explode; changes it to {kind}"
        fix = Fix(tuple(retype(filler, kind)), Applicability.UNSAFE, f"weight_filler → {kind}")
        yield Finding(NAME, Severity.WARNING, message, filler, layer=step.layer.name, fix=fix)


@alike
def _has_default(layer: Layer) -> bool:
    return _default(layer) is not None


def _default(layer: Layer) -> Node | None:
    """The weight filler, if its spread is left to Caffe."""
    weights = layer.kind.weights
    if not weights or layer.type == "Embed":
        return None
    node = layer.node.message(weights, "weight_filler")
    if node is None or node.has("sparse"):
        return None
    left = "std" if _is_gaussian(node) else "max" if node.string("type") == "uniform" else "type"
    return None if node.has(left) or not node.has("type") else node


def _is_gaussian(filler: Node) -> bool:
    return filler.string("type") == "gaussian"
