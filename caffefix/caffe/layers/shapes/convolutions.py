"""Convolutions of forks: binary weights, fused ReLU, any number of axes, and the first 1 × 1 of all (CCCP)."""

from __future__ import annotations

from caffefix.caffe.fillers import Dim, Shape
from caffefix.caffe.layers.shapes.base import Fields, Outcome, ParamBlob, Site, require, same, truncated
from caffefix.caffe.layers.shapes.windows import convolution, inner_product
from caffefix.syntax.scalars import integer_value


def shaped_as_convolution(site: Site) -> Outcome:
    """HWGQ's binary_conv_layer.cpp, SkimCaffe's conv_relu_layer.cpp: BaseConvolutionLayer's sizes.

    Other forks have layers of these names with blobs of their own: the parameters are unknown.
    """
    if site.layer.node.message("convolution_param") is None:
        return Outcome((None,) * len(site.layer.tops), None)
    return Outcome(convolution(site).tops, None)


def binary_inner_product(site: Site) -> Outcome:
    """HWGQ, binary_inner_product_layer.cpp: like InnerProduct, but ``transpose`` is not read."""
    if not site.fields("inner_product_param").integer("num_output", 0):
        return Outcome((None,), None)  # the filler aborts, with a message that depends on it
    outcome = inner_product(site)
    if not site.fields("inner_product_param").flag("transpose", False) or not outcome.params:
        return outcome
    weight, *rest = outcome.params
    shape: Shape = None if weight.shape is None else weight.shape[::-1]
    return Outcome(outcome.tops, (ParamBlob("weight", shape, weight.filler), *rest))


def quant(site: Site) -> Outcome:
    """HWGQ, quant_layer.cpp: a NeuronLayer. Other forks' Quant has no ``forward_func``."""
    return same(site) if site.fields("quant_param").has("forward_func") else Outcome((None,), None)


def cccp(site: Site) -> Outcome:
    """Network in Network, cccp_layer.cpp: a 1 × 1 convolution with a message of its own."""
    param, bottom = site.fields("cccp_param"), site.bottom
    outputs, group = param.integer("num_output", 0), param.integer("group", 1)
    require("num_output_ > 0", outputs, 0)
    images = bottom if bottom is not None and len(bottom) == 4 else (None,) * 4
    channels = images[1]
    if channels is not None and group:
        require("channels_ % group_ == 0", channels % group, 0)
    each: Dim = channels // group if channels is not None and group else None
    blobs = [ParamBlob("weight", (outputs, each, 1, 1), param.filler("weight_filler"))]
    if param.flag("bias_term", True):
        blobs.append(ParamBlob("bias", (1, outputs, 1, 1), param.filler("bias_filler")))
    return Outcome(((images[0], outputs, images[2], images[3]),), tuple(blobs))


# ---------------------------------------------------------------- any number of axes


def nd_convolution(site: Site) -> Outcome:
    """cudnn_ndconv_layer.cpp of the forks for video: sizes are shapes, and axes of one place are dropped."""
    param, bottom = site.fields("convolution_param"), site.bottom
    outputs, group = param.integer("num_output", 0), param.integer("group", 1)
    require("num_output_ > 0", outputs, 0)
    kernel = _sizes(param, "kernel_shape")
    channels = bottom[1] if bottom is not None and len(bottom) > 1 else None
    each: Dim = channels // group if channels is not None and group else None
    weight: Shape = None if kernel is None else (outputs, each, *kernel)
    blobs = [ParamBlob("weight", weight, param.filler("weight_filler"))]
    if param.flag("bias_term", True):
        blobs.append(ParamBlob("bias", (outputs,), param.filler("bias_filler")))
    spatial = _spatial(param, bottom, kernel, clip=False)
    if bottom is None or spatial is None:
        return Outcome((None,) * len(site.layer.tops), tuple(blobs))
    return Outcome(((bottom[0], outputs, *spatial),) * len(site.layer.tops), tuple(blobs))


def nd_pooling(site: Site) -> Outcome:
    """cudnn_ndpooling_layer.cpp of the same forks: rounds down, and drops axes of one place."""
    param, bottom = site.fields("pooling_param"), site.bottom
    if bottom is not None and len(bottom) > 2 and param.flag("global_pooling", False):
        spatial = _spatial(param, bottom, bottom[2:], clip=True)
    else:
        spatial = _spatial(param, bottom, _sizes(param, "kernel_shape"), clip=True)
    return Outcome((None if bottom is None or spatial is None else (*bottom[:2], *spatial),))


def _sizes(param: Fields, name: str) -> Shape:
    """The sizes of a ``BlobShape``; None if absent."""
    node = param.node.message(name) if param.node is not None else None
    return None if node is None else tuple(integer_value(v) for v in node.scalars("dim"))


def _spatial(param: Fields, bottom: Shape, kernel: Shape, *, clip: bool) -> Shape:
    """Axes of the top after channels; None where one of them may or may not be dropped."""
    if bottom is None or kernel is None or len(kernel) != len(bottom) - 2:
        return None
    pads = _sizes(param, "pad_shape") or (0,) * len(kernel)
    strides = _sizes(param, "stride_shape") or (1,) * len(kernel)
    if len(pads) != len(kernel) or len(strides) != len(kernel):
        return None
    sizes: list[int] = []
    for size, extent, pad, stride in zip(bottom[2:], kernel, pads, strides, strict=True):
        if size is None or extent is None or pad is None or not stride:
            return None
        out = truncated(size + 2 * pad - extent, stride) + 1
        if clip and pad > 0 and (out - 1) * stride >= size + pad:
            out -= 1
        if out > 1:
            sizes.append(out)
    return tuple(sizes)
