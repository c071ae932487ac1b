"""Adapting a net to data that are stored in another range: ``caffefix rescale-input``.

Caffe computes (x − mean) · scale of a stored pixel x (data_transformer.cpp). Where the same images
are stored again, x' = a·x + b, the mean becomes mean' = a·mean + b, and the scale compensates for the
factor, scale' = scale / a; then (x' − mean') · scale' = (x − mean) · scale: the net sees the same
numbers, and weights remain valid.

With ``first_layer`` the scale is unchanged, the net sees a · (x − mean) · scale, and the first layer's
weights absorb the factor (``first_layers.py``). That holds only for training from fillers: existing weights
do not fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.caffes import Caffes
from caffefix.caffe.mean_image import MeanError, mapped, values
from caffefix.caffe.net import Generation, Layer, Net, Phase
from caffefix.caffe.refusal import Refusal
from caffefix.commands.rescale_input.first_layers import first_layers, take_up
from caffefix.engine import proof
from caffefix.engine.proof import ProofError
from caffefix.syntax.diff import unified
from caffefix.syntax.edits import After, Edit, EditError, Insert, Last, New, NewField, NewMessage, Replace
from caffefix.syntax.lowering import lower
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.piecetable import PieceTable
from caffefix.syntax.scalars import float32, float_text, is_string, number_text, number_value, quoted
from caffefix.syntax.source import Source, one_line
from caffefix.syntax.tree import Node


@dataclass(frozen=True, slots=True)
class Range:
    """The range of stored pixels, such as 0..255."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{number_text(self.low)}..{number_text(self.high)}"


@dataclass(frozen=True, slots=True)
class RescaleOptions:
    """How a net is rescaled.

    Attributes:
        old: range in which pixels are stored now.
        new: range in which they will be stored.
        blob: which input, if there are several; otherwise empty.
        first_layer: whether the first layer compensates for the factor, not the scale.
    """

    old: Range
    new: Range
    blob: str = ""
    first_layer: bool = False

    @property
    def factor(self) -> float:
        return (self.new.high - self.new.low) / (self.old.high - self.old.low)

    @property
    def offset(self) -> float:
        return self.new.low - self.factor * self.old.low


@dataclass(frozen=True, slots=True)
class MeanFile:
    """A new mean file.

    Attributes:
        old: the name in the net before.
        new: the name in the net from now on, in the same folder.
        data: the file's content.
    """

    old: str
    new: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Shown:
    """A data layer before and after, in float32 as Caffe computes.

    Attributes:
        layer: name of the data layer.
        phases: those in which it runs.
        old: mean and scale, as text.
        new: mean and scale, as text.
        pixels: (stored pixel, what the net sees of it; the same for the new pixel), for the first mean.
        error: the largest difference over all means and 256 pixels, as a fraction of the range that the
            net sees.
    """

    layer: str
    phases: tuple[Phase, ...]
    old: tuple[str, str]
    new: tuple[str, str]
    pixels: tuple[tuple[float, float, float, float], ...]
    error: float


@dataclass(frozen=True, slots=True)
class Rescaled:
    """A rescaled net.

    Attributes:
        data: the net's new content.
        diff: unified, as bytes.
        mean_files: new ones, each once.
        proof: one entry per data layer.
        first_layers: names of the layers that compensate for the factor.
    """

    data: bytes
    diff: bytes
    mean_files: tuple[MeanFile, ...]
    proof: tuple[Shown, ...]
    first_layers: tuple[str, ...]


_SLACK = 1e-5  # of the range that the net sees; float32 rounds to 6e-8 at each of five steps
_BVLC_FIELDS = frozenset({"scale", "mirror", "crop_size", "mean_file", "mean_value", "force_color", "force_gray"})


