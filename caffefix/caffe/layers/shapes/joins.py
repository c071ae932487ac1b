"""Layers that join or split blobs: concat, slice, eltwise, crop and similar."""

from __future__ import annotations

from itertools import pairwise

from caffefix.caffe.fillers import Dim, Shape
from caffefix.caffe.layers.shapes.base import (
    Fields,
    Outcome,
    Site,
    canonical_axis,
    check,
    merged,
    plus,
    require,
    text_of,
)


def _axis(param: Fields, legacy: str, shape: tuple[Dim, ...]) -> int | None:
    """``axis``, or the field that it replaced."""
    if param.has(legacy):
        return param.integer(legacy, 1)
    return canonical_axis(param.integer("axis", 1), len(shape), shape)


def concat(site: Site) -> Outcome:
    """Axes must agree except for the one along which blobs are concatenated."""
    known = [shape for shape in site.bottoms if shape is not None]
    if not known:
        return Outcome((None,))
    axis = _axis(site.fields("concat_param"), "concat_dim", known[0])
    if axis is None or axis >= len(known[0]):
        return Outcome((None,))
    rest = known[0]
    for shape in known[1:]:
        require("num_axes == bottom[i]->num_axes()", len(rest), len(shape), "All inputs must have the same #axes.")
        for j, (a, b) in enumerate(zip(rest, shape, strict=True)):
            if j != axis:
                message = "All inputs must have the same shape, except at concat_axis."
                require("top_shape[j] == bottom[i]->shape(j)", a, b, message)
        merge = merged(rest, shape)
        assert merge is not None
        rest = merge
    total = plus(*(shape[axis] if shape is not None else None for shape in site.bottoms))
    return Outcome(((*rest[:axis], total, *rest[axis + 1 :]),))


def slice_layer(site: Site) -> Outcome:
    """Cut at points, or into equal parts."""
    param, bottom, tops = site.fields("slice_param"), site.bottom, len(site.layer.tops)
    axis = None if bottom is None else _axis(param, "slice_dim", bottom)
    if bottom is None or axis is None or axis >= len(bottom):
        return Outcome((None,) * tops)
    size = bottom[axis]
    sizes: list[Dim]
    points = param.integers("slice_point")
    if points:
        sizes = _cuts(points, size, tops)
    else:
        if size is not None and tops:
            message = f"Number of top blobs ({tops}) should evenly divide input slice axis ({size})"
            require("bottom_slice_axis % top.size() == 0", size % tops, 0, message)
        sizes = [size // tops if size is not None else None] * tops
    return Outcome(tuple((*bottom[:axis], part, *bottom[axis + 1 :]) for part in sizes))


def _cuts(points: list[Dim], size: Dim, tops: int) -> list[Dim]:
    require("slice_point_.size() == top.size() - 1", len(points), tops - 1)
    if size is not None:
        require("top.size() <= bottom_slice_axis", tops, size)
    edges: list[Dim] = [0, *points]
    for a, b in pairwise(edges):
        if a is not None and b is not None:
            require("slice_point_[i] > prev", b, a)
    last = edges[-1]
    if size is not None and last is not None:
        require("shape[i] >= 0", size - last, 0)
    parts = [b - a if a is not None and b is not None else None for a, b in pairwise(edges)]
    return [*parts, size - last if size is not None and last is not None else None]


def eltwise(site: Site) -> Outcome:
    """All of one shape."""
    param = site.fields("eltwise_param")
    shape: Shape = None
    for i, other in enumerate(site.bottoms):
        if shape is not None and other is not None:
            check(_agree(shape, other), _unequal(shape, other, i))
        shape = merged(shape, other)
    coefficients = len(param.integers("coeff"))
    given = "this->layer_param().eltwise_param().coeff_size()"
    condition = f"{given} == 0 || {given} == bottom.size()"
    holds = coefficients in (0, len(site.bottoms))
    check(holds, f"{condition} Eltwise Layer takes one coefficient per bottom blob.")
    return Outcome((shape,))


def _agree(a: tuple[Dim, ...], b: tuple[Dim, ...]) -> bool:
    return len(a) == len(b) and all(x == y or x is None or y is None for x, y in zip(a, b, strict=True))


def _unequal(first: tuple[Dim, ...], other: tuple[Dim, ...], i: int) -> str:
    """Caffe's words; unknown axes are shown as ``?``."""
    shown = [text_of(shape).replace("None", "?") for shape in (first, other)]
    return f"bottom[0]->shape() == bottom[i]->shape() bottom[0]: {shown[0]}, bottom[{i}]: {shown[1]}"


def crop(site: Site) -> Outcome:
    """The first bottom, cut to the size of the second from ``axis`` on."""
    if len(site.bottoms) != 2:
        require("bottom.size() == 2", len(site.bottoms), 2, "Wrong number of bottom blobs.")
    param = site.fields("crop_param")
    bottom, like = site.bottoms
    if bottom is None:
        return Outcome((None,))
    axis = canonical_axis(param.integer("axis", 2), len(bottom), bottom)
    if axis is None:
        return Outcome((None,))
    offsets = param.integers("offset")
    if len(offsets) > 1:
        message = "number of offset values specified must be equal to the number of dimensions following axis."
        require("offset_size() + axis_ == num_dims", len(offsets) + axis, len(bottom), message)
    top = list(bottom)
    for i in range(axis, len(bottom)):
        offset = 0 if not offsets else offsets[i - axis] if len(offsets) > 1 else offsets[0]
        top[i] = like[i] if like is not None and i < len(like) else None
        _check_crop(i, bottom[i], top[i], offset)
    return Outcome((tuple(top),))


def _check_crop(i: int, old: Dim, new: Dim, offset: Dim) -> None:
    if old is not None and new is not None and offset is not None:
        message = f"the crop for dimension {i} is out-of-bounds with size {new} and offset {offset}"
        require("bottom[0]->shape(i) - crop_offset >= bottom[1]->shape(i)", old - offset, new, message)


def batch_reindex(site: Site) -> Outcome:
    """Items in a different order, as many as the second bottom lists."""
    if len(site.bottoms) < 2 or site.bottoms[0] is None or site.bottoms[1] is None:
        return Outcome((None,))
    data, order = site.bottoms[0], site.bottoms[1]
    require("1 == bottom[1]->num_axes()", 1, len(order))
    return Outcome(((*order, *data[1:]),))


def filter_layer(site: Site) -> Outcome:
    """How many items pass depends on the data."""
    return Outcome(tuple(None if shape is None else (None, *shape[1:]) for shape in site.bottoms[:-1]))
