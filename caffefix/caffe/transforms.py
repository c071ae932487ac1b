"""How data layers normalise what they read."""

from __future__ import annotations

from collections.abc import Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.net import Layer, Net
from caffefix.caffe.roles import is_source
from caffefix.syntax.tree import Node


@dataclass(frozen=True, slots=True)
class Transform:
    """What a data layer does to pixels: (x − mean) · scale.

    Attributes:
        scale: 1 by default.
        means: ``mean_value``s as written.
        mean_file: or empty.
        node: the field that says the scale, or None.
    """

    scale: float = 1.0
    means: tuple[str, ...] = ()
    mean_file: str = ""
    node: Node | None = None


def transform(layer: Layer) -> Transform:
    """How a data layer of V2 normalises; WindowData has a scale of its own (window_data_layer.cpp)."""
    if layer.kind.untransformed:
        return Transform()
    node = layer.node.message("transform_param")
    holder = "window_data_param" if layer.type == "WindowData" else "transform_param"
    message = layer.node.message(holder)
    return Transform(
        layer.number(holder, "scale", 1.0),
        tuple(node.scalars("mean_value")) if node is not None else (),
        (node.string("mean_file") or "") if node is not None else "",
        message.field("scale") if message is not None else None,
    )


def is_batched(layer: Layer) -> bool:
    """Whether the first axis of a data layer's images is a number of images, which may be changed."""
    return layer.kind.images


def twins(net: Net, top: str) -> Sequence[Layer]:
    """The data layers of all phases and stages that produce a blob of that name."""
    return [layer for layer in net.layers if is_source(layer) and top in layer.tops]
