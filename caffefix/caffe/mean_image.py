"""Mean images: BlobProto messages in ``.binaryproto`` files, as ``compute_image_mean`` writes them.

Read in protobuf's wire format, so that every field except the numbers survives byte for byte. Fields
(caffe.proto): data = 5 (floats), double_data = 8; sizes in shape = 7, or num … width = 1 … 4.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from caffefix._startup.records import dataclass

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
_NUMBERS = {5: ("f", 4), 8: ("d", 8)}


class MeanError(Exception):
    """Bytes that are not a BlobProto with numbers; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class _Field:
    number: int
    wire: int
    start: int  # of the tag
    body: int
    end: int


def values(data: bytes) -> list[float]:
    """The numbers of a mean image, as float32 rounds them where they are floats.

    Raises:
        MeanError: it is not a BlobProto, or contains no numbers.
    """
    found: list[float] = []
    for field in _fields(data):
        if field.number in _NUMBERS:
            found += struct.unpack(_format(field), data[field.body : field.end])
    if not found:
        raise MeanError("it contains no numbers")
    return found


def mapped(data: bytes, factor: float, offset: float) -> bytes:
    """The same image with each number times a factor plus an offset; nothing else changes.

    Raises:
        MeanError: as for ``values``, or a result does not fit into a float.
    """
    parts = []
    for field in _fields(data):
        if field.number in _NUMBERS:
            form = _format(field)
            new = [factor * v + offset for v in struct.unpack(form, data[field.body : field.end])]
            parts.append(data[field.start : field.body])
            try:
                parts.append(struct.pack(form, *new))
            except OverflowError:
                raise MeanError("a number does not fit into a float") from None
        else:
            parts.append(data[field.start : field.end])
    return b"".join(parts)


def _format(field: _Field) -> str:
    letter, size = _NUMBERS[field.number]
    if field.wire not in (_BYTES, {4: _FOUR, 8: _EIGHT}[size]) or (field.end - field.body) % size:
        raise MeanError(f"field {field.number} does not contain numbers")
    return f"<{(field.end - field.body) // size}{letter}"


def _fields(data: bytes) -> Iterator[_Field]:
    at = 0
    while at < len(data):
        start = at
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            body = at
            _, end = _varint(data, at)
        elif wire == _BYTES:
            size, body = _varint(data, at)
            end = body + size
        elif wire in (_EIGHT, _FOUR):
            body, end = at, at + (8 if wire == _EIGHT else 4)
        else:
            raise MeanError(f"it is not a BlobProto: wire type {wire} at byte {start}")
        if end > len(data) or not number:
            raise MeanError(f"it is not a BlobProto, or cut off: field {number} at byte {start}")
        yield _Field(number, wire, start, body, end)
        at = end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise MeanError(f"it is not a BlobProto, or cut off at byte {at}")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at
