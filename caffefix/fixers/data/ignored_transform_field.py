"""The scale, mean, crop or mirror of a data layer is in a place where Caffe does not read it.

## What it finds

`scale`, `mean_file`, `crop_size` and `mirror` in the `data_param`, `image_data_param` or `window_data_param`
of a V2 layer, and the reverse for WindowData: a `scale` in its `transform_param`. Values that are the default
anyway are not reported.

## Why it matters

Since 2014 these fields belong in `transform_param`. The old fields are still in the format, so the file
parses; but Caffe moves them over only in V1 nets (`layers { … }`), and in V2 nets nothing reads them. The net
receives raw, uncropped images with their mean, and no message says so. WindowData is the exception that was
forgotten: it reads `scale` from `window_data_param`, although Caffe's own upgrade of V1 nets moves the field
away from there.

## Example

```
 layer {
   name: "data"
   type: "Data"
   top: "data"
   top: "label"
+  transform_param {
+    scale: 0.00390625
+  }
   data_param {
     source: "train_lmdb"
-    scale: 0.00390625
   }
 }
```

## Fix safety

Unsafe: the net gets a different input, and weights that were trained with the raw input depend on it. The
field moves to where Caffe reads it. Where the same field is already present there with another value, nothing
is edited.

## When it is a false alarm

For a fork that reads the old places. No such fork is known.

## References

- BVLC Caffe, `src/caffe/util/upgrade_proto.cpp`, `UpgradeNetDataTransformation`;
  `src/caffe/layers/window_data_layer.cpp`; `caffe.proto`, `DataParameter`
- BVLC/caffe pull request 2810
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Generation, Layer, truth
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import bvlc_layers
from caffefix.syntax.edits import Before, Edit, Insert, Kept, Last, NewMessage
from caffefix.syntax.scalars import is_string, number_value, string_value
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
CHANGES = (
    "layer.transform_param",
    "layer.data_param",
    "layer.image_data_param",
    "layer.window_data_param",
)
NAME = "ignored-transform-field"

_TRANSFORM = "transform_param"
_FIELDS = ("scale", "mean_file", "crop_size", "mirror")
SIGNS = _FIELDS


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer and place."""
    for layer in bvlc_layers(subject):
        holder = layer.kind.v1_transform
        if layer.generation is not Generation.V2 or not holder:
            continue
        is_window = layer.type == "WindowData"
        yield from _judge(layer, holder, _TRANSFORM, [f for f in _FIELDS if not (is_window and f == "scale")])
        if is_window:
            yield from _judge(layer, _TRANSFORM, holder, ["scale"])


def _judge(layer: Layer, here: str, there: str, names: list[str]) -> Iterator[Finding]:
    source, target = layer.node.message(here), layer.node.message(there)
    if source is None:
        return
    moving = [node for node in source.children() if node.name in names and not _is_default(node)]
    given = {n: target.field(n) for n in names if target is not None}
    clashing = [node for node in moving if (other := given.get(node.name)) is not None and not _agree(node, other)]
    moving = [node for node in moving if given.get(node.name) is None]
    for node in clashing:
        message = f"Caffe ignores {node.name} here: the one in {there} counts"
        yield Finding(NAME, Severity.WARNING, message, node, layer.name)
    if not moving:
        return
    shown = " and ".join(node.name for node in moving)
    what = "it to {there}, where it takes" if len(moving) == 1 else "them to {there}, where they take"
    message = f"Caffe ignores {shown} in {here} (layer type {layer.type}); moves {what.format(there=there)} effect"
    kept = tuple(map(Kept, moving))
    edit: Edit
    edit = Insert(Before(source), (NewMessage(there, kept),)) if target is None else Insert(Last(target), kept)
    titles = ", ".join(f"{node.name}: {node.value}" for node in moving)
    fix = Fix((edit,), Applicability.UNSAFE, f"move {titles} to {there}")
    yield Finding(NAME, Severity.WARNING, message, moving[0], layer=layer.name, fix=fix)


def _is_default(node: Node) -> bool:
    if node.name == "mirror":
        return not truth(node.value)
    if node.name == "mean_file":
        return not string_value(node.value)
    return number_value(node.value) == (1 if node.name == "scale" else 0)


def _agree(one: Node, other: Node) -> bool:
    if is_string(one.value):
        return string_value(one.value) == string_value(other.value)
    if one.name == "mirror":
        return truth(one.value) == truth(other.value)
    return number_value(one.value) == number_value(other.value)
