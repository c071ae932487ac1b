"""Layers that read a window and have no weights."""

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
    LayerType(
        "SPP",
        params=("spp_param",),
        needs_params=True,
        bottoms=ONE,
        tops=ONE,
        shape="windows.pyramid",
        zero="zero_stays",
    ),
    LayerType(
        "Im2col",
        v1=("IM2COL", 11),
        v0="im2col",
        params=("convolution_param",),
        needs_params=True,
        bottoms=ONE,
        tops=ONE,
        shape="windows.im2col",
        zero="zero_stays",
    ),
    # of regions: Fast R-CNN, R-FCN, Mask R-CNN, MNC
    LayerType(
        "ROIPooling", shape="forks.roi_pooling", zero="zero_stays", moments="forks.regions", first_only=True
    ),
    LayerType(
        "PSROIPooling", shape="forks.psroi_pooling", zero="zero_stays", moments="forks.regions", first_only=True
    ),
    LayerType(
        "ROIAlign", shape="detection.roi_align", zero="zero_stays", moments="forks.regions", first_only=True
    ),
    LayerType("ROIWarping", shape="detection.roi_warping", moments="forks.regions", first_only=True),
    # for video
    LayerType("NdPooling", params=("pooling_param",), shape="convolutions.nd_pooling"),
)
