"""Layers that set or shift the size of a signal."""

from __future__ import annotations

from math import exp, log, sqrt

from caffefix._startup.records import replace
from caffefix.caffe.layers.moments import gauss
from caffefix.caffe.layers.moments.base import Place, Stop, shifted
from caffefix.caffe.layers.moments.joins import product, weighted_sum
from caffefix.caffe.layers.moments.signal import Signal, constant, normal
from caffefix.caffe.net import Phase


def batch_norm(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """In TRAIN each channel gets mean 0 and variance 1; untrained statistics divide by √eps."""
    if not place.layer.is_bvlc_batch_norm:
        raise Stop("a fork's BatchNorm")
    bottom = bottoms[0]
    eps = place.layer.number("batch_norm_param", "eps", 1e-5)
    if place.layer.flag("batch_norm_param", "use_global_stats", place.phase is Phase.TEST):
        return [bottom.times(1 / sqrt(eps))]
    return [normalised(place, bottom, eps)]


def normalised(place: Place, bottom: Signal, eps: float) -> Signal:
    """Each channel with mean 0 and variance 1, by its own statistics."""
    inside = max(0.0, bottom.square - bottom.common)
    if bottom.square > 0 and inside < 1e-9 * bottom.square:
        raise Stop("BatchNorm of a nearly constant blob")
    square = inside / (inside + eps)
    made = normal(0.0, square, 0.0, bottom)
    firm = inside > 1e3 * eps
    samples = max(2.0, place.places / bottom.length**2)
    # two values become exactly ±1
    size = made.mean_abs * (1 + (sqrt(1.5707963) - 1) * (2 / samples))
    doubt = 0.002 if firm else bottom.doubt + 0.01
    skew = 0.004 if bottom.latent is None or bottom.rectified else 0.0
    return replace(made, mean_abs=size, doubt=doubt + skew + 0.02 / samples, sized=bottom.sized or firm)


def scale(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """gamma · x + beta; with two bottoms, their product."""
    if len(bottoms) > 1:
        made = product(bottoms)
        offset = place.filled(0) if place.params else None
    else:
        gamma = place.filled(0)
        made = bottoms[0]
        if gamma.square == gamma.mean**2:
            made = made.times(gamma.mean)
        else:
            made = product([made, normal(gamma.mean, gamma.square - gamma.mean**2, 0.0, constant(0.0))])
        offset = place.filled(1) if len(place.params) > 1 else None
    return [made if offset is None else shifted(made, offset)]


def bias(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """x + b."""
    if len(bottoms) > 1:
        return [weighted_sum(bottoms, [1.0, 1.0])]
    return [shifted(bottoms[0], place.filled(0))]


def mvn(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """Each item's channel to mean 0, and variance 1 unless told otherwise."""
    inside = max(0.0, bottoms[0].square - bottoms[0].common)
    if inside <= 0:
        raise Stop("normalisation of a nearly constant blob")
    keeps = not place.layer.flag("mvn_param", "normalize_variance", True)
    made = normal(0.0, inside if keeps else 1.0, 0.0, bottoms[0])
    return [made.with_doubt(0.02) if keeps else replace(made, doubt=0.01, sized=True)]


def normalize(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """SSD: L2 over channels, times a scale."""
    factor = place.filled(0).mean / sqrt(place.channels)
    made = bottoms[0].times(factor / sqrt(bottoms[0].square)) if bottoms[0].square else bottoms[0]
    return [replace(made, doubt=0.02, sized=True)]


def lrn(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """x · (k + alpha/n Σx²)^−beta: about the mean square, and its own square a second time."""
    bottom = bottoms[0]
    size = place.layer.number("lrn_param", "local_size", 5)
    alpha, beta, k = (place.layer.number("lrn_param", n, d) for n, d in (("alpha", 1), ("beta", 0.75), ("k", 1)))
    within = place.layer.word("lrn_param", "norm_region", "ACROSS_CHANNELS") in ("WITHIN_CHANNEL", "1")
    share = 1.0 if within else _window_share(place.channels, int(size))
    others, own = share - 1 / size, bottom.square * (2 if bottom.rectified else 1)
    crowd = alpha * share * bottom.square

    def damped(z: float) -> float:
        crowded: float = max(1e-9, k + alpha * (others * bottom.square + z * z * own / size))
        return abs(z) * exp(-beta * log(crowded))

    factor = gauss.expect(damped, 0.0, 1.0) / gauss.mean_abs(0.0, 1.0)
    # Where the sum dominates, an outlier damps itself.
    ruled = crowd / (k + crowd) if k + crowd > 0 else 0.0
    made = bottom.times(factor)
    doubt = bottom.doubt * (1 - 2 * beta * ruled) ** 2 + 0.03 * ruled**2 + 0.0001
    return [replace(made, doubt=doubt)]


def _window_share(channels: int, size: int) -> float:
    """Average number of channels in a window: it is cut at the ends."""
    half = size // 2
    inside = sum(min(c + half, channels - 1) - max(c - half, 0) + 1 for c in range(channels))
    return inside / (channels * size)
