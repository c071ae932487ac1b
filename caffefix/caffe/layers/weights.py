"""Layers that compute weighted sums of their inputs."""

from __future__ import annotations

from caffefix.caffe.layers.kind import ONE, SOME, LayerType

_NO_OUTPUT = "Check failed: num_output_ > 0 (0 vs. 0)"

TYPES = (
    LayerType(
        "Convolution",
        v1=("CONVOLUTION", 4),
        v0="conv",
        params=("convolution_param",),
        needs_params=True,
        bottoms=SOME,
        tops=SOME,
        shape="windows.convolution",
        zero="weighted",
        moments="weights.convolution",
        weights="convolution_param",
        outputless=_NO_OUTPUT,
        linear=True,
        convolution=True,
    ),
    LayerType(
        "Deconvolution",
        v1=("DECONVOLUTION", 39),
        params=("convolution_param",),
        needs_params=True,
        bottoms=SOME,
        tops=SOME,
        shape="windows.convolution",
        zero="weighted",
        moments="weights.convolution",
        weights="convolution_param",
        outputless=_NO_OUTPUT,
        convolution=True,
    ),
    LayerType(
        "InnerProduct",
        v1=("INNER_PRODUCT", 14),
        v0="innerproduct",
        params=("inner_product_param",),
        needs_params=True,
        bottoms=ONE,
        tops=ONE,
        shape="windows.inner_product",
        zero="weighted",
        moments="weights.inner_product",
        weights="inner_product_param",
        outputless="Check failed: blob->count()",  # the filler cannot fill an empty blob
        linear=True,
    ),
    LayerType(
        "Embed",
        params=("embed_param",),
        needs_params=True,
        bottoms=ONE,
        tops=ONE,
        shape="windows.embed",
        zero="embed",
        moments="weights.embed",
        first_only=True,
        weights="embed_param",
        outputless="Check failed: N_ > 0 (0 vs. 0) EmbedLayer num_output must be positive.",
        words=True,
    ),
    # MobileNet's, of several forks
    LayerType(
        "DepthwiseConvolution",
        params=("convolution_param",),
        shape="windows.convolution",
        zero="weighted",
        moments="weights.convolution",
        weights="convolution_param",
        convolution=True,
    ),
    LayerType(
        "ConvolutionDepthwise",
        params=("convolution_param",),
        shape="windows.depthwise",
        zero="weighted",
        moments="weights.convolution",
        weights="convolution_param",
        convolution=True,
    ),
    # HWGQ's, with binary weights; SkimCaffe's; Network in Network's; those for video
    LayerType("BinaryConvolution", params=("convolution_param",), shape="convolutions.shaped_as_convolution"),
    LayerType("ConvolutionReLU", params=("convolution_param",), shape="convolutions.shaped_as_convolution"),
    LayerType("BinaryInnerProduct", params=("inner_product_param",), shape="convolutions.binary_inner_product"),
    LayerType("CCCP", params=("cccp_param",), shape="convolutions.cccp"),
    LayerType("NdConvolution", params=("convolution_param",), shape="convolutions.nd_convolution"),
)
