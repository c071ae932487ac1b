"""Layers of forks that fit no other family: detection (SSD, R-FCN, YOLO), segmentation (PSPNet, SegNet)."""

from __future__ import annotations

from caffefix.caffe.layers.kind import LayerType

TYPES = (
    LayerType("PriorBox", shape="forks.prior_box", moments="forks.regions", first_only=True),
    LayerType("DetectionOutput", shape="forks.detection_output", moments="forks.regions", first_only=True),
    LayerType("DetectionEvaluate", shape="detection.detection_evaluate", moments="losses.metric", first_only=True),
    LayerType("BoxAnnotatorOHEM", shape="detection.box_annotator"),
    LayerType("Yolov3DetectionOutput", shape="detection.yolo_output"),
    LayerType("Interp", shape="forks.interp", zero="same", moments="forks.resized", keeps_channels=True),
    LayerType(
        "BilinearInterpolation", shape="resizing.bilinear_interpolation", zero="same", moments="forks.resized"
    ),
    LayerType("Upsample", shape="forks.upsample", zero="zero_stays"),
)
