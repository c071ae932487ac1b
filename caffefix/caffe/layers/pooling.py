"""Layers that look at a window and have no weights."""

from __future__ import annotations

from caffefix.caffe.layers.kind import ONE, LayerType

TYPES = (
    LayerType(
        "Pooling",
        v1=("POOLING", 17),
        v0="pool",
        params=("pooling_param",),
        needs_params=True,
        bottoms=ONE,
        tops=(1, 2),
        shape="windows.pooling",
        zero="pooling",
        moments="pooling.pooling",
        between=True,
        keeps_channels=True,
        by_channel=True,
    ),
    LayerType("SPP", params=("spp_param",), needs_params=True, bottoms=ONE, tops=ONE, shape="windows.pyramid"),
    LayerType(
        "Im2col",
        v1=("IM2COL", 11),
        v0="im2col",
        params=("convolution_param",),
        needs_params=True,
        bottoms=ONE,
        tops=ONE,
        shape="windows.im2col",
    ),
    # of Fast R-CNN and R-FCN
    LayerType("ROIPooling", shape="forks.roi_pooling"),
    LayerType("PSROIPooling", shape="forks.psroi_pooling"),
)
