"""Writing to streams that may be closed, be of a narrow encoding, or not be a terminal."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO


# Why standard output could not be written; empty while it can be.
_lost: list[OSError] = []


def write(stream: BinaryIO, data: bytes) -> None:
    try:
        sys.stdout.flush()
        stream.write(data)
        stream.flush()
    except OSError as error:
        _deafen(stream, error)


def show(diff: bytes) -> None:
    """Write a diff to standard output: unchanged for programs, in visible characters on a terminal."""
    if sys.stdout.isatty():
        from caffefix.syntax.source import seen

        say(sys.stdout, seen(diff))
    else:
        write(sys.stdout.buffer, diff)


def say(stream: Any, text: str) -> None:
    try:
        stream.write(_printable(text, stream))
        stream.flush()
    except OSError as error:
        _deafen(stream, error)


def lost() -> OSError | None:
    """Why standard output was not written completely; None if it was. The reason is then forgotten."""
    found = _lost[0] if _lost else None
    _lost.clear()
    return found


def lose(error: OSError) -> None:
    """Note that standard output is incomplete: the run continues, and reports this when it ends."""
    _lost.append(error)


def _deafen(stream: Any, error: OSError) -> None:
    """Discard further output: nobody reads it (``| head``) or there is no space left, yet the run must finish."""
    if stream in (sys.stdout, sys.stdout.buffer):
        lose(error)
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def colour(stream: Any) -> bool:
    if os.environ.get("NO_COLOR"):
        return False
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


def use_colour(when: str) -> None:
    """Let the command line decide whether output is coloured, for this process, its libraries and its children.

    Args:
        when: ``always``, ``never``, or ``auto`` for what the environment says.
    """
    if when != "auto":
        name, other = ("FORCE_COLOR", "NO_COLOR") if when == "always" else ("NO_COLOR", "FORCE_COLOR")
        os.environ.pop(other, None)
        os.environ[name] = "1"


def width(stream: Any) -> int:
    """Columns to wrap text to: those of the terminal, or 100 where there is none."""
    if not stream.isatty():
        return _COLUMNS
    try:
        return max(os.get_terminal_size(stream.fileno()).columns, _NARROW)
    except OSError:
        return _COLUMNS


def wrapped(line: str, stream: Any) -> str:
    """A line as a terminal shows it best: not broken within a word."""
    if not stream.isatty():
        return line
    from textwrap import fill

    return fill(line, width(stream), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


_COLUMNS = 100
_NARROW = 40


def _printable(text: str, stream: Any) -> str:
    """Text that the stream's encoding can represent; file names may hold any bytes."""
    encoding = stream.encoding or "utf-8"
    return (
        text.encode("utf-8", "surrogateescape")
        .decode("utf-8", "replace")
        .encode(encoding, "replace")
        .decode(encoding)
    )
