"""Layers that combine signals, or leave their values unchanged."""

from __future__ import annotations

from math import sqrt

from caffefix._startup.records import replace
from caffefix.caffe.fillers import count
from caffefix.caffe.layers.moments.base import Place, Stop
from caffefix.caffe.layers.moments.signal import Signal, constant, normal


def eltwise(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """Sums, products and maxima of blobs that are assumed to be independent."""
    param = place.fields("eltwise_param")
    operation = param.word("operation", "SUM")
    if operation in ("PROD", "0"):
        return [product(bottoms)]
    if operation in ("MAX", "2"):
        made = bottoms[0]
        for other in bottoms[1:]:
            mean, var, cov = ((a + b) / 2 for a, b in zip(made.normal, other.normal, strict=True))
            made = normal(mean + 0.564 * sqrt(var), 0.68 * var, min(cov, 0.68 * var), made)
        return [made.with_doubt(0.05)]
    given = param.node.scalars("coeff") if param.node is not None else []
    factors = [float(value) for value in given] if len(given) == len(bottoms) else [1.0] * len(bottoms)
    return [weighted_sum(bottoms, factors)]


def weighted_sum(bottoms: list[Signal], factors: list[float]) -> Signal:
    """The sum of blobs times factors."""
    parts = [bottom.times(factor) for bottom, factor in zip(bottoms, factors, strict=True)]
    mean, var, cov = (sum(column) for column in zip(*((p.mean, *_own(p)) for p in parts), strict=True))
    total = sum(p.square for p in parts)
    weight = [p.square / total if total else 1.0 for p in parts]
    doubt = _joint(weight, parts) + 0.002
    like = replace(parts[0], doubt=doubt, length=max(p.length for p in parts), sized=all(p.sized for p in parts))
    made = normal(mean, var, cov, like)
    if all(p.positive for p in parts):
        made = replace(made, mean_abs=mean, latent=None)
    return made


def _joint(shares: list[float], signals: list[Signal]) -> float:
    """Doubt of a whole made of parts, which may be wrong together: branches have a common root."""
    return sum(share * sqrt(signal.doubt) for share, signal in zip(shares, signals, strict=True)) ** 2


def _own(signal: Signal) -> tuple[float, float]:
    return signal.variance, max(0.0, signal.common - signal.mean**2)


def product(bottoms: list[Signal]) -> Signal:
    """The product of blobs, place by place."""
    mean = square = size = common = 1.0
    for bottom in bottoms:
        mean, square = mean * bottom.mean, square * bottom.square
        size, common = size * bottom.mean_abs, common * bottom.common
    doubt = sum(b.doubt for b in bottoms) + 0.01
    length = min(b.length for b in bottoms)
    return Signal(
        mean=mean,
        square=square,
        mean_abs=size,
        common=common,
        length=length,
        doubt=doubt,
        sized=all(b.sized for b in bottoms),
    )


def concat(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """Averages, weighted by the number of channels."""
    sizes = [float(count(shape) or 0) for shape in place.bottoms]
    if not all(sizes):
        sizes = [float(shape[1] or 1) if shape is not None and len(shape) > 1 else 1.0 for shape in place.bottoms]
    total = sum(sizes)

    def mixed(values: list[float]) -> float:
        return sum(size * value for size, value in zip(sizes, values, strict=True)) / total

    size = mixed([b.mean_abs for b in bottoms])
    shares = [s * b.mean_abs / total / size if size else 1.0 for s, b in zip(sizes, bottoms, strict=True)]
    made = Signal(
        mean=mixed([b.mean for b in bottoms]),
        square=mixed([b.square for b in bottoms]),
        mean_abs=size,
        common=mixed([b.common for b in bottoms]),
        length=max(b.length for b in bottoms),
        doubt=_joint(shares, bottoms),
        sized=all(b.sized for b in bottoms),
    )
    if all(b.rectified for b in bottoms) and max(b.square for b in bottoms) < 1.5 * min(b.square for b in bottoms):
        made = replace(made, latent=bottoms[0].latent, rectified=True, scale=bottoms[0].scale)
    return [made]


def same(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """Unchanged values, in a different order or shape."""
    return [bottoms[0]] * len(place.layer.tops)


def reduction(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """Sums over all axes after one."""
    param, shape = place.fields("reduction_param"), place.bottoms[0]
    axis = param.integer("axis", 0) or 0
    number = count(shape[axis:]) if shape is not None else None
    if not number:
        raise Stop("the number of summed values is not known")
    operation = param.word("operation", "SUM")
    factor = place.layer.number("reduction_param", "coeff", 1.0)
    bottom = bottoms[0]
    if operation in ("ASUM", "2"):
        value = bottom.mean_abs * number
    elif operation in ("SUMSQ", "3"):
        value = bottom.square * number
    else:
        share = 1.0 if operation in ("SUM", "1") else 1 / number
        made = normal(bottom.mean * number, bottom.variance * number, 0.0, bottom)
        return [made.times(factor * share).with_doubt(0.6)]
    made = constant(value * factor)
    return [replace(made, doubt=bottom.doubt + 0.6 / number + 0.05, sized=bottom.sized)]
