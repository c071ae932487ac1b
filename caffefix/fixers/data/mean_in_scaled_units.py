"""mean_value is in scaled units, but Caffe subtracts the mean before it scales.

## What it finds

A `transform_param` whose `mean_value`s all lie within −1.5..1.5 together with a `scale` below 0.05: a mean
that was divided by 255 along with the pixels. A correct pair (a raw mean and a scale) gets a note, shown with
`--notes`, because many people are told to "repair" it.

## Why it matters

Caffe computes `(x − mean) · scale`, in BVLC's code and in every fork that was read. A mean of 0.41 subtracted
from pixels of 0..255 subtracts nothing: the input stays at 0..1 with a mean of 0.4 where the net was meant to
see zero. A raw mean together with a scale is right: by distributivity `(x − m)·s = x·s − m·s`. Dividing the
mean (or the mean file) by 255 while keeping the scale, as forum answers teach, is the bug, not the cure.

## Example

```
 transform_param {
   scale: 0.0039215686
-  mean_value: 0.40784313
+  mean_value: 104
 }
```

## Fix safety

Unsafe: it changes what the net computes, and weights trained with the mistake depend on it. Values are
multiplied by 255 or by 1/scale, whichever gives commonly used means (such as 104, 117, 123). If neither does,
the finding is displayed without an edit.

## When it is a false alarm

When the data are already 0..1 (float LMDBs): nothing in the prototxt shows that. A `mean_file` is never
edited.

## What the forums say

"Whoever scales by 1/255 must divide the mean by 255, too", and "(x − mean) · scale is something else
than x · scale − mean · scale". Neither is true: the mean is subtracted from the raw pixel, and the
difference is scaled. An image of mean 104, read by real Caffe's ImageData layer with `scale: 0.00392157`
(`bench/forum_claims.py mean`):

| in transform_param | mean of the input | standard deviation |
|---|---|---|
| `mean_value: 104` | -0.004 | 0.154 |
| `mean_value: 0.40784313` | 0.402 | 0.154 |

With the divided mean the input is no longer centred. The same is true of a mean file: leave it as
`compute_image_mean` wrote it. `caffefix rescale-input` is for data that are themselves stored as 0..1.

## References

- BVLC Caffe, `src/caffe/data_transformer.cpp`, `Transform`; `caffe.proto`,
  `TransformationParameter` ("mean subtraction is always carried out before scaling")
- Stack Overflow question 47646792 (the bug in the wild)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers.data._means import raw_means
from caffefix.syntax.edits import Replace
from caffefix.syntax.scalars import number_text, number_value
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
CHANGES = ("layer.transform_param.mean_value",)
SIGNS = ("transform_param",)
NAME = "mean-in-scaled-units"

_LARGEST_SCALED_MEAN = 1.5
_LARGEST_SCALE = 0.05


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each data layer."""
    for net in subject.nets:
        for layer in net.layers:
            transform = layer.node.message("transform_param")
            if layer.kind.images and transform is not None:
                yield from _judge(layer, transform)


def _judge(layer: Layer, transform: Node) -> Iterator[Finding]:
    text = transform.scalar("scale")
    scale = number_value(text) if text is not None else None
    if scale is None or not 0 < scale < 1:
        return
    nodes = list(transform.fields("mean_value"))
    values = [node.value for node in nodes]
    numbers = [number_value(value) for value in values]
    means = [number for number in numbers if number is not None]
    if len(means) < len(values):
        return
    if not means:
        if transform.has("mean_file"):
            node = transform.field("mean_file")
            assert node is not None
            yield _note(layer, node, "mean_file, which compute_image_mean computes from raw data, is", text)
    elif all(m == 0 for m in means):
        return
    elif all(abs(m) <= _LARGEST_SCALED_MEAN for m in means):
        if scale < _LARGEST_SCALE:
            yield _scaled(layer, nodes, values, scale)
    else:
        shown = ", ".join(map(number_text, means))
        yield _note(layer, nodes[0], f"mean {shown} is raw and is", text)


def _note(layer: Layer, node: Node, what: str, scale: str | None) -> Finding:
    message = (
        f"{what} subtracted before scale {scale}, which is correct; "
        "to move this net to scaled data use `caffefix rescale-input`"
    )
    return Finding(NAME, Severity.INFO, message, node, layer.name)


def _scaled(layer: Layer, nodes: list[Node], values: list[str], scale: float) -> Finding:
    shown = ", ".join(values)
    wrong = f"mean_value {shown} is in scaled units, but Caffe subtracts it from pixels of 0..255 before it scales"
    raw = raw_means(values, scale)
    if raw is None:
        return Finding(
            NAME,
            Severity.WARNING,
            f"{wrong}; no known mean is near, so give it in raw units",
            nodes[0],
            layer.name,
        )
    new = [number_text(mean) for mean in raw]
    edits = tuple(Replace(node, value) for node, value in zip(nodes, new, strict=True))
    fix = Fix(edits, Applicability.UNSAFE, f"mean_value {shown} → {', '.join(new)}")
    return Finding(
        NAME, Severity.WARNING, f"{wrong}; converts it to raw units", nodes[0], layer=layer.name, fix=fix
    )
