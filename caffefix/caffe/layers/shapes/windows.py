"""Layers that slide a window: convolutions, pooling, im2col."""

from __future__ import annotations

from math import ceil

from caffefix._startup.records import dataclass
from caffefix.caffe.fillers import Dim, Shape
from caffefix.caffe.layers.shapes.base import (
    FOUR_AXES,
    Fields,
    Mismatch,
    Outcome,
    ParamBlob,
    Site,
    canonical_axis,
    check,
    plus,
    require,
    times,
    truncated,
)
from caffefix.caffe.layers.shapes.outputs import words

# What BVLC's layers read; any other field is a fork's and may change the size of the top.
_CONVOLUTION = frozenset(
    """
    num_output bias_term pad kernel_size group stride weight_filler bias_filler pad_h pad_w kernel_h kernel_w
    stride_h stride_w engine axis force_nd_im2col dilation
    cudnn_convolution_algo_seeker conv_mode conv_algos_override relu negative_slope
    """.split()
)
_POOLING = frozenset(
    """
    pool pad kernel_size stride pad_h pad_w kernel_h kernel_w stride_h stride_w engine global_pooling
    round_mode ceil_mode avg_include_pad
    """.split()
)


@dataclass(frozen=True, slots=True)
class Window:
    """Kernel, stride, pad and dilation along each spatial axis."""

    kernel: tuple[Dim, ...]
    stride: tuple[Dim, ...]
    pad: tuple[Dim, ...]
    dilation: tuple[Dim, ...]

    def extent(self, axis: int) -> Dim:
        """Width of the dilated kernel."""
        kernel, dilation = self.kernel[axis], self.dilation[axis]
        return None if kernel is None or dilation is None else dilation * (kernel - 1) + 1


def convolution_window(param: Fields, spatial: int) -> Window:
    """The window of a ``ConvolutionParameter`` (BaseConvolutionLayer::LayerSetUp)."""
    stride, pad = _pair(param, "stride", spatial, 1), _pair(param, "pad", spatial, 0)
    kernel = _pair(param, "kernel", spatial, None)
    for size in kernel:
        require("kernel_shape_data[i] > 0", size, 0, "Filter dimensions must be nonzero.")
    for step in stride:
        require("stride_data[i] > 0", step, 0, "Stride dimensions must be nonzero.")
    return Window(kernel, stride, pad, _per_axis(param, "dilation", spatial, 1))


def _pair(param: Fields, name: str, spatial: int, default: Dim) -> tuple[Dim, ...]:
    """A size for each axis: ``kernel_h`` and ``kernel_w``, or the repeated field."""
    field = "kernel_size" if name == "kernel" else name
    if not param.has(f"{name}_h", f"{name}_w"):
        return _per_axis(param, field, spatial, default)
    message = f"{name}_h & {name}_w can only be used for 2D convolution."
    require("num_spatial_axes_ == 2", spatial, 2, message)
    message = f"Either {field} or {name}_h/w should be specified; not both."
    require(f"0 == conv_param.{field}_size()", 0, len(param.integers(field)), message)
    return (param.integer(f"{name}_h", 0), param.integer(f"{name}_w", 0))


def _per_axis(param: Fields, field: str, spatial: int, default: Dim) -> tuple[Dim, ...]:
    given = param.integers(field)
    free = default is not None and not given
    dims = f"num_{field.removesuffix('_size')}_dims"
    message = f"{field} must be specified once, or once per spatial dimension"
    axes = f"({field} specified {len(given)} times; {spatial} spatial dims)."
    check(free or len(given) in (1, spatial), f"{dims} == 1 || {dims} == num_spatial_axes_ {message} {axes}")
    if free:
        return (default,) * spatial
    return tuple(given) if len(given) == spatial else tuple(given[:1]) * spatial


def convolution(site: Site) -> Outcome:
    """Convolution and Deconvolution (base_conv_layer.cpp, conv_layer.cpp, deconv_layer.cpp)."""
    param = site.fields("convolution_param")
    outputs, group = param.integer("num_output", 0), param.integer("group", 1)
    bottom = site.bottom
    axis = None if bottom is None else canonical_axis(param.integer("axis", 1), len(bottom), bottom)
    if bottom is None or axis is None:
        require("num_output_ > 0", outputs, 0)
        return Outcome(
            (None,) * len(site.layer.tops), _filters(site, param, None, outputs, group=group, window=None)
        )
    window = convolution_window(param, len(bottom) - axis - 1)
    require("num_output_ > 0", outputs, 0)
    channels = bottom[axis]
    if group and channels is not None:
        require("channels_ % group_ == 0", channels % group, 0)
    if group and outputs is not None:
        require("num_output_ % group_ == 0", outputs % group, 0, "Number of output should be multiples of group.")
    for other in site.bottoms[1:]:
        if other is not None and None not in bottom and None not in other:
            check(
                bottom == other,
                "bottom[0]->shape() == bottom[bottom_id]->shape() All inputs must have the same shape.",
            )
    params = _filters(site, param, channels, outputs, group=group, window=window)
    if not param.only(_CONVOLUTION):
        spatial: tuple[Dim, ...] = (None,) * len(window.kernel)
    else:
        spatial = tuple(_swept(site, window, i, size) for i, size in enumerate(bottom[axis + 1 :]))
    return Outcome(((*bottom[:axis], outputs, *spatial),) * len(site.layer.tops), params)


