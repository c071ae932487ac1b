"""Layers of forks whose effect on the size of a signal follows from their C++, and those that stop prediction."""

from __future__ import annotations

from caffefix._startup.records import replace
from caffefix.caffe.layers.moments.base import Place, Stop, shifted
from caffefix.caffe.layers.moments.joins import product, weighted_sum
from caffefix.caffe.layers.moments.norms import normalised
from caffefix.caffe.layers.moments.signal import Signal, normal
from caffefix.caffe.net import Phase


def bn(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """SegNet's and PSPNet's bn_layer.cpp, in TRAIN: normalised, then scaled and shifted as their fillers say."""
    param = place.fields("bn_param")
    if place.phase is Phase.TEST or param.flag("frozen", False):
        raise Stop("BN with statistics that come with the weights")
    if not param.has("scale_filler", "slope_filler") or len(place.params) < 2:
        raise Stop("BN of an unknown fork")
    gamma = place.filled(0)
    if gamma.square != gamma.mean**2:
        raise Stop("BN that is scaled randomly")
    eps = place.layer.number("bn_param", "eps", 1e-5)
    return [shifted(normalised(place, bottoms[0], eps).times(gamma.mean), place.filled(1))]


def resized(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """Bilinear interpolation to a larger map, where each new place is a mean of old ones."""
    bottom, old, new = bottoms[0], place.bottoms[0], place.tops[0]
    if old is None or new is None or len(old) != 4 or len(new) != 4:
        raise Stop("the factor by which it is resized is not known")
    kept = zoom = 1.0
    for before, after in zip(old[2:], new[2:], strict=True):
        if not before or not after:
            raise Stop("the factor by which it is resized is not known")
        if after > before > 1:
            kept *= 2 / 3 + max(0.0, 1 - 1 / bottom.length) / 3  # E[(1 − t)² + t² + 2 t (1 − t) ρ]
        zoom = max(zoom, after / before)
    mean, var, cov = bottom.normal
    made = normal(mean, cov + max(0.0, var - cov) * kept, cov, bottom)
    if bottom.positive:
        made = replace(made, mean_abs=mean, latent=None)
    return [replace(made, length=bottom.length * zoom).with_doubt(0.01)]


def axpy(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """SENet, axpy_layer.cpp: a · x + y."""
    if len(bottoms) != 3:
        raise Stop("Axpy needs three bottoms")
    return [weighted_sum([product(bottoms[:2]), bottoms[2]], [1.0, 1.0])]


def silence(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """There are no tops."""
    return []


def regions(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """What is pooled, or kept, depends on the regions."""
    raise Stop("this layer depends on the regions that it is given")