def rescale(
    source: Source,
    options: RescaleOptions,
    read_mean: Callable[[str], bytes],
    diff_path: str = "",
    caffes: Caffes | None = None,
) -> Rescaled:
    """Adapt a net to data of another range.

    Args:
        source: the net.
        options: from which range to which.
        read_mean: reads the content of a mean file, by its name in the net.
        diff_path: the net's name in the diff.
        caffes: those that the net is for, including its repository's own; None where it has none of its own.

    Raises:
        Refusal: the net cannot be rescaled; the message names the reason and begins with the place.
    """
    try:
        done = _Rescale(source, options, read_mean).result(diff_path or source.path)
    except PrototxtError as error:
        raise Refusal("does-not-parse", error.render(source)) from None
    except Refusal as error:
        raise error.placed(source) from None
    except (EditError, ProofError) as error:
        raise Refusal("not-proved", str(error)).placed(source) from None
    proof.refuse_unread(source, done.data, caffes)
    return done


@dataclass(frozen=True, slots=True)
class _Transform:
    """The transform of one data layer."""

    layer: Layer
    node: Node | None
    scale: float
    scale_node: Node | None
    means: tuple[float, ...]
    mean_nodes: tuple[Node, ...]
    file_node: Node | None

    @property
    def mean_file(self) -> str:
        node = self.layer.node.message("transform_param")
        return (node.string("mean_file") or "") if node is not None else ""

    def says(self) -> tuple[float, tuple[float, ...], str]:
        return self.scale, self.means, self.mean_file

    def __str__(self) -> str:
        mean = ", ".join(map(float_text, self.means)) or self.mean_file or "none"
        return f"mean {mean}, scale {float_text(self.scale)}"


