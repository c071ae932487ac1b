"""Losses, softmax, and metrics."""

from __future__ import annotations

from math import exp, log, sqrt

from caffefix._startup.records import replace
from caffefix.caffe.fillers import count
from caffefix.caffe.layers.moments.base import Place, Stop
from caffefix.caffe.layers.moments.signal import Signal, constant


def softmax(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """Shares that add up to one, over the channels."""
    classes = place.channels
    wide = bottoms[0].variance
    # Σp² of a log-normal mixture, at most one
    square = min(1.0, exp(min(wide, 50.0)) / classes) / classes
    made = Signal(1 / classes, max(square, 1 / classes**2), 1 / classes, 1 / classes**2, bottoms[0].length)
    return [made]


def softmax_loss(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """ln C for small logits; the largest logit dominates when they are large (random energy model)."""
    shape = place.bottoms[0]
    axis = place.fields("softmax_param").integer("axis", 1) or 1
    classes = shape[axis] if shape is not None and len(shape) > axis else None
    if not classes:
        raise Stop("the number of classes is not known")
    var = bottoms[0].variance
    deviation = sqrt(var)
    critical = sqrt(2 * log(classes)) if classes > 1 else 1.0
    level = log(classes) + var / 2 if deviation < critical else deviation * critical
    # The labels' own logits, averaged over two items and all places, add to it or subtract from it.
    places = count(shape[axis + 1 :]) if shape is not None else 1
    swing = deviation / sqrt(2 * (places or 1)) / max(level, 1e-9)
    growth = min(1.0, var / 2 / max(level, 1e-9))
    doubt = (min(1.0, swing) / 1.3) ** 2 + bottoms[0].doubt * growth**2
    value = min(level, 87.3365)
    made = replace(constant(value), doubt=doubt + 1e-6, sized=bottoms[0].sized or var == 0)
    return [made, *softmax(place, bottoms)][: max(1, len(place.layer.tops))]


def labelled(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """A loss whose size depends on the labels' values."""
    raise Stop("this loss depends on the values of the labels")


def metric(place: Place, bottoms: list[Signal]) -> list[Signal]:
    """A metric that counts hits."""
    raise Stop("a metric, which depends on the labels")
