"""The input of a train net: shape and range of values of each top of its data layers.

Read from the layers alone: no data is opened. Where the file does not give a size it is guessed, and the guess is
named in ``Source.note``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from caffefix.caffe.net import Generation, Layer, Net, truth
from caffefix.caffe.roles import is_source
from caffefix.syntax.scalars import integer_value, number_value

# Size of images whose size the file does not give, in pixels.
GUESSED_SIZE = 64
_GUESS = f"{GUESSED_SIZE}×{GUESSED_SIZE} taken"
_VALUES = "values assumed to be 0..1"
# The mean of the synthetic 8-bit images: what a mean_file would contain.
IMAGE_MEAN = 128.0


class Unrepresentable(Exception):
    """Something that synthetic data cannot represent; the message names the layer and says why."""


@dataclass(frozen=True, slots=True)
class StatedInput:
    """What a user specifies about the data.

    Attributes:
        shapes: blob → shape without the batch: (channels, height, width).
        size: (height, width) of images in place of the file's; None to keep it.
    """

    shapes: Mapping[str, tuple[int, ...]]
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """One blob that comes from outside the net.

    Attributes:
        blob: its name.
        layer: name of the layer that produces it, or empty for an ``input`` field.
        shape: without the batch; None where nothing gives it.
        means: subtracted from 8-bit values, one or one per channel.
        scale: factor after that.
        label: whether this top holds labels, according to the layer's type.
        note: what was guessed or changed; empty if nothing.
    """

    blob: str
    layer: str
    shape: tuple[int, ...] | None
    means: tuple[float, ...] = (0.0,)
    scale: float = 1 / 255
    label: bool = False
    note: str = ""


def is_fed(layer: Layer) -> bool:
    """Whether a layer produces data: neither a constant nor a learned blob."""
    if layer.type == "Parameter":
        return False
    if layer.type == "DummyData":
        return not _is_constant(layer)
    return is_source(layer) or (layer.kind.input and bool(layer.tops))


def sources(net: Net, view: list[Layer], given: StatedInput) -> list[Source]:
    """The blobs that the net receives from outside.

    Raises:
        Unrepresentable: a data layer that is not known.
    """
    found = [_with_given(s, given) for s in _net_inputs(net)]
    for layer in view:
        if is_fed(layer):
            found += [_with_given(s, given) for s in _tops(layer, given)]
    return found


def _with_given(source: Source, given: StatedInput) -> Source:
    shape = given.shapes.get(source.blob)
    if shape is not None:
        return _shaped(source, shape)
    size = given.size
    if size is None or source.shape is None or len(source.shape) < 3 or source.shape[-2:] == size:
        return source
    if "size unknown" in source.note:
        note = source.note.replace(_GUESS, f"{_by(size)} as requested")
    else:
        note = "; ".join(filter(None, (source.note, f"{_by(size)} instead of {_by(source.shape[-2:])}")))
    return replace(source, shape=(*source.shape[:-2], *size), note=note)


def _shaped(source: Source, shape: tuple[int, ...]) -> Source:
    """A source of the requested shape: nothing about its shape is a guess any more."""
    if source.shape is None:
        return replace(source, shape=shape, note=_VALUES)
    values = _VALUES if _VALUES in source.note else ""
    change = ""
    if "unknown" in source.note:
        change = f"{_by(shape)} as requested"
    elif shape != source.shape:
        change = f"{_by(shape)} instead of {_by(source.shape)}"
    means = source.means if len(source.means) in (1, shape[0]) else source.means[:1]
    return replace(source, shape=shape, means=means, note="; ".join(filter(None, (values, change))))


def _by(dims: tuple[int, ...]) -> str:
    return "×".join(map(str, dims))


def _tops(layer: Layer, given: StatedInput) -> list[Source]:
    if layer.kind.labelled:
        return _images(layer)
    if layer.kind.input or layer.type == "DummyData":
        return _declared(layer)
    if layer.type == "HDF5Data" or all(top in given.shapes for top in layer.tops[:1]):
        return [Source(top, layer.name, None) for top in layer.tops]
    if layer.type == "Python":
        raise Unrepresentable(f"layer {layer.name!r} is a Python layer: its code is not run")
    raise Unrepresentable(
        f"layer {layer.name!r} has type {layer.type}, whose data are unknown; "
        f"say what {layer.tops[0]!r} is: --shape {layer.tops[0]}=CHANNELS,HEIGHT,WIDTH"
    )


# ---------------------------------------------------------------- declared shapes


def _net_inputs(net: Net) -> list[Source]:
    """Blobs of ``input`` fields, with ``input_shape`` or four ``input_dim`` each."""
    shapes = [_dims(node.scalars("dim")) for node in net.node.fields("input_shape") if node.is_message]
    flat = _dims(net.node.scalars("input_dim"))
    if not shapes:
        shapes = [flat[i : i + 4] for i in range(0, len(flat), 4)]
    return [_plain(name, "", shapes, index) for index, name in enumerate(net.inputs)]


def _declared(layer: Layer) -> list[Source]:
    """Tops of Input and DummyData: a shape each, or one for all."""
    message = layer.node.message("input_param" if layer.kind.input else "dummy_data_param")
    shapes: list[tuple[int, ...]] = []
    if message is not None:
        shapes = [_dims(node.scalars("dim")) for node in message.fields("shape") if node.is_message]
        if not shapes:
            columns = [_dims(message.scalars(n)) for n in ("num", "channels", "height", "width")]
            shapes = list(zip(*columns, strict=False))
    return [_plain(top, layer.name, shapes, index) for index, top in enumerate(layer.tops)]


def _plain(name: str, layer: str, shapes: list[tuple[int, ...]], index: int) -> Source:
    shape = shapes[index] if index < len(shapes) else shapes[0] if len(shapes) == 1 else None
    return Source(name, layer, shape[1:] if shape is not None else None, note=_VALUES)


def _dims(values: list[str]) -> tuple[int, ...]:
    return tuple(integer_value(value) or 1 for value in values)


def _is_constant(layer: Layer) -> bool:
    message = layer.node.message("dummy_data_param")
    fillers = [node.string("type") or "constant" for node in message.fields("data_filler")] if message else []
    return all(kind == "constant" for kind in fillers)


# ---------------------------------------------------------------- images


def _images(layer: Layer) -> list[Source]:
    transform = _Transform(layer)
    height, width, note = transform.size()
    channels, guess = transform.channels()
    notes = "; ".join(part for part in (note, guess) if part)
    image = Source(
        layer.tops[0],
        layer.name,
        (channels, height, width),
        transform.means(channels),
        transform.scale(),
        note=notes,
    )
    return [image, *(Source(top, layer.name, (), label=True) for top in layer.tops[1:])]


class _Transform:
    """What a data layer does to its images, as Caffe reads it in the layer's generation."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.own = layer.node.message(layer.kind.own)
        self.legacy = layer.generation is not Generation.V2 and bool(layer.kind.v1_transform)
        self.message = layer.node.message("transform_param")

    def scalar(self, name: str) -> str | None:
        """A field of the transform; V1's may be in the layer's own message."""
        found = self.message.scalar(name) if self.message is not None else None
        if found is None and self.legacy and self.own is not None:
            found = self.own.scalar(name)
        return found

    def integer(self, *names: str) -> int:
        """The first of the layer's own fields that is given, or 0."""
        for name in names:
            value = self.own.scalar(name) if self.own is not None else None
            number = integer_value(value) if value is not None else None
            if number:
                return number
        return 0

    def scale(self) -> float:
        """WindowData alone reads the scale of its own message, and V1's upgrade loses that one."""
        if self.layer.type == "WindowData":
            value = None if self.legacy or self.own is None else self.own.scalar("scale")
        else:
            value = self.scalar("scale")
        number = number_value(value) if value is not None else None
        return 1.0 if number is None else number

    def given_means(self) -> tuple[float, ...]:
        values = self.message.scalars("mean_value") if self.message is not None else []
        return tuple(number_value(value) or 0.0 for value in values)

    def means(self, channels: int) -> tuple[float, ...]:
        means = self.given_means()
        if means:
            return means if len(means) in (1, channels) else means[:1]
        return (IMAGE_MEAN,) if self.scalar("mean_file") is not None else (0.0,)

    def channels(self) -> tuple[int, str]:
        if self.layer.type == "MemoryData":
            return self.integer("channels") or 3, ""
        if self._flag("force_gray") or self._flag("is_color") is False:
            return 1, ""
        means = len(self.given_means())
        if means > 1:
            return means, ""
        known = self.layer.kind.image_files or self._flag("force_color")
        return 3, "" if known else "channels unknown: 3 assumed"

    def _flag(self, name: str) -> bool | None:
        value = self.scalar(name)
        if value is None and self.own is not None:
            value = self.own.scalar(name)
        return None if value is None else truth(value)

    def size(self) -> tuple[int, int, str]:
        """Height and width, and what was guessed."""
        crop = self.scalar("crop_size")
        number = integer_value(crop) if crop is not None else None
        if number:
            return number, number, ""
        height, width = self.integer("new_height", "height"), self.integer("new_width", "width")
        if height and width:
            return height, width, ""
        return GUESSED_SIZE, GUESSED_SIZE, f"size unknown: {_GUESS}"