class _Rescale:
    def __init__(self, source: Source, options: RescaleOptions, read_mean: Callable[[str], bytes]) -> None:
        self.source = source
        self.options = options
        self.read_mean = read_mean
        self.document = parse(source.text)
        self.net = Net(self.document.root)
        if Generation.V0 in self.net.generations:
            raise Refusal("old-format", "its layers are of V0; run caffefix on it first")
        self.transforms = [_transform(layer) for layer in self._layers()]
        self._check()
        self.files: dict[str, MeanFile] = {}
        self.old_means: dict[str, list[float]] = {}
        self._mean_files()

    def result(self, diff_path: str) -> Rescaled:
        firsts = first_layers(self.net, self.blob) if self.options.first_layer else []
        edits = [edit for found in self.transforms for edit in self._edits(found)]
        edits += [edit for layer, fan_in in firsts for edit in take_up(layer, self.options.factor, fan_in)]
        table = PieceTable(self.source.text)
        table.apply(lower(self.document, edits, "rescale-input"))
        text = table.text()
        after = proof.parses(self.source.path, text)
        proof.keeps_comments(self.document, after, edits)
        proved = tuple(self._proof(Net(after.root)))
        diff = unified(diff_path, self.source.text, table.edits(), lambda _: "").encode("latin-1")
        proof.applies(self.source.data, diff, text.encode("latin-1"))
        names = tuple(one_line(layer.name) for layer, _ in firsts)
        return Rescaled(text.encode("latin-1"), diff, tuple(self.files.values()), proved, names)

    # ---- which layers

    def _layers(self) -> list[Layer]:
        """The data layers that produce the input, in all phases."""
        sources = [layer for layer in self.net.layers if layer.kind.images and layer.tops]
        if not sources:
            message = "no data layer subtracts a mean and scales (Data, ImageData, MemoryData): nothing to rescale"
            raise Refusal("no-transform", message)
        blobs = list(dict.fromkeys(layer.tops[0] for layer in sources))
        if self.options.blob and self.options.blob not in blobs:
            message = f"no data layer has the first top {self.options.blob!r}; first tops are {', '.join(blobs)}"
            raise Refusal("no-transform", message)
        if len(blobs) > 1 and not self.options.blob:
            message = f"data layers produce {', '.join(blobs)}; name the one whose range changes with --blob"
            raise Refusal("several-data-blobs", message)
        self.blob = self.options.blob or blobs[0]
        return [layer for layer in sources if layer.tops[0] == self.blob]

    def _check(self) -> None:
        """Refuse a net that cannot be adapted by mean and scale alone."""
        first = self.transforms[0]
        for found in self.transforms:
            _check_layer(found)
            if found.says() != first.says():
                message = (
                    f'layer "{found.layer.name}" has {found}, another phase has {first}: make them equal first'
                )
                raise Refusal("phases-disagree", message, found.layer.node)
        for layer in self.net.layers:
            if self.blob in layer.bottoms and layer.tops and (layer.kind.affine or layer.type == "Python"):
                message = (
                    f'layer "{layer.name}" of type {layer.type} also normalises the input: '
                    "the range that it expects is unknown; change its numbers yourself"
                )
                raise Refusal("normaliser-follows", message, layer.node)
        if first.means:
            self._check_means(first.means, first)

    def _check_means(self, means: Sequence[float], found: _Transform) -> None:
        old = self.options.old
        node = found.mean_nodes[0] if found.mean_nodes else found.file_node
        shown = float_text(max(means, key=abs))
        if old.high > 100 and any(means) and all(abs(m) <= 1.5 for m in means) and found.scale < 0.05:
            message = f"the mean {shown} is in scaled units (mean-in-scaled-units): repair that first"
            raise Refusal("mean-in-scaled-units", message, node)
        if not all(old.low <= mean <= old.high for mean in means):
            message = f"the mean {shown} is outside {old}: the pixels are stored in another range"
            raise Refusal("mean-not-in-range", message, node)
        new = self.options.new
        if any(means) and 10 * new.high <= old.high and all(new.low <= mean <= new.high for mean in means):
            message = f"the mean {shown} is already within {new}: it seems that the net has been rescaled before"
            raise Refusal("mean-not-in-range", message, node)

    def _mean_files(self) -> None:
        first = self.transforms[0]
        name = first.mean_file
        if not name:
            return
        data = self.read_mean(name)
        try:
            self.old_means[name] = values(data)
            new = mapped(data, self.options.factor, self.options.offset)
        except MeanError as error:
            raise Refusal("bad-mean-file", f"{name}: {error}", first.file_node) from None
        self._check_means(self.old_means[name], first)
        self.files[name] = MeanFile(name, beside(name, self.options.new), new)

    # ---- edits

    def _edits(self, found: _Transform) -> Iterator[Edit]:
        a, b = self.options.factor, self.options.offset
        yield from (
            Replace(node, float_text(a * mean + b))
            for node, mean in zip(found.mean_nodes, found.means, strict=True)
        )
        if found.file_node is not None:
            new = self.files[found.mean_file].new
            quote = found.file_node.value[0] if is_string(found.file_node.value) else '"'
            yield Replace(found.file_node, quoted(new, quote))
        new_fields: list[New] = []
        if not found.means and not found.mean_file and b:
            new_fields.append(NewField("mean_value", float_text(b)))
        if not self.options.first_layer:
            scale = float_text(found.scale / a)
            if found.scale_node is not None:
                yield Replace(found.scale_node, scale)
            else:
                new_fields.append(NewField("scale", scale))
        if new_fields and found.node is not None:
            yield Insert(Last(found.node), tuple(new_fields))
        elif new_fields:
            place = After(list(found.layer.node.fields("top"))[-1])
            yield Insert(place, (NewMessage("transform_param", tuple(new_fields)),))

    # ---- proof

    def _proof(self, after: Net) -> Iterator[Shown]:
        """The new net's own numbers against the old one's, in float32."""
        moved = {id(old): new for old, new in zip(self.net.layers, after.layers, strict=True)}
        for old in self.transforms:
            yield self._shown(old, _transform(moved[id(old.layer)]))

    def _shown(self, old: _Transform, new: _Transform) -> Shown:
        a = self.options.factor if self.options.first_layer else 1.0
        pairs = self._pairs(old, new)
        low, high = self.options.old.low, self.options.old.high
        reach = max(abs(float32((high - low) * old.scale)), 1e-30)
        error = 0.0
        pixels = [low + (high - low) * i / 255 for i in range(256)] if len(pairs) <= 16 else [low, high]
        for mean, new_mean in pairs:
            for x in pixels:
                seen = _seen(x, mean, old.scale)
                error = max(error, abs(_seen(self._moved(x), new_mean, new.scale) / a - seen) / reach)
        if not error <= _SLACK:
            raise Refusal("not-proved", f"the function would change by {error:.3g} of its range")
        mean, new_mean = pairs[0]
        shown = tuple(
            (x, _seen(x, mean, old.scale), self._moved(x), _seen(self._moved(x), new_mean, new.scale))
            for x in dict.fromkeys((low, mean, high))
        )
        phases = tuple(phase for phase in Phase if old.layer.is_in(phase, old.layer.stages))
        return Shown(
            layer=one_line(old.layer.name),
            phases=phases,
            old=_words(old),
            new=_words(new),
            pixels=shown,
            error=error,
        )

    def _moved(self, pixel: float) -> float:
        return self.options.factor * pixel + self.options.offset

    def _pairs(self, old: _Transform, new: _Transform) -> list[tuple[float, float]]:
        """Each mean with its replacement."""
        if old.mean_file:
            return list(zip(self.old_means[old.mean_file], values(self.files[old.mean_file].data), strict=True))
        before = old.means or (0.0,)
        return list(zip(before, new.means or (0.0,) * len(before), strict=True))


