"""Lines of a log of any length and any encoding, in bounded memory."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

CHUNK = 1 << 20
# No line of Caffe's is longer: glog cuts messages at 30,000 bytes. What follows in a line is skipped.
LIMIT = 1 << 16

_ANSI = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int, /) -> bytes: ...


class Line(NamedTuple):
    """A line, or a part of one between carriage returns.

    Attributes:
        number: counts from 1.
        text: Latin-1, without line ends and terminal colours.
        is_whole: False where it was too long, or the log ends in the middle of it.
    """

    number: int
    text: str
    is_whole: bool


def lines(stream: Readable, progress: Callable[[int], None] | None = None) -> Iterator[Line]:
    """The lines of a log.

    A carriage return inside a line splits it, as in progress bars; the parts have the same number. UTF-16 with a
    byte order mark (a PowerShell redirection) is also read.

    Args:
        stream: the log.
        progress: called with the number of bytes read, a chunk at a time.
    """
    for number, (raw, is_whole) in enumerate(_raw_lines(stream, progress), 1):
        text = raw.decode("latin-1")
        if "\x1b" in text:
            text = _ANSI.sub("", text)
        if "\r" not in text:
            yield Line(number, text, is_whole)
            continue
        *parts, last = text.split("\r")
        for part in filter(None, parts):
            yield Line(number, part, True)
        if last:
            yield Line(number, last, is_whole)


def _raw_lines(stream: Readable, progress: Callable[[int], None] | None) -> Iterator[tuple[bytes, bool]]:
    """Lines of at most LIMIT bytes, and whether they are whole."""
    tail = b""
    is_skipping = False  # the rest of a line that is too long
    for chunk in _chunks(stream, progress):
        first, *rest = chunk.split(b"\n")
        if not is_skipping:
            tail += first
        if len(tail) > LIMIT:
            tail, is_skipping = tail[:LIMIT], True
        if not rest:
            continue
        yield tail, not is_skipping
        tail, is_skipping = rest.pop(), False
        for line in rest:
            yield line[:LIMIT], len(line) <= LIMIT
        if len(tail) > LIMIT:
            tail, is_skipping = tail[:LIMIT], True
    if tail:
        yield tail, False


def _chunks(stream: Readable, progress: Callable[[int], None] | None) -> Iterator[bytes]:
    """Chunks of single-byte text or UTF-8."""
    done = 0
    decoder: codecs.IncrementalDecoder | None = None
    while chunk := stream.read(CHUNK):
        if done == 0 and chunk.startswith(_UTF_16):
            decoder = codecs.getincrementaldecoder("utf-16")(errors="replace")
        done += len(chunk)
        yield chunk if decoder is None else decoder.decode(chunk).encode("utf-8")
        if progress is not None:
            progress(done)
