"""Large binary files, open for reading in parts."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from caffefix.caffe.wire import OpenFile
from caffefix.syntax.source import visible
from caffefix.zoo.files import FileError, open_regular


@contextmanager
def open_store(path: str) -> Iterator[OpenFile]:
    """A file of any size, open for reading in parts.

    Raises:
        FileError: it does not exist, is not a regular file, or cannot be read.
    """
    try:
        handle = open_regular(path)
    except OSError as error:
        raise FileError(f"{visible(path)}: cannot be read: {error.strerror or error}") from error
    try:
        yield OpenFile(handle)
    except OSError as error:
        raise FileError(f"{visible(path)}: cannot be read: {error.strerror or error}") from error
    finally:
        os.close(handle)
