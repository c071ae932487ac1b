"""The train net scales its images, but the deploy net in the same folder does not.

## What it finds

A deploy net whose train net (the net in the same folder that has the same layers) has a `scale` other than 1
in the `transform_param` of its data layers, while no Power, Scale, BatchNorm or MVN layer of the deploy net
reads the input.

## Why it matters

`transform_param` belongs to data layers, and a deploy net has none: what Caffe did in training, your program
must now do. Images of 0..255 saturate a net that was trained on 0..1, and it predicts the same class for
nearly everything.

## Example

```
+layer {
+  name: "scale"
+  type: "Power"
+  bottom: "data"
+  top: "data"
+  power_param {
+    scale: 0.00390625
+  }
+}
 layer {
   name: "conv1"
   type: "Convolution"
   bottom: "data"
```

## Fix safety

No fix: the files do not show whether your program scales its images (`Transformer.set_input_scale`, the
`scalefactor` of `cv2.dnn.blobFromImage`; `caffe.io.load_image` gives 0..1 already). Caffe computes
`(x − mean) · scale`: the mean is raw, and is subtracted first.

## When it is a false alarm

If the program scales; for that reason the finding is a note (`--notes`).

## What the forums say

"In Python the mean must be divided by 255, because the image is 0..1." `caffe.io.load_image` gives 0..1, but
`set_raw_scale(255)` comes before the mean, and `set_input_scale` after it: the mean stays raw. Real Caffe,
`set_raw_scale(255)` and `set_input_scale(0.00390625)`, compared with what a data layer with `mean_value: 104` and
`scale: 0.00390625` feeds in training (`bench/forum_claims.py transformer`):

| mean in the program | largest difference from training |
|---|---|
| `set_mean(104)` | 0 |
| `set_mean(104 / 255)` | 0.4 |

Caffe's example program in C++ (`cpp_classification`) subtracts a mean and never scales: there the Power
layer is the only way.

## References

- BVLC Caffe, `src/caffe/data_transformer.cpp`, `Transform`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.family import test_view
from caffefix.caffe.net import Layer, Net
from caffefix.caffe.roles import is_source
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.syntax.scalars import number_text
from caffefix.syntax.tree import Node

PASS = Pass.TUNE
SIGNS = ("deploy",)
NAME = "missing-deploy-scale"
NEEDS_FAMILY = True


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each deploy net."""
    pair = subject.family.train_net(subject.document)
    if pair is None:
        return
    member, train = pair
    deploy = subject.nets[0]
    scales = {_scale(layer) for layer in test_view(train) if is_source(layer)}
    if len(scales) != 1 or scales == {1.0} or _scales_input(deploy):
        return
    scale = number_text(scales.pop())
    message = (
        f"{member.name} trains on images scaled by {scale}, and no layer here scales the input: "
        f"your program must do so, after it has subtracted the mean"
    )
    where = _input(deploy)
    if where is not None:
        yield Finding(NAME, Severity.INFO, message, where)


def _scale(layer: Layer) -> float:
    holders = ("transform_param", layer.kind.v1_transform)
    return next((s for holder in holders if (s := layer.number(holder, "scale", 1.0)) != 1), 1.0)


def _inputs(net: Net) -> list[str]:
    return [*net.inputs, *(top for layer in net.layers if layer.kind.input for top in layer.tops)]


def _scales_input(net: Net) -> bool:
    inputs = set(_inputs(net))
    scaling = (layer for layer in net.layers if layer.kind.affine or layer.kind.normaliser)
    return any(inputs & set(layer.bottoms) for layer in scaling)


def _input(net: Net) -> Node | None:
    layers = [layer.node for layer in net.layers if layer.kind.input]
    return next(net.node.fields("input"), None) or next(iter(layers), None)