def _check_layer(found: _Transform) -> None:
    layer = found.layer
    if layer.kind.image_files:
        message = (
            f'layer "{layer.name}" of type {layer.type} reads image files, whose pixels are always 0..255: '
            "there is nothing to rescale"
        )
        raise Refusal("eight-bit-source", message, layer.node)
    if layer.generation is Generation.V1 and any(
        child.is_message and child.name.endswith("data_param") and child.names() & {"scale", "mean_file"}
        for child in layer.node.children()
    ):
        raise Refusal("old-format", "mean and scale are in data_param; run caffefix on it first", layer.node)
    strange = sorted((found.node.names() if found.node is not None else set()) - _BVLC_FIELDS)
    if strange:
        message = f"transform_param has {strange[0]}, a fork's field that may be in units of pixels"
        raise Refusal("fork-transform", message, found.node)
    if found.mean_nodes and found.mean_file:
        message = "mean_value and mean_file are both given, so Caffe aborts; delete one of them"
        raise Refusal("two-means", message, found.mean_nodes[0])


def _transform(layer: Layer) -> _Transform:
    node = layer.node.message("transform_param")
    if node is None:
        return _Transform(
            layer=layer, node=None, scale=1.0, scale_node=None, means=(), mean_nodes=(), file_node=None
        )
    scales, means = list(node.fields("scale")), tuple(node.fields("mean_value"))
    for once in (list(layer.node.fields("transform_param")), scales, list(node.fields("mean_file"))):
        if len(once) > 1:
            raise Refusal("given-twice", f"{once[1].name} is given twice; run caffefix on it first", once[1])
    numbers = [number_value(field.value) for field in (*scales, *means)]
    for field, number in zip((*scales, *means), numbers, strict=True):
        if number is None or not math.isfinite(number):
            raise Refusal("no-number", f"{field.name} {field.value} is not a number", field)
    found = [float32(number) for number in numbers if number is not None]
    scale = found[0] if scales else 1.0
    if not scale:
        raise Refusal("no-number", "the scale is 0: the net sees only zeros", scales[0])
    return _Transform(
        layer=layer,
        node=node,
        scale=scale,
        scale_node=scales[0] if scales else None,
        means=tuple(found[len(scales) :]),
        mean_nodes=means,
        file_node=node.field("mean_file"),
    )


def _seen(pixel: float, mean: float, scale: float) -> float:
    """(x − mean) · scale, rounded as in Caffe's floats."""
    return float32(float32(float32(pixel) - mean) * scale)


def _words(found: _Transform) -> tuple[str, str]:
    means = ", ".join(map(float_text, found.means)) or one_line(found.mean_file) or "none"
    return means, float_text(found.scale)


def beside(name: str, new: Range) -> str:
    """The name of a new mean file: ``mean.binaryproto`` for 0..1 becomes ``mean_0to1.binaryproto``."""
    folder, slash, file = name.rpartition("/")
    stem, dot, suffix = file.rpartition(".")
    tail = f"_{number_text(new.low)}to{number_text(new.high)}"
    return f"{folder}{slash}{stem or file}{tail}{dot}{suffix if stem else ''}"
