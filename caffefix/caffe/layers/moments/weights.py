"""Layers with weights: sums over their inputs."""

from __future__ import annotations

from functools import lru_cache
from math import sqrt

from caffefix._startup.records import replace
from caffefix.caffe.fillers import Dim, Moments, count
from caffefix.caffe.layers.moments.base import Place, Stop, few
from caffefix.caffe.layers.moments.signal import Signal, constant, normal
from caffefix.caffe.layers.shapes.base import Fields
from caffefix.caffe.layers.shapes.windows import Window, convolution_window
from caffefix.caffe.net import Layer, alike


def convolution(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """Sums over a window; each bottom has its own top."""
    shape = place.bottoms[0]
    if shape is None or len(shape) < 3:
        raise Stop("the number of inputs is not known")
    window = _window(place.layer, len(shape) - 2)
    kernel = [k or 1 for k in window.kernel]
    stride = [s or 1 for s in window.stride]
    taps = _taps(place, window)
    tops = []
    for bottom in bottoms:
        # Neighbours share inputs, but with different weights: they are as alike as the inputs were.
        upsampled = place.layer.type == "Deconvolution"
        length = bottom.length if upsampled else bottom.length / stride[0]
        tops.append(_weighted(place, bottom, taps, max(1.0, length), _fresh(kernel, bottom.length)))
    return tops


@alike
def _window(layer: Layer, axes: int) -> Window:
    return convolution_window(Fields(layer.node.message("convolution_param")), axes)


def _fresh(kernel: list[int], length: float) -> float:
    """The share of the values in a window that are independent."""
    share = 1.0
    for size in kernel:
        share *= max(1.0, size / length) / size
    return share


def _taps(place: Place, window: Window) -> float:
    """Average share of a window's values that are not padding; for Deconvolution, of those that overlap."""
    shape, top = place.bottoms[0], place.tops[0]
    assert shape is not None
    share = 1.0
    for axis, kernel in enumerate(window.kernel):
        stride, pad = window.stride[axis] or 1, window.pad[axis] or 0
        size: Dim = shape[2 + axis]
        out: Dim = top[2 + axis] if top is not None else None
        if place.layer.type == "Deconvolution":
            share *= 1.0 / stride
        elif size and out and kernel and pad:
            share *= share_inside(size, out, kernel, stride, pad=pad, dilation=window.dilation[axis] or 1)
    return share


_TAPS = 256  # this many are sampled across a longer kernel


@lru_cache
def share_inside(size: int, out: int, kernel: int, stride: int, pad: int, dilation: int) -> float:
    """Share of the taps of all windows along an axis that lie on the input."""
    inside = 0
    taps = range(kernel) if kernel <= _TAPS else [kernel * (2 * n + 1) // (2 * _TAPS) for n in range(_TAPS)]
    for tap in taps:
        shift = pad - tap * dilation  # window i has this tap at i * stride - shift
        first, end = max(0, -(-shift // stride)), min(out, -(-(size + shift) // stride))
        inside += max(0, end - first)
    return inside / (out * len(taps))


def inner_product(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """All places in one sum."""
    shape = place.bottoms[0]
    smooth = bottoms[0].length if shape is not None and len(shape) > 2 else 1.0
    side = sqrt(count(shape[2:]) or 1) if shape is not None and len(shape) > 2 else 1.0
    share = (max(1.0, side / smooth) / side) ** 2
    return [_weighted(place, bottoms[0], 1.0, 1.0, share)]


def _weighted(place: Place, bottom: Signal, taps: float, length: float, fresh: float) -> Signal:
    """w · x + b over so many inputs.

    Args:
        place: the layer; its first parameter is the weights, the second the bias.
        bottom: what is summed.
        taps: share of the inputs that are not padding.
        length: of the top.
        fresh: share of the inputs that are independent.
    """
    inputs, weight = _inputs(place)
    inputs *= taps
    spread = max(0.0, weight.square - weight.mean**2)
    mean = weight.mean * inputs * bottom.mean
    # A common mean of the weights adds up what inputs have in common, and this much of what they do not.
    uneven = weight.mean**2 * inputs * (bottom.variance + (1 / fresh - 1) * (bottom.square - bottom.common))
    var = inputs * spread * bottom.square + uneven
    cov = inputs * spread * bottom.common
    doubt = bottom.doubt + 0.0004
    if len(place.params) > 1 and place.params[1].role == "bias":
        bias = place.filled(1)
        mean += bias.mean
        extra = max(0.0, bias.square - bias.mean**2)
        var, cov = var + extra, cov + extra
        if var < bias.mean**2:  # the bias adds no uncertainty
            doubt *= max(0.01, var / (var + bias.mean**2)) ** 2
    made = normal(mean, var, cov, replace(bottom, doubt=doubt, length=length))
    own = few(place, made) + 0.5 / max(1.0, inputs * fresh) / place.channels
    certain = mean * mean / made.square if made.square else 0.0
    return made.with_doubt(own * (1 - certain) ** 2)


def _inputs(place: Place) -> tuple[float, Moments]:
    """The number of inputs of a sum, and the moments of its weights; xavier's and msra's cancel the number."""
    blob = place.params[0]
    shape = blob.shape
    number: float | None = None
    if shape is not None:
        known = count(shape[1:])
        if place.layer.type == "Deconvolution" and len(shape) > 2 and shape[0] is not None:
            area = count(shape[2:])
            group = place.fields("convolution_param").integer("group", 1) or 1
            known = None if area is None else shape[0] // group * area
        elif place.layer.type == "InnerProduct" and place.fields("inner_product_param").flag("transpose", False):
            known = shape[0]
        number = known
    if number is None:
        if blob.filler.type in ("xavier", "msra") and blob.filler.variance_norm == "FAN_IN":
            number = 1000.0
            square = (2 if blob.filler.type == "msra" else 1) / number
            return number, Moments(0.0, square, 0.8 * sqrt(square))
        raise Stop("the number of inputs is not known")
    return number, place.filled(0)


def embed(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """A row of weights: as the filler made it."""
    weight = place.filled(0)
    made = normal(weight.mean, max(0.0, weight.square - weight.mean**2), 0.0, constant(0.0))
    return [replace(made, mean_abs=weight.mean_abs).with_doubt(few(place, made))]
