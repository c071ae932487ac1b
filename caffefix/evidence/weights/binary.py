"""Binary NetParameters of every generation: layers and where their blobs are, without the numbers.

Numbers are those of caffe.proto: ``layers`` = 2 holds V1 layers, in which ``layer`` = 1 is a V0 layer; V2 layers
are in ``layer`` = 100. What protobuf skips is skipped; what it refuses is refused, with the offset.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.wire import BYTES, EIGHT, FOUR, VARINT, Field, Store, WireError, fields, varint
from caffefix.evidence.weights.model import Blob, Layout, Model, Numbers, SourceLayer

_NAME, _V1_LAYERS, _V2_LAYERS = 1, 2, 100
_INPUT, _INPUT_SIZES = 3, (4, 8)
_INT32 = 0xFFFFFFFF
# BlobProto: num … width, data, diff, shape, double_data, double_diff, raw_data_type, raw_data (NVCaffe's).
_SIZES = (1, 2, 3, 4)
_DATA, _SHAPE, _DOUBLES, _RAW_TYPE, _RAW = 5, 7, 8, 10, 12
# NVCaffe's BlobProto.raw_data_type (enum Type).
_RAW_LAYOUTS = (Layout.DOUBLE, Layout.FLOAT, Layout.HALF, Layout.INT, Layout.UINT)


@dataclass(frozen=True, slots=True)
class _Numbers:
    """Numbers of the fields of a layer: name, type, blobs."""

    name: int
    type: int
    blobs: int


_V2 = _Numbers(1, 2, 7)
_V1 = _Numbers(4, 5, 6)
_V0 = _Numbers(1, 2, 50)
_V0_LAYER = 1


def read_model(store: Store) -> Model:
    """What a model file holds.

    Raises:
        WireError: it is not a NetParameter, or cut off; with the offset.
    """
    name = ""
    has_input = has_sizes = False
    old: list[SourceLayer] = []
    new: list[SourceLayer] = []
    is_v0 = False
    for field in fields(store):
        has_input |= field.number == _INPUT
        has_sizes |= field.number in _INPUT_SIZES
        if field.wire != BYTES:
            continue
        if field.number == _NAME:
            name = _text(store, field)
        elif field.number == _V1_LAYERS:
            layer, first = _old_layer(store, field)
            is_v0 |= first
            old.append(layer)
        elif field.number == _V2_LAYERS:
            new.append(_layer(store, field, _V2))
    generation = "V0" if is_v0 else "V1" if old else "V2"
    layers = old or new
    if has_input and has_sizes:  # UpgradeNetInput
        layers = [SourceLayer("input", "Input", ()), *layers]
    return Model(name, generation, tuple(layers), has_both=bool(old and new), size=store.size)


def _old_layer(store: Store, field: Field) -> tuple[SourceLayer, bool]:
    """A layer of V1, or the layer of V0 in it; and whether it is the latter."""
    inner = [f for f in fields(store, field.body, field.end) if f.number == _V0_LAYER and f.wire == BYTES]
    if not inner:
        return _layer(store, field, _V1), False
    return _layer(store, inner[-1], _V0), True


def _layer(store: Store, message: Field, numbers: _Numbers) -> SourceLayer:
    name, type_ = "", ""
    blobs = []
    for field in fields(store, message.body, message.end):
        if field.number == numbers.name and field.wire == BYTES:
            name = _text(store, field)
        elif field.number == numbers.type:
            type_ = _text(store, field) if field.wire == BYTES else str(field.value)
        elif field.number == numbers.blobs and field.wire == BYTES:
            blobs.append(_blob(store, field))
    return SourceLayer(name, type_, tuple(blobs), message.start)


def _blob(store: Store, message: Field) -> Blob:
    sizes: dict[int, int] = {}
    dims: list[int] | None = None
    floats: list[Numbers] = []
    doubles: list[Numbers] = []
    raw: Field | None = None
    raw_type = 1
    for field in _without_runs(store, message, floats, doubles):
        if field.number in _SIZES and field.wire == VARINT:
            sizes[field.number] = _signed(field.value & _INT32, 32)
        elif field.number == _SHAPE and field.wire == BYTES:
            dims = [*(dims or ()), *_dims(store, field)]
        elif field.number == _RAW_TYPE and field.wire == VARINT:
            raw_type = field.value
        elif field.number == _RAW and field.wire == BYTES:
            raw = field
    legacy = tuple(sizes.get(number, 0) for number in _SIZES) if sizes else None
    is_raw = raw is not None and raw.size and raw_type < len(_RAW_LAYOUTS)
    packed = _packed(raw, _RAW_LAYOUTS[raw_type]) if raw is not None and is_raw else None
    # Blob::FromProto: doubles, if there are any, and then floats do not count.
    return Blob(_shape(dims), legacy, tuple(doubles or floats), packed)


def _shape(dims: Sequence[int] | None) -> tuple[int, ...] | None:
    return None if dims is None else tuple(dims)


def _without_runs(store: Store, message: Field, floats: list[Numbers], doubles: list[Numbers]) -> Iterator[Field]:
    """The fields of a blob other than its numbers, whose places are appended to the lists.

    Numbers that are not packed are a field each: runs of them are found without a look at each one.
    """
    at = message.body
    while at < message.end:
        field = next(fields(store, at, message.end))
        layouts = {_DATA: (floats, Layout.FLOAT, FOUR), _DOUBLES: (doubles, Layout.DOUBLE, EIGHT)}
        found = layouts.get(field.number)
        if found is None or field.wire not in (BYTES, found[2]):
            yield field
            at = field.end
            continue
        places, layout, single = found
        if field.wire == BYTES:
            places.append(_packed(field, layout))
            at = field.end
        elif field.wire == single:
            count = _run(store, field, message.end)
            places.append(Numbers(layout, field.body, count, field.end - field.start))
            at = field.start + count * (field.end - field.start)


def _packed(field: Field, layout: Layout) -> Numbers:
    if field.size % layout.size:
        raise WireError(f"{field.size} bytes of numbers that have {layout.size} each", field.start)
    return Numbers(layout, field.body, field.size // layout.size, layout.size)


def _run(store: Store, first: Field, last: int) -> int:
    """How many fields of the same number and kind follow each other, with the first."""
    step = first.end - first.start
    tag = store.read(first.start, first.body)
    if len(tag) != 1:
        return 1
    count, block = 1, 64
    most = (last - first.start) // step
    while count < most:
        size = min(block, most - count)
        at = first.start + count * step
        tags = store.read(at, at + size * step)[::step]
        same = len(tags) - len(tags.lstrip(tag)) if tags.strip(tag) else len(tags)
        count += same
        if same < size:
            break
        block = min(block * 2, 1 << 16)
    return count


def _dims(store: Store, field: Field) -> Iterator[int]:
    """The dimensions of a BlobShape, packed or not."""
    for dim in fields(store, field.body, field.end):
        if dim.number != 1:
            continue
        if dim.wire == VARINT:
            yield _signed(dim.value, 64)
        elif dim.wire == BYTES:
            at = dim.body
            while at < dim.end:
                value, at = varint(store, at, dim.end)
                yield _signed(value, 64)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def _text(store: Store, field: Field) -> str:
    """A name, one character per byte, as texts of nets are read."""
    return store.read(field.body, field.end).decode("latin-1")
