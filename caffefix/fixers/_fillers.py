"""Which filler to give to weights that have none."""

from __future__ import annotations

from collections.abc import Sequence

from caffefix.caffe.layer_types import IMAGE_SOURCES, WEIGHTED
from caffefix.caffe.net import Layer

# Inputs scaled by less than this are about 1 in size, not 0..255.
_SCALED = 0.1


class Chooser:
    """Chooses fillers for the layers of a net.

    msra (He et al. 2015, variance 2/fan_in) keeps the size of a signal through ReLUs: right
    where the input is about 1 in size or BatchNorm makes it so. From raw 0..255 input it
    explodes where xavier (Glorot and Bengio 2010, variance 1/fan_in) shrinks it into range.

    Args:
        view: the layers of a phase, in file order.
    """

    def __init__(self, view: Sequence[Layer]) -> None:
        self._is_scaled = _is_scaled(view)
        self._normalised = _behind_batch_norm(view) | _before_batch_norm(view)

    def choose(self, layer: Layer) -> str:
        """The filler for a layer's weights: ``bilinear``, ``msra`` or ``xavier``."""
        if _upsamples(layer):
            return "bilinear"
        return "msra" if self._is_scaled or id(layer) in self._normalised else "xavier"


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
            if 0 < abs(layer.number(name, "scale", 0.0)) < _SCALED:
                return True
    return False


def _behind_batch_norm(view: Sequence[Layer]) -> set[int]:
    """Layers (by id) that have a BatchNorm somewhere upstream."""
    found = set()
    normalised: set[str] = set()
    for layer in view:
        if layer.type == "BatchNorm" or not normalised.isdisjoint(layer.bottoms):
            found.add(id(layer))
            normalised.update(layer.tops)
        else:
            normalised.difference_update(layer.tops)
    return found


def _before_batch_norm(view: Sequence[Layer]) -> set[int]:
    """Layers (by id) whose top a BatchNorm takes before other weights do."""
    found = set()
    taken: set[str] = set()  # blobs that a BatchNorm takes further on
    for layer in reversed(view):
        reaches = not taken.isdisjoint(layer.tops)
        if reaches:
            found.add(id(layer))
        taken.difference_update(layer.tops)
        if layer.type == "BatchNorm" or (reaches and layer.type not in WEIGHTED):
            taken.update(layer.bottoms)
    return found
