"""Protobuf's wire format, without its messages: fields with their places, in files of any size.

Nothing is allocated for a length that the file does not have, and a field that is skipped is not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from caffefix._startup.records import dataclass

VARINT, EIGHT, BYTES, FOUR = 0, 1, 2, 5
_GROUP, _GROUP_END = 3, 4
# Bytes that are read at once.
_WINDOW = 1 << 16
_DEEPEST = 100  # messages within messages and groups that protobuf's own parser accepts


class WireError(Exception):
    """Bytes that are not a message.

    Attributes:
        offset: where.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message.

    Attributes:
        number: its number.
        wire: how it is encoded.
        start: offset of its tag.
        body: offset of its content.
        end: offset of what follows.
        value: of a varint; otherwise 0.
    """

    number: int
    wire: int
    start: int
    body: int
    end: int
    value: int = 0

    @property
    def size(self) -> int:
        """Length of its content in bytes."""
        return self.end - self.body


class Bytes:
    """Bytes in memory, to be read like a file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)

    def read(self, start: int, end: int) -> bytes:
        """A part; shorter if there is not as much."""
        return self._data[start:end]


class OpenFile:
    """A file that is read in parts. It may shrink meanwhile: then reads are short (a memory map would crash).

    Args:
        handle: an open file descriptor of a regular file.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self.size = os.fstat(handle).st_size
        self._start = 0
        self._window = b""

    def read(self, start: int, end: int) -> bytes:
        """A part; shorter if there is not as much."""
        if end - start > _WINDOW:
            return self._fetch(start, end)
        at = start - self._start
        if at < 0 or end - self._start > len(self._window):
            self._start, self._window, at = start, self._fetch(start, start + _WINDOW), 0
        return self._window[at : at + end - start]

    def _fetch(self, start: int, end: int) -> bytes:
        parts = []
        while start < end and (part := os.pread(self._handle, end - start, start)):
            parts.append(part)
            start += len(part)
        return b"".join(parts)


Store = Bytes | OpenFile


def fields(store: Store, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """The fields of a message.

    Args:
        store: where it is.
        start: its offset.
        end: offset of what follows; by default the end of the store.

    Raises:
        WireError: it is not a message, or cut off.
    """
    at, last = start, store.size if end is None else end
    while at < last:
        field = _field(store, at, last)
        yield field
        at = field.end


def _field(store: Store, start: int, last: int) -> Field:
    tag, at = varint(store, start, last)
    number, wire = tag >> 3, tag & 7
    if not number or tag >> 32:
        raise WireError(f"there is no field {number}", start)
    if wire == VARINT:
        value, end = varint(store, at, last)
        return Field(number, wire, start, at, end, value)
    if wire == BYTES:
        size, body = varint(store, at, last)
        if size > last - body:
            raise WireError(f"field {number} has {size} bytes, but only {last - body} follow", start)
        return Field(number, wire, start, body, body + size)
    if wire in (EIGHT, FOUR):
        size = 8 if wire == EIGHT else 4
        if size > last - at:
            raise WireError(f"field {number} is cut off", start)
        return Field(number, wire, start, at, at + size)
    if wire == _GROUP:
        return Field(number, wire, start, at, _group_end(store, number, start, at, last))
    raise WireError(
        f"there is no wire type {wire}" if wire != _GROUP_END else "a group ends that never began", start
    )


def _group_end(store: Store, number: int, start: int, at: int, last: int) -> int:
    """The end of a group, which protobuf once had and still skips."""
    open_ = [number]
    while open_:
        if at >= last or len(open_) > _DEEPEST:
            raise WireError(f"group {number} does not end", start)
        tag, after = varint(store, at, last)
        if tag & 7 == _GROUP:
            open_.append(tag >> 3)
            at = after
        elif tag & 7 == _GROUP_END:
            if open_.pop() != tag >> 3:
                raise WireError("a group ends that never began", at)
            at = after
        else:
            at = _field(store, at, last).end
    return at


def varint(store: Store, at: int, last: int) -> tuple[int, int]:
    """A number of seven bits a byte, and the offset of what follows."""
    head = store.read(at, min(at + 10, last))
    value = 0
    for index, byte in enumerate(head):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, at + index + 1
    raise WireError("a number is cut off" if len(head) < 10 else "a number of more than ten bytes", at)
