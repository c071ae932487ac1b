"""Reading and writing a user's files. One function writes."""

from __future__ import annotations

import os
import stat
import sys

from caffefix.syntax.source import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO


# The maximum number of bytes that are read of a file; docs/limits.md has these figures.
NET = 1 << 26  # a net, a solver, and any other file without a limit of its own
LIST = 1 << 20  # configuration, ignore rules, a patch
MEAN = 1 << 28  # a mean file
PATHS = 1 << 26  # a list of paths


class FileError(Exception):
    """A file that cannot be read or written; the message says why and what to do.

    Attributes:
        is_too_large: whether the file was not read because of its length.
    """

    def __init__(self, message: str, *, is_too_large: bool = False) -> None:
        super().__init__(visible(message))
        self.is_too_large = is_too_large


def read(path: str, most: int = NET) -> bytes:
    """The content of a file.

    Args:
        path: the file.
        most: the maximum number of bytes.

    Raises:
        FileError: it does not exist, is not a regular file, is too large, or cannot be read.
    """
    try:
        handle = open_regular(path)
        try:
            return _bounded(path, lambda size: os.read(handle, size), most)
        finally:
            os.close(handle)
    except OSError as error:
        raise FileError(f"{visible(path)}: cannot be read: {error.strerror or error}") from error


# Opening must not wait for the other end of a pipe, nor take control of a terminal.
_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
_CHUNK = 1 << 20


def open_regular(path: str) -> int:
    """A regular file, open."""
    _check_kind(path, os.stat(path).st_mode)
    handle = os.open(path, _READING)
    try:
        # The file may have been replaced meanwhile, for example by a pipe that nobody writes into.
        _check_kind(path, os.fstat(handle).st_mode)
    except BaseException:
        os.close(handle)
        raise
    return handle


def stream(path: str) -> BinaryIO:
    """A file or pipe of any length, for reading piece by piece; opening a pipe waits for its writer.

    Raises:
        FileError: it is neither a file nor a pipe.
        OSError: it does not exist or cannot be read.
    """
    if stat.S_ISFIFO(os.stat(path).st_mode):
        return open(path, "rb")
    return os.fdopen(open_regular(path), "rb")


def _check_kind(path: str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        if os.access(path, os.R_OK | os.X_OK):
            raise FileError(f"{visible(path)}: this is a folder, but a file is needed")
        raise FileError(f"{visible(path)}: the folder cannot be searched; check its permissions")
    if not stat.S_ISREG(mode):
        raise FileError(f"{visible(path)}: not a regular file")


def head(path: str, size: int) -> bytes:
    """The first bytes of a file; empty if it cannot be read."""
    try:
        handle = os.open(path, _READING)
    except OSError:
        return b""
    try:
        return os.read(handle, size) if stat.S_ISREG(os.fstat(handle).st_mode) else b""
    except OSError:
        return b""
    finally:
        os.close(handle)


def _bounded(path: str, read: Callable[[int], bytes], most: int) -> bytes:
    """All that can be read, up to the maximum size."""
    parts = []
    left = most + 1
    while left > 0 and (part := read(min(left, _CHUNK))):
        parts.append(part)
        left -= len(part)
    if left <= 0:
        raise FileError(
            f"{visible(path)}: larger than {most >> 20} MiB, the maximum for such a file",
            is_too_large=True,
        )
    return b"".join(parts)


def digest_of(data: bytes) -> bytes:
    """A digest that shows whether a file is still what was read."""
    from hashlib import blake2b  # only where something changes

    return blake2b(data, digest_size=16).digest()


def read_once(path: str, most: int = NET) -> bytes:
    """The content of a file, of standard input (``-``), or of a pipe, which can be read only once.

    Raises:
        FileError: as for ``read``; a pipe is read until its writer closes it.
    """
    if path == "-":
        return standard_input(most)
    try:
        if stat.S_ISFIFO(os.stat(path).st_mode):
            with open(path, "rb") as file:
                return _bounded(path, file.read, most)
    except OSError as error:
        raise FileError(f"{visible(path)}: cannot be read: {error.strerror or error}") from error
    return read(path, most)


def standard_input(most: int = NET) -> bytes:
    """All that is on standard input.

    Raises:
        FileError: it cannot be read, or is too large.
    """
    try:
        return _bounded("<stdin>", sys.stdin.buffer.read, most)
    except OSError as error:
        raise FileError(f"<stdin>: cannot be read: {error.strerror or error}") from error


def write(path: str, old: bytes | None, new: bytes, backup: str = "") -> None:
    """Replace a file's content atomically: readers see either the old content or the new.

    A termination signal is held back until this is done. A link is followed, not replaced; mode, attributes and
    access list are kept as they are at that moment, and the owner where the system allows it. Other hard links to
    the file keep the old content. The content must still be what was read, and the file the same.

    Args:
        path: the file.
        old: its content as it was read; None for a file that must not exist yet.
        new: its new content.
        backup: suffix of the backup that keeps the old content; empty for no backup.

    Raises:
        FileError: the file changed or appeared meanwhile, there is a different backup, or it cannot be written.
            The file is then unchanged.
    """
    from caffefix.zoo.signals import held  # only where something is written

    with held():
        _write(path, old, new, backup)


def _write(path: str, old: bytes | None, new: bytes, backup: str) -> None:
    real = os.path.realpath(path)
    temporary = ""
    try:
        before = None
        if old is not None:
            before = os.lstat(real)
            if not before.st_mode & 0o222 or not os.access(real, os.W_OK):
                raise FileError(f"{visible(path)}: not written: the file is read-only")
        temporary = os.path.join(os.path.dirname(real), f".caffefix-{os.urandom(8).hex()}")
        with open(temporary, "xb", opener=_private if before is not None else None) as file:
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
        if before is None or old is None:
            os.link(temporary, real)  # fails if the file exists, which a rename would replace
        elif _is_as_it_was(path, real, before, old, new=new, temporary=temporary):
            if backup:
                _keep(real, real + backup, old)
            os.replace(temporary, real)
            temporary = ""
        else:
            return  # another run was faster
        _sync_folder(os.path.dirname(real))
    except FileExistsError:
        raise FileError(f"{visible(path)}: not written: the file already exists") from None
    except OSError as error:
        raise FileError(f"{visible(path)}: cannot be written: {error.strerror or error}") from error
    finally:
        if temporary:
            _unlink(temporary)


def _is_as_it_was(path: str, real: str, before: os.stat_result, old: bytes, new: bytes, temporary: str) -> bool:
    """Check a file again, and give its replacement the same properties; False if it has already been replaced.

    Changes to the file between this check and the replacement, which follows at once, are lost.

    Raises:
        FileError: its content has changed, or something different is in its place.
    """
    if stat.S_ISLNK(os.lstat(real).st_mode):
        raise FileError(f"{visible(path)}: not written: a link was put in its place; run again")
    handle = os.open(real, _READING | getattr(os, "O_NOFOLLOW", 0))
    try:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode):
            raise FileError(f"{visible(path)}: not written: it is no longer a regular file")
        now = _bounded(path, lambda size: os.read(handle, size), max(len(old), len(new)) + 1)
        if now == new:
            return False
        if now != old:
            raise FileError(f"{visible(path)}: not written: it changed while it was being repaired; run again")
        if not os.path.samestat(status, before):
            raise FileError(f"{visible(path)}: not written: another file was put in its place; run again")
        _take_over(temporary, handle, status)
    finally:
        os.close(handle)
    return True


