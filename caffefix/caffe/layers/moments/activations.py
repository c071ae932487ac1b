"""Functions of each value."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, log

from caffefix._startup.records import replace
from caffefix.caffe.fillers import Moments
from caffefix.caffe.layers.moments import gauss
from caffefix.caffe.layers.moments.base import Place, Rule, Stop, few, shifted
from caffefix.caffe.layers.moments.signal import Signal, rectified, scaled_to
from caffefix.caffe.net import Phase


def relu(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """max(x, 0), or a slope below."""
    bottom = bottoms[0]
    slope = place.layer.number("relu_param", "negative_slope", 0.0)
    if slope:
        return [mapped(bottom, lambda x: x if x > 0 else slope * x)]
    if bottom.positive:
        return [bottom]
    made = rectified(*bottom.normal, bottom)
    if bottom.latent is None:  # E max(x, 0) is known whatever the distribution
        made = replace(
            scaled_to(made, (bottom.mean_abs + bottom.mean) / 2), latent=None, rectified=False, scale=1.0
        )
    # Which channels pass is a separate draw. Far below zero, what is left depends on the tail.
    kept = made.mean_abs / bottom.mean_abs if bottom.mean_abs else 1.0
    tail = 0.0002 if kept > 0.3 else 0.05 if kept > 0.02 else 1.0
    return [made.with_doubt(tail + (2 * few(place, bottom) if kept < 0.9 else 0.0))]


def prelu(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """A slope below zero, as its filler made it."""
    slope = place.filled(0).mean
    return [mapped(bottoms[0], lambda x: x if x > 0 else slope * x)]


def elu(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """x, or alpha · (e^x − 1) below zero."""
    alpha = place.layer.number("elu_param", "alpha", 1.0)
    return [mapped(bottoms[0], lambda x: x if x > 0 else alpha * (exp(x) - 1))]


def mapped(bottom: Signal, function: Callable[[float], float]) -> Signal:
    """f(x) of a normal x, place by place."""
    mean, var, cov = bottom.normal
    average = gauss.expect(function, mean, var)
    square = gauss.expect(lambda z: function(z) ** 2, mean, var)
    size = gauss.expect(lambda z: abs(function(z)), mean, var)
    common = gauss.expect(lambda a: gauss.expect(function, a, var - cov) ** 2, mean, cov)
    made = Signal(
        mean=average,
        square=square,
        mean_abs=size,
        common=min(common, square),
        length=bottom.length,
        doubt=bottom.doubt,
        sized=bottom.sized,
    )
    return made.with_doubt(0.0005)


def pointwise(function: Callable[[float], float], bounded: bool = False) -> Rule:
    """A rule for a function of each value; bounded functions hardly depend on the size of the input."""

    def rule(place: Place, bottoms: list[Signal]) -> list[Signal]:
        made = mapped(bottoms[0], function)
        if bounded and made.mean_abs:
            # how the answer changes if the input is a tenth larger
            moved = mapped(bottoms[0].times(1.1), function).mean_abs
            slope = log(moved / made.mean_abs) / log(1.1)
            made = replace(made, doubt=bottoms[0].doubt * slope**2 + 0.0005)
        return [made]

    return rule


def power(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """(shift + scale · x)^power."""
    shift, factor, exponent = (
        place.layer.number("power_param", name, default)
        for name, default in (("shift", 0.0), ("scale", 1.0), ("power", 1.0))
    )
    if exponent == 1:
        return [shifted(bottoms[0].times(factor), Moments(shift, shift * shift, abs(shift)))]
    if exponent != int(exponent) or exponent < 0:
        raise Stop("a power that is not an integer")
    return [mapped(bottoms[0], lambda x: (shift + factor * x) ** int(exponent)).with_doubt(0.1)]


def exponential(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """base^(shift + scale · x); the base is e where it is -1."""
    base, factor, shift = (
        place.layer.number("exp_param", name, default)
        for name, default in (("base", -1.0), ("scale", 1.0), ("shift", 0.0))
    )
    if base <= 0 and base != -1:
        raise Stop("a base that is not positive, on which Caffe aborts")
    grown = 1.0 if base == -1 else log(base)
    try:
        return [mapped(bottoms[0], lambda x: exp(grown * (shift + factor * x))).with_doubt(0.1)]
    except OverflowError:
        raise Stop("an exponential that overflows") from None


def clip(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """x between two bounds."""
    low, high = (place.layer.number("clip_param", name, 0.0) for name in ("min", "max"))
    return [mapped(bottoms[0], lambda x: max(low, min(x, high)))]


def dropout(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """In TRAIN some values are dropped and the others scaled up."""
    if place.phase is Phase.TEST:
        return [bottoms[0]]
    kept = 1 - place.layer.number("dropout_param", "dropout_ratio", 0.5)
    if kept <= 0:
        raise Stop("everything is dropped")
    bottom = bottoms[0]
    made = replace(bottom, square=bottom.square / kept, latent=None, rectified=False, scale=1.0)
    return [made.with_doubt((1 - kept) / kept * few(place, bottom) * 2)]
