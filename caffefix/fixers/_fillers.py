"""Which filler to give to weights that have none."""

from __future__ import annotations

from collections.abc import Sequence

from caffefix.caffe.layer_types import IMAGE_SOURCES, WEIGHTED
from caffefix.caffe.net import Layer
from caffefix.syntax.scalars import number_value

# Inputs scaled by less than this are about 1 in size, not 0..255.
_SCALED = 0.1


def choose(layer: Layer, view: Sequence[Layer]) -> str:
    """The filler for a layer: ``bilinear``, ``msra`` or ``xavier``.

    msra (He et al. 2015, variance 2/fan_in) keeps the size of a signal through ReLUs: right
    where the input is about 1 in size or BatchNorm makes it so. From raw 0..255 input it
    explodes where xavier (Glorot and Bengio 2010, variance 1/fan_in) shrinks it into range.
    """
    if _upsamples(layer):
        return "bilinear"
    return "msra" if _is_scaled(view) or _is_normalised(layer, view) else "xavier"


def _upsamples(layer: Layer) -> bool:
    """The recipe for bilinear upsampling: kernel 2s − s%2, a group for each channel."""
    if layer.type != "Deconvolution":
        return False
    kernel, stride, group, outputs = (
        layer.number("convolution_param", name, default)
        for name, default in (("kernel_size", 0), ("stride", 1), ("group", 1), ("num_output", 0))
    )
    return stride > 1 and kernel == 2 * stride - stride % 2 and group == outputs > 1


def _is_scaled(view: Sequence[Layer]) -> bool:
    for layer in view:
        if layer.type not in IMAGE_SOURCES:
            continue
        for name in ("transform_param", "data_param", "image_data_param"):
            node = layer.node.message(name)
            scale = node.scalar("scale") if node is not None else None
            number = number_value(scale) if scale is not None else None
            if number is not None and 0 < abs(number) < _SCALED:
                return True
    return False


def _is_normalised(layer: Layer, view: Sequence[Layer]) -> bool:
    """Whether BatchNorm stands before the layer, or right behind it."""
    before = _normalised_blobs(view)
    if any(before.get((id(layer), name)) for name in layer.bottoms):
        return True
    behind = set(layer.tops)
    for other in view[view.index(layer) + 1 :]:
        if not behind & set(other.bottoms):
            continue
        if other.type == "BatchNorm":
            return True
        if other.type in WEIGHTED:
            return False
        behind |= set(other.tops)
    return False


def _normalised_blobs(view: Sequence[Layer]) -> dict[tuple[int, str], bool]:
    """For each layer's bottom: whether a BatchNorm stands upstream of it."""
    now: dict[str, bool] = {}
    seen = {}
    for layer in view:
        for name in layer.bottoms:
            seen[id(layer), name] = now.get(name, False)
        normalised = layer.type == "BatchNorm" or any(now.get(name, False) for name in layer.bottoms)
        now.update(dict.fromkeys(layer.tops, normalised))
    return seen
