"""Report files: written during the run, and put in place only when it is complete."""

from __future__ import annotations

import contextlib
import os
import stat
from types import TracebackType

from caffefix.zoo.discover import SUFFIXES
from caffefix.zoo.files import FileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import IO


class ReportFile:
    """A report to a file, which keeps its old content until the report is complete.

    A pipe or a device is written to directly.

    Args:
        path: the file; it may contain an older report.

    Raises:
        FileError: it cannot be written, or has the name of a prototxt file, which a report must not replace.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._temporary = ""
        if path.endswith(SUFFIXES):
            raise FileError(f"{path}: not written: a report must not replace a prototxt file")
        try:
            self._stream = self._open(os.path.realpath(path))
        except OSError as error:
            raise self._failed(error) from error

    def _open(self, real: str) -> IO[str]:
        if os.path.exists(real) and not stat.S_ISREG(os.stat(real).st_mode):
            return open(real, "w", encoding="utf-8", errors="replace", newline="\n")
        self._temporary = f"{real}.{os.urandom(4).hex()}.tmp"
        return open(self._temporary, "x", encoding="utf-8", errors="replace", newline="\n")

    def write(self, text: str) -> None:
        """Append to the report."""
        try:
            self._stream.write(text)
        except OSError as error:
            raise self._failed(error) from error

    def __enter__(self) -> ReportFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Put the report in place; after an error, discard it."""
        try:
            self._stream.close()
            if self._temporary and kind is None:
                os.replace(self._temporary, os.path.realpath(self.path))
                self._temporary = ""
        except OSError as failure:
            if kind is None:
                raise self._failed(failure) from failure
        finally:
            if self._temporary:
                with contextlib.suppress(OSError):
                    os.unlink(self._temporary)

    def _failed(self, error: OSError) -> FileError:
        return FileError(f"{self.path}: the report cannot be written: {error.strerror or error}")
