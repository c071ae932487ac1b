"""Reading training logs from files and from standard input."""

from __future__ import annotations

import sys
from collections.abc import Callable

from caffefix.evidence.logs.model import TrainingLog
from caffefix.evidence.logs.reader import NotALogError, read_log
from caffefix.zoo.files import FileError, stream

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO


def read(path: str, progress: Callable[[int], None] | None = None) -> TrainingLog:
    """The summary of a log; ``-`` is standard input.

    Args:
        path: a file, a pipe, or ``-``.
        progress: called with the number of bytes read, now and then.

    Raises:
        FileError: it cannot be read, or nothing in it was written by Caffe.
    """
    try:
        if path == "-":
            return _read("<stdin>", sys.stdin.buffer, progress)
        with stream(path) as file:
            return _read(path, file, progress)
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror or error}") from error


def _read(path: str, file: IO[bytes], progress: Callable[[int], None] | None) -> TrainingLog:
    try:
        return read_log(path, file, progress)
    except NotALogError as error:
        raise FileError(str(error)) from None
