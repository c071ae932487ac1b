"""A secret of the user's, by which the tool knows what it wrote itself.

It lies in the user's own folder for state, never in a repository and never in a cache folder, so that
nobody who hands over files can have made what carries its mark.
"""

from __future__ import annotations

import contextlib
import os
import stat

_SIZE = 32
_NAME = "cache-secret"


class SecretError(Exception):
    """There is no secret that could be trusted; the message says why and what to do."""


def secret() -> bytes:
    """The secret; it is made at first use.

    Raises:
        SecretError: it cannot be made or read, or somebody else may know or have made it.
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
    """Put a new secret there, whole; where another process was faster, its secret stays."""
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
        raise SecretError(f"{path}: not a secret that only you can read; delete it, and a new one is made")
    return found
