"""Detection in forks: R-FCN's hard examples, YOLO, and pooling of regions."""

from __future__ import annotations

from caffefix.caffe.fillers import Dim, Shape, count
from caffefix.caffe.layers.shapes.base import Outcome, Site, require, times
from caffefix.caffe.layers.shapes.losses import SCALAR, softmax_loss

Images = tuple[Dim, Dim, Dim, Dim]


def _four(shape: Shape) -> Images:
    """``Blob::num`` … ``width``: axes that a blob lacks are 1; nothing is known about more than four."""
    if shape is None or len(shape) > 4:
        return (None, None, None, None)
    num, channels, height, width = (*shape, 1, 1, 1, 1)[:4]
    return (num, channels, height, width)


def softmax_loss_ohem(site: Site) -> Outcome:
    """R-FCN, softmax_loss_ohem_layer.cpp: a third top has the loss of each label."""
    softmax_loss(site)
    labels = site.bottoms[1] if len(site.bottoms) > 1 else None
    return Outcome((SCALAR, site.bottom, labels)[: len(site.layer.tops)])


def smooth_l1_ohem(site: Site) -> Outcome:
    """R-FCN, smooth_L1_loss_ohem_layer.cpp: a second top has the loss of each place."""
    images = _four(site.bottom)
    for i, other in enumerate(site.bottoms[1:3], 1):
        for name, a, b in zip(("channels", "height", "width"), images[1:], _four(other)[1:], strict=True):
            require(f"bottom[0]->{name}() == bottom[{i}]->{name}()", a, b)
    return Outcome((SCALAR, (images[0], 1, *images[2:]))[: len(site.layer.tops)])


def box_annotator(site: Site) -> Outcome:
    """R-FCN, box_annotator_ohem_layer.cpp: labels, and weights of the boxes' losses."""
    num, channels, height, width = _four(site.bottom)
    require("5 == bottom[0]->channels()", 5, channels)
    boxes = _four(site.bottoms[3])[1] if len(site.bottoms) > 3 else None
    return Outcome(((num, 1, height, width), (num, boxes, height, width)))


def detection_evaluate(site: Site) -> Outcome:
    """SSD, detection_evaluate_layer.cpp: a row of five for each class and detection.

    Cascade R-CNN's has a third bottom and a different top; a fork with thresholds of its own has seven columns.
    """
    param = site.fields("detection_evaluate_param")
    ssd = len(site.bottoms) == 2 and not param.has("iou_threshold", "boxsize_threshold")
    return Outcome(((1, 1, None, 5) if ssd else None,))


def yolo_loss(site: Site) -> Outcome:
    """YOLO in Caffe, region_loss_layer.cpp and yolov3_layer.cpp: a scalar, where labels are given.

    Forks use the same names for layers of one bottom that decode boxes.
    """
    return Outcome((SCALAR if len(site.bottoms) == 2 and len(site.layer.tops) == 1 else None,))


def yolo_output(site: Site) -> Outcome:
    """yolov3_detection_output_layer.cpp: how many boxes are found depends on the data."""
    return Outcome(((1, 1, None, 7),))


def reorg(site: Site) -> Outcome:
    """YOLO v2, reorg_layer.cpp: squares of places become channels, or back."""
    param, images = site.fields("reorg_param"), site.bottom
    stride = param.integer("stride", None)
    if images is None or len(images) != 4 or not stride or not param.only(frozenset(("stride", "reverse"))):
        return Outcome((None,))
    num, channels, height, width = images
    if param.flag("reverse", False):
        fewer = None if channels is None else channels // stride**2
        return Outcome(((num, fewer, times(height, stride), times(width, stride)),))
    sides = (None if side is None else side // stride for side in (height, width))
    return Outcome(((num, times(channels, stride, stride), *sides),))


def roi_warping(site: Site) -> Outcome:
    """MNC, roi_warping_layer.cpp: each region, warped to one size."""
    return _regions(site, "roi_warping_param")


def roi_align(site: Site) -> Outcome:
    """Mask R-CNN in Caffe, roi_align_layer.cpp; forks that select the best regions also have ``topk``."""
    for name in ("roi_align_param", "roi_pooling_param"):
        param = site.fields(name)
        if len(site.bottoms) == 2 and param.has("pooled_h") and param.has("pooled_w") and not param.has("topk"):
            return _regions(site, name)
    return Outcome((None,))


def _regions(site: Site, name: str) -> Outcome:
    param = site.fields(name)
    regions = _four(site.bottoms[1])[0] if len(site.bottoms) > 1 else None
    size = (param.integer("pooled_h", None), param.integer("pooled_w", None))
    return Outcome(((regions, _four(site.bottom)[1], *size),))


def l1_loss(site: Site) -> Outcome:
    """FlowNet's and Fast R-CNN's relatives, l1_loss_layer.cpp: items of one size, or differences alone."""
    if len(site.bottoms) > 1 and site.bottoms[0] and site.bottoms[1]:
        data, label = site.bottoms[:2]
        if data and label:
            sizes = count(data[1:]), count(label[1:])
            require("bottom[0]->count(1) == bottom[1]->count(1)", *sizes, "Inputs must have the same dimension.")
    return Outcome((SCALAR,))
