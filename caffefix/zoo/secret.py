"""A secret of the user, by which the tool recognises what it wrote itself.

It is kept in the user's own state folder, never in a repository and never in a cache folder, so
nobody who provides files can have made anything with its mark.
"""

from __future__ import annotations

import contextlib
import os
import stat

_SIZE = 32
_NAME = "cache-secret"


class SecretError(Exception):
    """There is no trustworthy secret; the message says why and what to do."""


def secret() -> bytes:
    """The secret; it is created on first use.

    Raises:
        SecretError: it cannot be created or read, or somebody else may know it or have created it.
    """
    from platformdirs import user_state_dir

    folder = user_state_dir("caffefix", appauthor=False)
    path = os.path.join(folder, _NAME)
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        if not os.path.lexists(path):
            _make(folder, path)
        return _read(path)
    except OSError as error:
        raise SecretError(f"{path}: {error.strerror or error}") from error


def _make(folder: str, path: str) -> None:
    """Create a new secret atomically; if another process was faster, its secret is kept."""
    temporary = os.path.join(folder, f".new-{os.urandom(8).hex()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(handle, "wb") as file:
            file.write(os.urandom(_SIZE))
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        os.unlink(temporary)


def _read(path: str) -> bytes:
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        ours = not hasattr(os, "geteuid") or (
            status.st_uid == os.geteuid() and not stat.S_IMODE(status.st_mode) & 0o077
        )
        found = file.read(_SIZE + 1) if stat.S_ISREG(status.st_mode) and ours else b""
    if len(found) != _SIZE:
        raise SecretError(f"{path}: not a secret that only you can read; delete it, and a new one will be created")
    return found
