"""Layers of forks that fit no other family: detection (SSD), segmentation (PSPNet, SegNet)."""

from __future__ import annotations

from caffefix.caffe.layers.kind import LayerType

TYPES = (
    LayerType("PriorBox", shape="forks.prior_box"),
    LayerType("DetectionOutput", shape="forks.detection_output"),
    LayerType("Interp", shape="forks.interp", keeps_channels=True),
    LayerType("Upsample", shape="forks.upsample"),
)
