"""Reading and writing a user's files. One function writes."""

from __future__ import annotations

import os
import stat
import sys

from caffefix.resources import content
from caffefix.syntax.source import visible


class FileError(Exception):
    """A file that cannot be read or written; the message says why and what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(visible(message))


def read(path: str) -> bytes:
    """The content of a file.

    Raises:
        FileError: it is not there, is no regular file, or may not be read.
    """
    try:
        mode = os.stat(path).st_mode
        if stat.S_ISDIR(mode):
            if os.access(path, os.R_OK | os.X_OK):
                raise FileError(f"{visible(path)}: a folder where a file is wanted")
            raise FileError(f"{visible(path)}: the folder cannot be searched; check its permissions")
        if not stat.S_ISREG(mode):
            raise FileError(f"{visible(path)}: not a regular file")
        return content(path)
    except OSError as error:
        raise FileError(f"{visible(path)}: cannot be read: {error.strerror or error}") from error


def read_once(path: str) -> bytes:
    """The content of a file, of standard input (``-``), or of a pipe, which gives it once.

    Raises:
        FileError: as ``read``; a pipe is read for as long as somebody writes into it.
    """
    if path == "-":
        return sys.stdin.buffer.read()
    try:
        if stat.S_ISFIFO(os.stat(path).st_mode):
            return content(path)
    except OSError as error:
        raise FileError(f"{visible(path)}: cannot be read: {error.strerror or error}") from error
    return read(path)


def write(path: str, old: bytes | None, new: bytes, backup: str = "") -> None:
    """Give a file its content in one step: whoever looks sees the old one or the new one.

    A link is followed, not replaced; the mode is kept, and the owner where the system lets us. Other
    hard links to the file keep the old content. The content must still be what was read.

    Args:
        path: the file.
        old: its content as it was read; None for a file that is not there yet, and must not be.
        new: its content from now on.
        backup: what is put behind its name for the old content to be kept; nothing for not keeping it.

    Raises:
        FileError: the file changed or appeared meanwhile, there is another backup, or it may not be written.
            It is as it was.
    """
    real = os.path.realpath(path)
    temporary = ""
    try:
        status = None
        if old is not None:
            status = os.stat(real)
            if not status.st_mode & 0o222 or not os.access(real, os.W_OK):
                raise FileError(f"{visible(path)}: not written: the file is read-only")
        # Named before it is made, so that an interruption at any moment finds it to clean it up.
        temporary = os.path.join(os.path.dirname(real), f".caffefix-{os.urandom(8).hex()}")
        with open(temporary, "xb", opener=_private if status is not None else None) as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        if status is None:
            os.link(temporary, real)  # fails where there is a file: a rename would replace it
        else:
            _take_over(temporary, status)
            now = content(real)
            if now == new:
                return  # another run was faster
            if now != old:
                raise FileError(f"{visible(path)}: not written: it changed while it was being repaired; run again")
            if backup:
                _keep(real, real + backup, now)
            os.replace(temporary, real)
            temporary = ""
        _sync_folder(os.path.dirname(real))
    except FileExistsError:
        raise FileError(f"{visible(path)}: not written: there is a file already") from None
    except OSError as error:
        raise FileError(f"{visible(path)}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary:
            _unlink(temporary)


def _keep(real: str, copy: str, data: bytes) -> None:
    """Give the old content a second name, under which it stays when the first one gets the new content."""
    try:
        os.link(real, copy)
    except FileExistsError:
        if content(copy) != data:
            raise FileError(
                f"{visible(real)}: not written: there is another backup of it, {copy}; move it away"
            ) from None
    except OSError:  # the file system has no links
        write(copy, None, data)


def _unlink(path: str) -> None:
    """Delete a file that may be gone."""
    from contextlib import suppress  # only where something is written

    with suppress(OSError):
        os.unlink(path)


def put(path: str, data: bytes, *, force: bool = False) -> None:
    """Write a new file; with ``force``, in place of one that is there.

    Raises:
        FileError: there is a file already, or it may not be written.
    """
    if not os.path.lexists(path):
        write(path, None, data)
    elif not force:
        raise FileError(f"{visible(path)}: not written: there is a file already; --force replaces it")
    else:
        write(path, read(path), data)


def _take_over(temporary: str, status: os.stat_result) -> None:
    """Give a new file the mode of the one that it replaces, and the owner where the system lets us."""
    os.chmod(temporary, stat.S_IMODE(status.st_mode))
    from contextlib import suppress

    with suppress(PermissionError):
        os.chown(temporary, status.st_uid, status.st_gid)


def _private(path: str, flags: int) -> int:
    """Opens a file that nobody else may read until it has its own mode."""
    return os.open(path, flags, 0o600)


def _sync_folder(folder: str) -> None:
    """Make the replacement itself durable, where the system can."""
    from contextlib import suppress

    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
