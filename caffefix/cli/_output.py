"""Writing to streams that may be closed, narrow, or no terminal."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO


def write(stream: BinaryIO, data: bytes) -> None:
    try:
        sys.stdout.flush()
        stream.write(data)
        stream.flush()
    except BrokenPipeError:
        _deafen(stream)


def say(stream: Any, text: str) -> None:
    try:
        stream.write(_printable(text, stream))
        stream.flush()
    except BrokenPipeError:
        _deafen(stream)


def _deafen(stream: Any) -> None:
    """Nobody listens any more (``| head``): what is under way is finished all the same."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def colour(stream: Any) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def _printable(text: str, stream: Any) -> str:
    """Text that a stream of any encoding takes; file names may hold any bytes."""
    encoding = stream.encoding or "utf-8"
    return (
        text.encode("utf-8", "surrogateescape")
        .decode("utf-8", "replace")
        .encode(encoding, "replace")
        .decode(encoding)
    )
