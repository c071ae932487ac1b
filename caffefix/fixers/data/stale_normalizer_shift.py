"""A Power layer that normalises the input has a shift in raw units after a scale.

## What it finds

A Power layer on an input blob that computes `shift + scale · x` with a scale (its own, the data layer's, or
both) below 0.1 and a shift that is a negative raw mean, such as −127.5: somebody changed the scale but not
the shift. On data whose range no net states (HDF5, Python) the shift must be a commonly used mean, such as
−128.

## Why it matters

Power scales first and shifts afterwards (`y = (shift + scale · x)^power`), in the opposite order to a data
layer's transform. So its shift is in scaled units, −mean · scale. With a raw shift the net sees its input at
−127 with a range of 2: effectively a constant.

## Example

```
 power_param {
   scale: 0.0078125
-  shift: -127.5
+  shift: -0.99609375
 }
```

## Fix safety

Unsafe: it changes what the net computes, and weights trained with the mistake depend on it. The shift is
multiplied by the scale. If it is not a commonly used mean, the finding is displayed without an edit.

## When it is a false alarm

When the data are not 8-bit images and the shift is intended.

## What the forums say

"The mean is subtracted before or after scaling, and the results are completely different." They are the
same if the mean is in the units of its place: raw in `transform_param`, times the scale in Power's `shift`.
An image of mean 104 and standard deviation 39 through real Caffe, with `scale: 0.0078125`, compared with
`transform_param { scale: 0.0078125 mean_value: 127.5 }` (`bench/forum_claims.py power`):

| in power_param | mean of the input | largest difference from transform_param's |
|---|---|---|
| `shift: -0.99609375` | -0.19 | 0 |
| `shift: -127.5` | -126.7 | 126.5 |

## References

- BVLC Caffe, `src/caffe/layers/power_layer.cpp`; `caffe.proto`, `PowerParameter`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.records import dataclass
from caffefix.caffe.net import Layer, Net
from caffefix.caffe.roles import is_source
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers.data._means import known_mean
from caffefix.syntax.edits import Replace
from caffefix.syntax.scalars import number_text, number_value

PASS = Pass.REPAIR
CHANGES = ("layer.power_param.shift",)
SIGNS = ("Power",)
NAME = "stale-normalizer-shift"
VALUES = True

_LARGEST_SCALE = 0.1
_PIXELS = 255.0
# A shift in scaled units may be a little beyond the range of the input, but not this far.
_BEYOND = 4.0


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each normalising Power layer."""
    for net in subject.nets:
        inputs = _inputs(net)
        for layer in net.layers:
            if layer.type == "Power" and len(layer.bottoms) == 1 and layer.bottoms[0] in inputs:
                yield from _judge(layer, inputs[layer.bottoms[0]])


@dataclass(frozen=True, slots=True)
class _Input:
    """An input blob.

    Attributes:
        scale: the scale that is already applied to it.
        is_image: whether it is assumed to be in 0..255 before the scale.
    """

    scale: float = 1.0
    is_image: bool = True


def _inputs(net: Net) -> dict[str, _Input]:
    """Blobs that are images, or data that may be, with what is known about them."""
    found = dict.fromkeys(net.inputs, _Input())
    for layer in net.layers:
        if layer.kind.images and layer.tops:
            found[layer.tops[0]] = _Input(layer.number("transform_param", "scale", 1.0))
        elif layer.kind.input:
            found.update(dict.fromkeys(layer.tops, _Input()))
        elif is_source(layer):
            found.update(dict.fromkeys(layer.tops, _Input(is_image=False)))
    return found


def _judge(layer: Layer, incoming: _Input) -> Iterator[Finding]:
    power, own, shift = (
        layer.number("power_param", name, default) for name, default in (("power", 1), ("scale", 1), ("shift", 0))
    )
    scale = own * incoming.scale
    if power != 1 or not 0 < scale < _LARGEST_SCALE or -shift <= _BEYOND * _PIXELS * scale:
        return
    node = layer.node.message("power_param")
    field = node.field("shift") if node is not None else None
    if field is None:
        return
    positive = field.value.replace("-", "", 1).strip()
    is_mean = known_mean(positive, 1.0) is not None and number_value(field.value) is not None
    wrong = (
        f"shift {field.value} is in raw units, but Power scales by {number_text(scale)} before it shifts: "
        "the input becomes a constant"
    )
    if is_mean:
        new = number_text(shift * scale)
        fix = Fix((Replace(field, new),), Applicability.UNSAFE, f"shift {field.value} → {new}")
        yield Finding(NAME, Severity.WARNING, f"{wrong}; writes −mean · scale", field, layer=layer.name, fix=fix)
    elif incoming.is_image:
        yield Finding(NAME, Severity.WARNING, f"{wrong}; write −mean · scale", field, layer.name)
