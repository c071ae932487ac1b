"""Losses and metrics: tops are scalars, and labels must fit predictions."""

from __future__ import annotations

from caffefix.caffe.fillers import Dim, Shape, count
from caffefix.caffe.layers.shapes.base import (
    Outcome,
    Site,
    canonical_axis,
    require,
    text_of,
    times,
)

SCALAR: Shape = ()


def _pair(site: Site) -> tuple[Shape, Shape]:
    return site.bottom, site.bottoms[1] if len(site.bottoms) > 1 else None


def _first_axes(site: Site) -> None:
    """``LossLayer::Reshape``: as many labels as data items."""
    data, label = _pair(site)
    if data and label:
        shapes = f"Data shape is: {text_of(data)}; label shape is: {text_of(label)}".replace("None", "?")
        message = f"The data and label should have the same first dimension.  {shapes}"
        require("bottom[0]->shape(0) == bottom[1]->shape(0)", data[0], label[0], message)


def labels_expected(data: Shape, axis: Dim) -> Dim:
    """How many labels a prediction of that shape needs: all axes except that of the classes."""
    if data is None:
        return None
    classes = canonical_axis(axis, len(data), data)
    return None if classes is None else times(*data[:classes], *data[classes + 1 :])


def softmax_loss(site: Site) -> Outcome:
    """A label for each place; a second top is the softmax."""
    data, label = _pair(site)
    _first_axes(site)
    axis = site.fields("softmax_param").integer("axis", 1)
    wanted, given = labels_expected(data, axis), count(label)
    message = (
        "Number of labels must match number of predictions; e.g., if softmax axis == 1 and prediction shape is "
        "(N, C, H, W), label count (number of labels) must be N*H*W, with integer values in {0, 1, ..., C-1}."
    )
    require("outer_num_ * inner_num_ == bottom[1]->count()", wanted, given, message)
    return Outcome((SCALAR, data)[: len(site.layer.tops)])


def accuracy(site: Site) -> Outcome:
    """A label for each place, and no more guesses than classes."""
    data, label = _pair(site)
    param = site.fields("accuracy_param")
    axis, top_k = param.integer("axis", 1), param.integer("top_k", 1)
    total, labels = count(data), count(label)
    if total is not None and labels and top_k is not None:
        message = "top_k must be less than or equal to the number of classes."
        require("top_k_ <= bottom[0]->count() / bottom[1]->count()", top_k, total // labels, message)
    message = (
        "Number of labels must match number of predictions; e.g., if label axis == 1 and prediction shape is "
        "(N, C, H, W), label count (number of labels) must be N*H*W, with integer values in {0, 1, ..., C-1}."
    )
    require("outer_num_ * inner_num_ == bottom[1]->count()", labels_expected(data, axis), labels, message)
    classes = canonical_axis(axis, len(data), data) if data is not None else None
    per_class: Shape = (data[classes],) if data is not None and classes is not None else None
    return Outcome((SCALAR, per_class)[: len(site.layer.tops)])


def euclidean(site: Site) -> Outcome:
    """Items of one size."""
    _first_axes(site)
    data, label = _pair(site)
    if data and label:
        message = "Inputs must have the same dimension."
        require("bottom[0]->count(1) == bottom[1]->count(1)", count(data[1:]), count(label[1:]), message)
    return Outcome((SCALAR,))


def sigmoid_cross_entropy(site: Site) -> Outcome:
    """A target for each number."""
    _first_axes(site)
    data, label = _pair(site)
    message = "SIGMOID_CROSS_ENTROPY_LOSS layer inputs must have the same count."
    require("bottom[0]->count() == bottom[1]->count()", count(data), count(label), message)
    return Outcome((SCALAR,))


def contrastive(site: Site) -> Outcome:
    """Pairs of as many channels."""
    _first_axes(site)
    data, other = _pair(site)
    if data is not None and other is not None and len(data) == len(other) > 1:
        require("bottom[0]->channels() == bottom[1]->channels()", data[1], other[1])
    return Outcome((SCALAR,))


def plain(site: Site) -> Outcome:
    """A loss for which only the first axes are compared."""
    _first_axes(site)
    return Outcome((SCALAR,))


def infogain(site: Site) -> Outcome:
    """A second top is the softmax."""
    _first_axes(site)
    return Outcome((SCALAR, site.bottom)[: len(site.layer.tops)])


def scalar(site: Site) -> Outcome:
    """Losses of forks: the first top is the loss, nothing else is known."""
    return Outcome((SCALAR,))