def _keep(real: str, copy: str, data: bytes) -> None:
    """Give the old content a second name, which keeps it when the first name gets the new content."""
    try:
        os.link(real, copy)
    except FileExistsError:
        if read(copy) != data:
            raise FileError(
                f"{visible(real)}: not written: there is a different backup of it, {copy}; move it away"
            ) from None
    except OSError:  # the file system does not support links
        write(copy, None, data)


def _unlink(path: str) -> None:
    """Delete a file that may no longer exist."""
    from contextlib import suppress  # only where something is written

    with suppress(OSError):
        os.unlink(path)


def put(path: str, data: bytes, *, force: bool = False) -> None:
    """Write a new file; with ``force``, replace an existing one.

    Raises:
        FileError: the file already exists, or cannot be written.
    """
    if not os.path.lexists(path):
        write(path, None, data)
    elif not force:
        raise FileError(f"{visible(path)}: not written: the file already exists; --force replaces it")
    else:
        write(path, read(path), data)


def _take_over(temporary: str, handle: int, status: os.stat_result) -> None:
    """Give a new file the owner, mode and attributes of the open one that it replaces, where the system allows it.

    The order matters: a new owner clears special bits and capabilities, and an access list depends on the mode.
    """
    from contextlib import suppress

    mode = stat.S_IMODE(status.st_mode)
    made = os.lstat(temporary)
    if (made.st_uid, made.st_gid) != (status.st_uid, status.st_gid):
        try:
            os.chown(temporary, status.st_uid, status.st_gid)
        except PermissionError:
            mode &= 0o777  # a file that ran as its owner must not run as us
    os.chmod(temporary, mode)
    if hasattr(os, "listxattr"):
        with suppress(OSError):  # the file system has no attributes
            kept = os.listxattr(handle)
            for name in set(os.listxattr(temporary)) - set(kept):  # the folder's default access list
                with suppress(OSError):
                    os.removexattr(temporary, name)
            for name in kept:
                with suppress(OSError):
                    os.setxattr(temporary, name, os.getxattr(handle, name))


def _private(path: str, flags: int) -> int:
    """Opens a file that nobody else may read until its mode is set."""
    return os.open(path, flags, 0o600)


def _sync_folder(folder: str) -> None:
    """Make the replacement itself durable, where the system supports it."""
    from contextlib import suppress

    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
