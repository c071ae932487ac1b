"""Layers whose top has the shape of their bottom."""

from __future__ import annotations

from caffefix.caffe.fillers import Dim, FillerSpec, Shape
from caffefix.caffe.layers.shapes.base import (
    FOUR_AXES,
    Fields,
    Outcome,
    ParamBlob,
    Site,
    canonical_axis,
    require,
    same,
)

ONE = FillerSpec(value=1.0)


def lrn(site: Site) -> Outcome:
    """Across channels, only odd windows are allowed."""
    param = site.fields("lrn_param")
    size = param.integer("local_size", 5)
    if size is not None:
        require("size_ % 2 == 1", size % 2, 1, "LRN only supports odd values for local_size")
    if site.bottom is not None:
        require("4 == bottom[0]->num_axes()", 4, len(site.bottom), FOUR_AXES)
    return same(site)


def prelu(site: Site) -> Outcome:
    """A slope for each channel, or one for all."""
    param = site.fields("prelu_param")
    shape: Shape = ()
    if site.bottom is not None:
        message = "Number of axes of bottom blob must be >=2."
        require("bottom[0]->num_axes() >= 2", len(site.bottom), 2, message)
    if not param.flag("channel_shared", False):
        shape = (None if site.bottom is None else site.bottom[1],)
    slope = ParamBlob("slope", shape, param.filler("filler", FillerSpec(value=0.25)))
    return Outcome((site.bottom,), (slope,))


def batch_norm(site: Site) -> Outcome:
    """BVLC's three statistics; forks with more fields have more blobs."""
    if not site.layer.is_bvlc_batch_norm:
        return Outcome((site.bottom,), None)
    channels: Dim = None
    if site.bottom is not None:
        channels = 1 if len(site.bottom) == 1 else site.bottom[1] if len(site.bottom) > 1 else None
    blobs = [ParamBlob("statistics", shape) for shape in ((channels,), (channels,), (1,))]
    return Outcome((site.bottom,), tuple(blobs))


def scale(site: Site) -> Outcome:
    """gamma (and beta) over some axes; with two bottoms the second is gamma."""
    param = site.fields("scale_param")
    shape = _operand(site, param, "scale")
    bias = (ParamBlob("bias", shape, param.filler("bias_filler")),) if param.flag("bias_term", False) else ()
    if len(site.bottoms) > 1:
        return Outcome((site.bottom,), bias)
    return Outcome((site.bottom,), (ParamBlob("scale", shape, param.filler("filler", ONE)), *bias))


def bias(site: Site) -> Outcome:
    """An offset over some axes; with two bottoms the second is the offset."""
    param = site.fields("bias_param")
    shape = _operand(site, param, "bias")
    if len(site.bottoms) > 1:
        return Outcome((site.bottom,))
    return Outcome((site.bottom,), (ParamBlob("bias", shape, param.filler("filler")),))


def _operand(site: Site, param: Fields, kind: str) -> Shape:
    """Shape of the factor or offset: a range of the bottom's axes."""
    bottom = site.bottom
    other = site.bottoms[1] if len(site.bottoms) > 1 else None
    if bottom is None:
        return other
    if len(site.bottoms) > 1:
        if other is None:
            return None
        axis = 0 if not other else canonical_axis(param.integer("axis", 1), len(bottom), bottom)
        extent: Dim = len(other)
    else:
        extent = param.integer("num_axes", 1)
        axis = canonical_axis(param.integer("axis", 1), len(bottom), bottom)
        if extent is not None:
            message = "num_axes must be non-negative, or -1 to extend to the end of bottom[0]"
            require("num_axes >= -1", extent, -1, message)
            extent = len(bottom) - (axis or 0) if extent == -1 else extent
    if axis is None or extent is None:
        return None
    tail = f"{kind} blob's shape extends past bottom[0]'s shape when applied starting with bottom[0] axis = {axis}"
    require("bottom[0]->num_axes() >= axis_ + num_axes", len(bottom), axis + extent, tail)
    taken = bottom[axis : axis + extent]
    for i, (a, b) in enumerate(zip(taken, other or (), strict=False)):
        message = f"dimension mismatch between bottom[0]->shape({axis + i}) and {kind}->shape({i})"
        require(f"bottom[0]->shape(axis_ + i) == {kind}->shape(i)", a, b, message)
    return taken


def softmax(site: Site) -> Outcome:
    """Over one axis, which must exist."""
    if site.bottom is not None:
        canonical_axis(site.fields("softmax_param").integer("axis", 1), len(site.bottom), site.bottom)
    return same(site)


def normalize(site: Site) -> Outcome:
    """SSD, normalize_layer.cpp: L2 over channels, and a learned scale."""
    param = site.fields("norm_param")
    channels = site.bottom[1] if site.bottom is not None and len(site.bottom) > 1 else None
    shape: Shape = () if param.flag("channel_shared", True) else (channels,)
    return Outcome((site.bottom,), (ParamBlob("scale", shape, param.filler("scale_filler", ONE)),))
