"""Layers that rearrange, repeat or drop axes."""

from __future__ import annotations

from caffefix.caffe.fillers import Dim, Shape, count
from caffefix.caffe.layers.shapes.base import (
    Mismatch,
    Outcome,
    Site,
    canonical_axis,
    require,
    times,
)


def flatten(site: Site) -> Outcome:
    """Axes from ``axis`` to ``end_axis`` become one."""
    param, bottom = site.fields("flatten_param"), site.bottom
    if bottom is None:
        return Outcome((None,))
    first = canonical_axis(param.integer("axis", 1), len(bottom), bottom)
    last = canonical_axis(param.integer("end_axis", -1), len(bottom), bottom)
    if first is None or last is None:
        return Outcome((None,))
    return Outcome(((*bottom[:first], times(*bottom[first : last + 1]), *bottom[last + 1 :]),))


def reshape(site: Site) -> Outcome:
    """0 copies an axis, −1 is inferred, the rest is given (reshape_layer.cpp)."""
    param, bottom = site.fields("reshape_param"), site.bottom
    dims = (param.shapes("shape") or [()])[0] or ()
    if dims.count(-1) > 1:
        message = "new shape contains multiple -1 dims; at most a single (1) value of -1 may be specified"
        require("inferred_axis_ == -1", dims.index(-1), -1, message)
    axis, extent = param.integer("axis", 0), param.integer("num_axes", -1)
    if bottom is None:
        whole = axis == 0 and extent == -1
        return Outcome((tuple(d if d is not None and d > 0 else None for d in dims) if whole else None,))
    if axis is None or extent is None:
        return Outcome((None,))
    start = axis if axis >= 0 else len(bottom) + axis + 1
    end = len(bottom) if extent == -1 else start + extent
    require("start_axis >= 0", start, 0, f"axis {axis} out of range")
    message = f"axis {axis} out of range for {len(bottom)}-D input blob"
    require("start_axis <= bottom[0]->num_axes()", start, len(bottom), message)
    require("end_axis <= bottom[0]->num_axes()", end, len(bottom), "end_axis = axis + num_axes is out of range")
    return Outcome((_reshaped(bottom, dims, start, end),))


def _reshaped(bottom: tuple[Dim, ...], dims: tuple[Dim, ...], start: int, end: int) -> Shape:
    """The axes from start to end, replaced; axes that are copied cancel, known or not."""
    middle = list(dims)
    copied = set()
    for i, dim in enumerate(dims):
        if dim == 0:
            message = "new shape contains a 0, but there was no corresponding bottom axis to copy"
            condition = "bottom[0]->num_axes() > start_axis + copy_axis_index"
            require(condition, len(bottom), start + i, message)
            middle[i] = bottom[start + i]
            if start + i < end:
                copied.add(start + i)
    rest = count(tuple(old for axis, old in enumerate(bottom[start:end], start) if axis not in copied))
    given = count(tuple(new for i, new in enumerate(middle) if new != -1 and start + i not in copied))
    if -1 not in dims:
        if rest is not None and given is not None and rest != given:
            total, made = count(bottom), count((*bottom[:start], *middle, *bottom[end:]))
            message = "output count must match input count"
            require("top[0]->count() == bottom[0]->count()", made, total, message)
    else:
        middle[dims.index(-1)] = rest // given if rest is not None and given else None
        if rest is not None and given and rest % given:
            raise Mismatch(
                f"Check failed: 0 == bottom[0]->count() % explicit_count {_indivisible(bottom, rest, given)}"
            )
    return (*bottom[:start], *middle, *bottom[end:])


def _indivisible(bottom: tuple[Dim, ...], rest: int, given: int) -> str:
    """Caffe's words, with the counts where they are known."""
    total = count(bottom)
    if total is None:
        return f"bottom count must be divisible by the product of the specified dimensions ({given})"
    explicit = total // rest * given
    text = f"bottom count ({total}) must be divisible by the product of the specified dimensions ({explicit})"
    return f"(0 vs. {total % explicit}) {text}"


def tile(site: Site) -> Outcome:
    """One axis, repeated."""
    param, bottom = site.fields("tile_param"), site.bottom
    axis = None if bottom is None else canonical_axis(param.integer("axis", 1), len(bottom), bottom)
    if bottom is None or axis is None:
        return Outcome((None,))
    return Outcome(((*bottom[:axis], times(bottom[axis], param.integer("tiles", None)), *bottom[axis + 1 :]),))


def reduction(site: Site) -> Outcome:
    """Axes from ``axis`` on are removed."""
    param, bottom = site.fields("reduction_param"), site.bottom
    axis = None if bottom is None else canonical_axis(param.integer("axis", 0), len(bottom), bottom)
    return Outcome((None if bottom is None or axis is None else bottom[:axis],))


def arg_max(site: Site) -> Outcome:
    """Indices, or pairs of index and value; at least three axes (argmax_layer.cpp)."""
    param, bottom = site.fields("argmax_param"), site.bottom
    top_k = param.integer("top_k", 1)
    if bottom is None:
        return Outcome((None,))
    if param.has("axis"):
        axis = canonical_axis(param.integer("axis", 0), len(bottom), bottom)
        return Outcome((None if axis is None else (*bottom[:axis], top_k, *bottom[axis + 1 :]),))
    pairs = 2 if param.flag("out_max_val", False) else 1
    return Outcome(((bottom[0], pairs, top_k, *(1,) * (len(bottom) - 3)),)) if bottom else Outcome((None,))


def permute(site: Site) -> Outcome:
    """SSD: the named axes come first, the others follow in order."""
    bottom = site.bottom
    order = site.fields("permute_param").integers("order")
    if bottom is None or any(axis is None or not 0 <= axis < len(bottom) for axis in order):
        return Outcome((None,))
    full = [*order, *(axis for axis in range(len(bottom)) if axis not in order)]
    return Outcome((tuple(bottom[axis] for axis in full if axis is not None),))