def _filters(
    site: Site, param: Fields, channels: Dim, outputs: Dim, group: Dim, window: Window | None
) -> tuple[ParamBlob, ...]:
    """Weights (out × in/group × kernel; in × out/group × kernel for Deconvolution), and bias."""
    first, second = (channels, outputs) if site.layer.type == "Deconvolution" else (outputs, channels)
    shape: Shape = None
    if window is not None:
        shape = (first, None if second is None or not group else second // group, *window.kernel)
    return _weight_and_bias(param, shape, outputs)


def _weight_and_bias(param: Fields, shape: Shape, outputs: Dim) -> tuple[ParamBlob, ...]:
    weight = ParamBlob("weight", shape, param.filler("weight_filler"))
    if not param.flag("bias_term", True):
        return (weight,)
    return (weight, ParamBlob("bias", (outputs,), param.filler("bias_filler")))


def _swept(site: Site, window: Window, i: int, size: Dim) -> Dim:
    """Size of the top along a spatial axis."""
    extent, stride, pad = window.extent(i), window.stride[i], window.pad[i]
    if size is None or extent is None or not stride or pad is None:
        return None
    if site.layer.type == "Deconvolution":
        out = stride * (size - 1) + extent - 2 * pad
    else:
        out = truncated(size + 2 * pad - extent, stride) + 1
    require("shape[i] >= 0", out, 0)
    return out


def depthwise(site: Site) -> Outcome:
    """``ConvolutionDepthwise``: each channel has its own filter; num_output is not read."""
    param = site.fields("convolution_param")
    bottom = site.bottom
    if bottom is None or len(bottom) != 4:
        return Outcome((None,), None)
    window = convolution_window(param, 2)
    shape: Shape = (bottom[1], 1, *window.kernel)
    params = _weight_and_bias(param, shape, bottom[1])
    spatial = tuple(_swept(site, window, i, size) for i, size in enumerate(bottom[2:]))
    return Outcome(((*bottom[:2], *spatial),), params)


def im2col(site: Site) -> Outcome:
    """Each place's window as a column of channels."""
    param, bottom = site.fields("convolution_param"), site.bottom
    if bottom is None:
        return Outcome()
    axis = canonical_axis(param.integer("axis", 1), len(bottom), bottom)
    if axis is None:
        return Outcome()
    window = convolution_window(param, len(bottom) - axis - 1)
    spatial = tuple(_swept(site, window, i, size) for i, size in enumerate(bottom[axis + 1 :]))
    return Outcome(((*bottom[:axis], times(bottom[axis], *window.kernel), *spatial),))


# ---------------------------------------------------------------- pooling


def pooling(site: Site) -> Outcome:
    """Rounds up, then drops a window that would start in the padding (pooling_layer.cpp)."""
    param, bottom = site.fields("pooling_param"), site.bottom
    glob = param.flag("global_pooling", False)
    _check_pooling(param, glob)
    if bottom is None:
        return Outcome((None,) * len(site.layer.tops))
    if len(bottom) > 4 or not param.only(_POOLING):  # some forks pool volumes, which BVLC does not
        return Outcome(((*bottom[:2], *(None,) * (len(bottom) - 2)),) * len(site.layer.tops))
    require("4 == bottom[0]->num_axes()", 4, len(bottom), FOUR_AXES)
    kernel = bottom[2:] if glob else _sizes(param, "kernel", None)
    pad, stride = _sizes(param, "pad", 0), _sizes(param, "stride", 1)
    if glob:
        message = "With Global_pooling: true; only pad = 0 and stride = 1"
        check(
            pad == (0, 0) and stride == (1, 1),
            f"pad_h_ == 0 && pad_w_ == 0 && stride_h_ == 1 && stride_w_ == 1 {message}",
        )
    for name, size, margin in zip("hw", kernel, pad, strict=True):
        if size is not None:
            require(f"kernel_{name}_ > 0", size, 0, "Filter dimensions cannot be zero.")
        if margin:
            require(f"pad_{name}_ < kernel_{name}_", margin, size)
    floor = param.word("round_mode", "CEIL") in ("FLOOR", "1") or not param.flag("ceil_mode", True)
    clip = any(margin != 0 for margin in pad)
    spatial = [pooled(*axis, floor=floor, clip=clip) for axis in zip(bottom[2:], kernel, stride, pad, strict=True)]
    return Outcome(((*bottom[:2], *spatial),) * len(site.layer.tops))


def _check_pooling(param: Fields, glob: bool) -> None:
    square, both = param.has("kernel_size"), param.has("kernel_h") and param.has("kernel_w")
    if glob:
        free = not param.has("kernel_size", "kernel_h", "kernel_w")
        condition = "!(pool_param.has_kernel_size() || pool_param.has_kernel_h() || pool_param.has_kernel_w())"
        check(free, f"{condition} With Global_pooling: true Filter size cannot specified")
        return
    condition = "!pool_param.has_kernel_size() != !(pool_param.has_kernel_h() && pool_param.has_kernel_w())"
    check(square != both, f"{condition} Filter size is kernel_size OR kernel_h and kernel_w; not both")


def _sizes(param: Fields, name: str, default: Dim) -> tuple[Dim, Dim]:
    """Height and width of a window's kernel, stride or pad."""
    if param.has(f"{name}_h"):
        return (param.integer(f"{name}_h", default), param.integer(f"{name}_w", default))
    size = param.integer("kernel_size" if name == "kernel" else name, default)
    return (size, size)


def pooled(size: Dim, kernel: Dim, stride: Dim, pad: Dim, *, floor: bool = False, clip: bool = False) -> Dim:
    """Number of windows along an axis."""
    if size is None or kernel is None or not stride or pad is None:
        return None
    steps = (size + 2 * pad - kernel) / stride
    out = (int(steps) if floor else ceil(steps)) + 1
    if clip and (out - 1) * stride >= size + pad:
        out -= 1
    require("shape[i] >= 0", out, 0)
    return out


def pyramid(site: Site) -> Outcome:
    """SPP: pooled into 1, 4, 16 … bins, flattened and concatenated (spp_layer.cpp)."""
    height = site.fields("spp_param").integer("pyramid_height", None)
    bottom = site.bottom
    if bottom is None:
        return Outcome((None,))
    require("4 == bottom[0]->num_axes()", 4, len(bottom), FOUR_AXES)
    if height is None or not 0 < height < 16:
        return Outcome((None,))
    bins = [_bins(bottom, 2**level) for level in range(height)]
    if height == 1:
        return Outcome(((*bottom[:2], 1, 1),))
    return Outcome(((bottom[0], times(bottom[1], plus(*bins))),))


def _bins(bottom: tuple[Dim, ...], side: int) -> Dim:
    sizes = []
    for size in bottom[2:]:
        if size is None:
            return None
        kernel = -(-size // side)
        pad = (kernel * side - size + 1) // 2
        require("pad_h_ < kernel_h_", pad, kernel)
        sizes.append(pooled(size, kernel, kernel, pad, clip=True))
    return times(*sizes)


def inner_product(site: Site) -> Outcome:
    """All axes from ``axis`` on are one vector."""
    param, bottom = site.fields("inner_product_param"), site.bottom
    outputs = param.integer("num_output", 0)
    if outputs == 0:
        raise Mismatch(words(site.layer) or "Check failed: blob->count()")  # no filler accepts an empty blob
    inputs: Dim = None
    top: Shape = None
    if bottom is not None:
        axis = canonical_axis(param.integer("axis", 1), len(bottom), bottom)
        if axis is not None:
            inputs = times(*bottom[axis:])
            top = (*bottom[:axis], outputs)
    shape: Shape = (inputs, outputs) if param.flag("transpose", False) else (outputs, inputs)
    return Outcome((top,), _weight_and_bias(param, shape, outputs))


def embed(site: Site) -> Outcome:
    """A row of weights for each index."""
    param = site.fields("embed_param")
    outputs, words = param.integer("num_output", 0), param.integer("input_dim", 0)
    require("N_ > 0", outputs, 0, "EmbedLayer num_output must be positive.")
    require("K_ > 0", words, 0, "EmbedLayer input_dim must be positive.")
    params = _weight_and_bias(param, (words, outputs), outputs)
    return Outcome((None if site.bottom is None else (*site.bottom, outputs),), params)
