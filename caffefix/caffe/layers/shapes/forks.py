"""Layers of forks that many nets use: detection (SSD, R-CNN) and segmentation (PSPNet, SegNet)."""

from __future__ import annotations

from caffefix.caffe.fillers import Dim, FillerSpec, Shape
from caffefix.caffe.layers.shapes.base import Fields, Outcome, ParamBlob, Site, check, plus, require, times
from caffefix.syntax.scalars import number_value


def _images(shape: Shape) -> tuple[Dim, Dim, Dim, Dim] | None:
    return (shape[0], shape[1], shape[2], shape[3]) if shape is not None and len(shape) == 4 else None


def prior_box(site: Site) -> Outcome:
    """SSD, prior_box_layer.cpp: 1 × 2 × 4·boxes, boxes at each place of the map."""
    images = _images(site.bottom)
    priors = _priors(site.fields("prior_box_param"))
    if images is None:
        return Outcome(((1, 2, None),))
    return Outcome(((1, 2, times(images[2], images[3], priors, 4)),))


def _priors(param: Fields) -> int:
    """Boxes at a place: each size with each ratio, and one for each max_size."""
    ratios = [1.0]
    flip = param.flag("flip", True)
    for text in param.node.scalars("aspect_ratio") if param.node is not None else ():
        ratio = number_value(text)
        if not ratio or any(abs(ratio - old) < 1e-6 for old in ratios):
            continue
        ratios.append(ratio)
        if flip:
            ratios.append(1 / ratio)
    sizes = len(param.node.scalars("min_size")) if param.node is not None else 0
    larger = len(param.node.scalars("max_size")) if param.node is not None else 0
    return len(ratios) * max(sizes, 0) + larger


def detection_output(site: Site) -> Outcome:
    """SSD: how many boxes are found depends on the data."""
    return Outcome(((1, 1, None, 7),))


def roi_pooling(site: Site) -> Outcome:
    """Fast R-CNN: each region of interest, pooled to one size."""
    param, images = site.fields("roi_pooling_param"), _images(site.bottom)
    regions = site.bottoms[1] if len(site.bottoms) > 1 else None
    channels = images[1] if images is not None else None
    size = (param.integer("pooled_h", None), param.integer("pooled_w", None))
    return Outcome(((regions[0] if regions else None, channels, *size),))


def psroi_pooling(site: Site) -> Outcome:
    """R-FCN, psroi_pooling_layer.cpp: each bin of a region has channels of its own."""
    param, images = site.fields("psroi_pooling_param"), _images(site.bottom)
    regions = site.bottoms[1] if len(site.bottoms) > 1 else None
    group = param.integer("group_size", None)
    if images is not None:
        wanted = times(param.integer("output_dim", None), group, group)
        message = "input channel number does not match layer parameters"
        require("channels_ == output_dim_*group_size_*group_size_", images[1], wanted, message)
    return Outcome(((regions[0] if regions else None, param.integer("output_dim", None), group, group),))


def bn(site: Site) -> Outcome:
    """SegNet's scale and shift, PSPNet's slope, bias, mean and variance."""
    param, images = site.fields("bn_param"), _images(site.bottom)
    shape: Shape = (1, images[1] if images is not None else None, 1, 1)
    if param.has("scale_filler", "shift_filler"):
        scale, shift = param.filler("scale_filler"), param.filler("shift_filler")
        return Outcome((site.bottom,), (ParamBlob("scale", shape, scale), ParamBlob("bias", shape, shift)))
    if not param.has("slope_filler", "bias_filler", "frozen", "momentum"):
        return Outcome((site.bottom,), None)  # either fork's
    blobs = [
        ParamBlob("scale", shape, param.filler("slope_filler")),
        ParamBlob("bias", shape, param.filler("bias_filler")),
        ParamBlob("statistics", shape),
        ParamBlob("statistics", shape, FillerSpec(value=1.0)),
    ]
    return Outcome((site.bottom,), tuple(blobs))


def interp(site: Site) -> Outcome:
    """DeepLab and PSPNet, interp_layer.cpp: bilinear resizing; pads are negative crops."""
    param, images = site.fields("interp_param"), _images(site.bottom)
    if images is None:
        return Outcome((None,))
    if len(site.bottoms) > 1:
        like = _images(site.bottoms[1])
        return Outcome(((*images[:2], *(like[2:] if like is not None else (None, None))),))
    begin, end = param.integer("pad_beg", 0), param.integer("pad_end", 0)
    check(begin is None or begin <= 0, "pad_beg_ <= 0 Only supports non-positive padding (cropping) for now")
    sizes = [_interpolated(param, plus(size, begin, end)) for size in images[2:]]
    if not param.has("shrink_factor", "zoom_factor") and param.has("height") and param.has("width"):
        sizes = [param.integer("height", None), param.integer("width", None)]
    return Outcome(((*images[:2], *sizes),))


def _interpolated(param: Fields, size: Dim) -> Dim:
    if not param.has("shrink_factor", "zoom_factor"):
        return None
    shrink, zoom = param.integer("shrink_factor", 1), param.integer("zoom_factor", 1)
    if size is None or not shrink or not zoom:
        return None
    size = (size - 1) // shrink + 1
    return size + (size - 1) * (zoom - 1)


def upsample(site: Site) -> Outcome:
    """SegNet, upsample_layer.cpp: to a size, or by a factor."""
    param, images = site.fields("upsample_param"), _images(site.bottom)
    if images is None:
        return Outcome((None,))
    if param.has("upsample_h", "upsample_w"):
        return Outcome(((*images[:2], param.integer("upsample_h", None), param.integer("upsample_w", None)),))
    factor = param.integer("scale", 2)
    sizes = [
        plus(times(size, param.integer(f"scale_{side}", factor)), _minus(param, f"pad_out_{side}"))
        for side, size in zip("hw", images[2:], strict=True)
    ]
    return Outcome(((*images[:2], *sizes),))


def _minus(param: Fields, name: str) -> Dim:
    """SegNet subtracts one from an odd side if configured to."""
    return -1 if param.flag(name, False) else 0


def axpy(site: Site) -> Outcome:
    """SENet: scale · x + y, of y's shape."""
    return Outcome((site.bottoms[-1] if site.bottoms else None,))
