"""Model files for tests, written byte by byte: protobuf's wire format, in all the ways that Caffe reads."""

from __future__ import annotations

import struct
from collections.abc import Sequence


def varint(value: int) -> bytes:
    value &= 0xFFFFFFFFFFFFFFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    """A varint field."""
    return varint(field << 3) + varint(value)


def text(field: int, value: bytes | str) -> bytes:
    """A field of bytes: a string or a message."""
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def count(shape: Sequence[int]) -> int:
    product = 1
    for dim in shape:
        product *= dim
    return product


def values(shape: Sequence[int]) -> list[float]:
    """Some numbers, all different."""
    return [0.5 + index / 8 for index in range(count(shape))]


def blob(shape: Sequence[int], *, data: Sequence[float] | None = None, double: bool = False, packed: bool = True,
         legacy: bool = False, both: Sequence[int] | None = None, raw: str = "") -> bytes:  # fmt: skip
    """A BlobProto.

    Args:
        shape: its dimensions; with ``legacy`` num, channels, height, width.
        data: the numbers.
        double: whether they are stored as doubles.
        packed: whether they are one field.
        legacy: whether the shape is stored in the old way.
        both: a shape in the new way beside the old one.
        raw: NVCaffe's raw data: a format of ``struct``.
    """
    found = values(shape) if data is None else list(data)
    out = b""
    if legacy:
        out += b"".join(number(field, dim) for field, dim in zip((1, 2, 3, 4), shape, strict=True))
    if not legacy or both is not None:
        dims = both if both is not None else shape
        out += (
            text(7, text(1, b"".join(map(varint, dims))))
            if packed
            else text(7, b"".join(number(1, d) for d in dims))
        )
    if raw:
        kinds = {"d": 0, "f": 1, "e": 2}
        return out + number(10, kinds[raw]) + text(12, struct.pack(f"<{len(found)}{raw}", *found))
    field, letter = (8, "d") if double else (5, "f")
    if packed:
        return out + text(field, struct.pack(f"<{len(found)}{letter}", *found))
    wire = 1 if double else 5
    return out + b"".join(varint(field << 3 | wire) + struct.pack(f"<{letter}", value) for value in found)


def layer(name: str, type_: str, *blobs: bytes, bottoms: Sequence[str] = (), tops: Sequence[str] = ()) -> bytes:
    """A layer of V2, as a field of the net."""
    body = text(1, name) + text(2, type_)
    body += b"".join(text(3, b) for b in bottoms) + b"".join(text(4, t) for t in tops)
    return text(100, body + b"".join(text(7, b) for b in blobs))


def layer_v1(name: str, type_: int, *blobs: bytes) -> bytes:
    """A layer of V1."""
    return text(2, text(4, name) + number(5, type_) + b"".join(text(6, b) for b in blobs))


def layer_v0(name: str, type_: str, *blobs: bytes) -> bytes:
    """A layer of V0."""
    return text(2, text(1, text(1, name) + text(2, type_) + b"".join(text(50, b) for b in blobs)))


def model(*parts: bytes, name: str = "net") -> bytes:
    """A NetParameter."""
    return text(1, name) + b"".join(parts)
