"""Layers without bottoms: data of all kinds, inputs, parameters."""

from __future__ import annotations

from caffefix.caffe.fillers import Dim, Shape
from caffefix.caffe.layers.shapes.base import Outcome, ParamBlob, Site, require
from caffefix.caffe.net import Generation, Net
from caffefix.syntax.scalars import integer_value


def _positive(value: Dim) -> Dim:
    return value if value else None


def _crop(site: Site) -> Dim:
    """``crop_size``; V1 layers may keep it where V0 had it (UpgradeNetDataTransformation)."""
    holders = ["transform_param"]
    if site.layer.generation is Generation.V1:
        holders.append(site.layer.kind.v1_transform)
    return next((crop for name in holders if (crop := site.fields(name).integer("crop_size", 0))), None)


def _images(site: Site, batch: Dim, channels: Dim, height: Dim, width: Dim) -> Outcome:
    """Transformed images and their labels; a crop determines the size, mean values the channels."""
    transform = site.fields("transform_param")
    crop = _crop(site)
    means = len(transform.integers("mean_value"))
    if channels is None and means > 1:
        channels = means  # CHECKed by DataTransformer
    if transform.has("crop_h", "crop_w", "crop_height", "crop_width"):  # PSPNet, ENet
        crop_h = transform.integer("crop_h", transform.integer("crop_height", None))
        crop_w = transform.integer("crop_w", transform.integer("crop_width", None))
    else:
        crop_h = crop_w = crop
    image = (batch, channels, crop_h or height, crop_w or width)
    return Outcome((image, (batch,)))


def data(site: Site) -> Outcome:
    """The content of an LMDB is not in the net: channels and size are known only if they are forced."""
    return _images(site, _positive(site.fields("data_param").integer("batch_size", None)), None, None, None)


def annotated_data(site: Site) -> Outcome:
    """SSD: ``resize_param`` determines the size, boxes come as 1 × 1 × boxes × 8."""
    batch = _positive(site.fields("data_param").integer("batch_size", None))
    resize = site.layer.node.message("transform_param", "resize_param")
    height = width = None
    if resize is not None and (resize.scalar("resize_mode") or "WARP") in ("WARP", "1"):
        found = [integer_value(resize.scalar(name) or "") for name in ("height", "width")]
        height, width = (_positive(value) for value in found)
    image = _images(site, batch, None, height, width).tops[0]
    return Outcome((image, (1, 1, None, 8)))


def image_data(site: Site) -> Outcome:
    """OpenCV reads three channels, or one if ``is_color: false``."""
    param = site.fields("image_data_param")
    height, width = (_positive(param.integer(name, 0)) for name in ("new_height", "new_width"))
    channels = 3 if param.flag("is_color", True) else 1
    batch = _positive(param.integer("batch_size", 1))
    return _images(site, batch, channels, height, width)


def window_data(site: Site) -> Outcome:
    """Channels are read from the window file."""
    return _images(site, _positive(site.fields("window_data_param").integer("batch_size", None)), None, None, None)


def memory_data(site: Site) -> Outcome:
    """All four sizes are in the net."""
    param = site.fields("memory_data_param")
    batch, channels, height, width = (
        param.integer(name, 0) for name in ("batch_size", "channels", "height", "width")
    )
    if 0 in (batch, channels, height, width):
        message = "batch_size, channels, height, and width must be specified and positive in memory_data_param"
        require("batch_size_ * size_ > 0", 0, 0, message)
    crop = _crop(site)
    return Outcome(((batch, channels, crop or height, crop or width), (batch,)))


def dummy_data(site: Site) -> Outcome:
    """``shape`` once, or once per top; or the four legacy numbers, likewise."""
    param = site.fields("dummy_data_param")
    shapes = param.shapes("shape")
    if not shapes:
        legacy = [param.integers(name) for name in ("num", "channels", "height", "width")]
        longest = max(map(len, legacy))
        if any(not 1 <= len(values) <= longest for values in legacy):
            return Outcome()
        shapes = [tuple(v[min(i, len(v) - 1)] for v in legacy) for i in range(longest)]
    return Outcome(_each(shapes, len(site.layer.tops)))


def input_layer(site: Site) -> Outcome:
    """``shape`` once, or once per top."""
    return Outcome(_each(site.fields("input_param").shapes("shape"), len(site.layer.tops)))


def parameter(site: Site) -> Outcome:
    """A learned blob."""
    shapes = site.fields("parameter_param").shapes("shape")
    shape = shapes[0] if shapes else None
    return Outcome((shape,), (ParamBlob("weight", shape),))


def _each(shapes: list[Shape], tops: int) -> tuple[Shape, ...]:
    return tuple(shapes) * tops if len(shapes) == 1 else tuple(shapes[:tops])


def input_shapes(net: Net) -> dict[str, Shape]:
    """Shapes of ``input:`` blobs: ``input_shape``, otherwise four ``input_dim`` each (upgrade_proto.cpp)."""
    shapes: list[Shape] = [
        tuple(integer_value(v) for v in node.scalars("dim"))
        for node in net.node.fields("input_shape")
        if node.is_message
    ]
    if not shapes:
        dims = [integer_value(v) for v in net.node.scalars("input_dim")]
        shapes = [tuple(dims[i : i + 4]) for i in range(0, len(dims) - 3, 4)]
    return dict(zip(net.inputs, shapes, strict=False))
