"""Pooling: maxima and averages over windows."""

from __future__ import annotations

from math import sqrt

from caffefix._startup.records import replace
from caffefix.caffe.layers.moments import gauss
from caffefix.caffe.layers.moments.base import Place, Stop
from caffefix.caffe.layers.moments.signal import Signal, normal, rectified


def pooling(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """Maxima grow with the number of independent values; averages shrink."""
    param, shape = place.fields("pooling_param"), place.bottoms[0]
    method = param.word("pool", "MAX")
    if method not in ("MAX", "0", "AVE", "1"):
        raise Stop("stochastic pooling")
    if param.flag("global_pooling", False):
        sides = [float(side or 7) for side in (shape[2:] if shape is not None else (7, 7))]
        stride = max(sides)
    else:
        sides = [float(param.integer(n, param.integer("kernel_size", 2)) or 2) for n in ("kernel_h", "kernel_w")]
        stride = float(param.integer("stride_h", param.integer("stride", 1)) or 1)
    bottom = bottoms[0]
    alike = 1.0
    for side in sides:
        alike *= _alike(side, bottom.length)
    length = max(1.0, (bottom.length + sides[0] - 1) / stride)
    values = sides[0] * sides[1]
    made = _average(bottom, values, alike) if method in ("AVE", "1") else _maximum(bottom, values, alike)
    return [replace(made, length=length)] * len(place.layer.tops)


def _alike(side: float, length: float) -> float:
    """Mean correlation of two places in a row of that many, including each with itself."""
    whole = round(side)
    total = sum((whole - d) * (1 if d == 0 else 2) * max(0.0, 1 - d / length) for d in range(whole))
    return total / whole**2


def _average(bottom: Signal, values: float, alike: float) -> Signal:
    mean = bottom.mean
    cov = max(0.0, bottom.common - mean * mean)
    var = cov + max(0.0, bottom.variance - cov) * alike
    made = normal(mean, var, cov, bottom)
    if bottom.positive:
        made = replace(made, mean_abs=mean, latent=None)
    return made.with_doubt(0.003 if bottom.positive else 0.01)


def _maximum(bottom: Signal, values: float, alike: float) -> Signal:
    """Of equally correlated normal values: the common part stays, the rest contributes its maximum."""
    source = bottom.latent if bottom.latent is not None and bottom.scale > 0 else None
    mean, var, cov = source if source is not None else bottom.normal
    paired = max(0.0, (alike * values - 1) / (values - 1)) if values > 1 else 1.0
    inside = max(0.0, var - cov)
    shift, left = gauss.maximum(values)
    mean += shift * sqrt(inside * (1 - paired))
    var = cov + inside * (paired + (1 - paired) * left)
    gain = shift * sqrt(1 - paired)
    doubt = 0.002 + 0.002 * gain
    if bottom.rectified and source is not None:
        return rectified(mean, var, cov, bottom, bottom.scale).with_doubt(doubt)
    made = normal(mean, var, cov, bottom)
    if source is None:
        doubt += 0.01
        if bottom.positive:
            made = replace(made, mean_abs=max(mean, 0.0), latent=None)
    return made.with_doubt(doubt)
