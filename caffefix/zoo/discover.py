"""Which files a command line means."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator

# .pt is also what PyTorch calls its archives: those are told by their first bytes.
SUFFIXES = (".prototxt", ".prototxt.txt", ".pt")
_SNIFF = 512


def _nothing(path: str) -> bool:
    return False


def discover(paths: Iterable[str], excluded: Callable[[str], bool] = _nothing) -> Iterator[str]:
    """The files to work on, each once.

    Files that are named are taken whatever they are called. Folders are searched for prototxt
    files in the order of their names; hidden folders are left out, and links to folders are
    not followed.

    Args:
        paths: files and folders.
        excluded: whether a file or folder is passed over where a folder is searched. Paths that are
            named are taken all the same.
    """
    seen: set[str] = set()
    for path in paths:
        for found in _walk(path, excluded) if os.path.isdir(path) else [path]:
            real = os.path.realpath(found)
            if real not in seen:
                seen.add(real)
                yield found


def _walk(folder: str, excluded: Callable[[str], bool]) -> Iterator[str]:
    closed: list[str] = []  # reading one of these will tell why it cannot be searched
    yield from _found(folder, closed, excluded)
    yield from closed


def _found(folder: str, closed: list[str], excluded: Callable[[str], bool]) -> Iterator[str]:
    for root, folders, files in os.walk(folder, onerror=lambda error: closed.append(error.filename)):
        open_ = (name for name in folders if not name.startswith("."))
        folders[:] = sorted(name for name in open_ if not excluded(os.path.join(root, name)))
        for name in sorted(files):
            path = os.path.join(root, name)
            if name.endswith(SUFFIXES) and not (name.endswith(".pt") and _is_binary(path)):
                if not excluded(path):
                    yield path


def _is_binary(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            head = file.read(_SNIFF)
    except OSError:
        return False  # reading it will tell why
    return b"\0" in head or head.startswith((b"PK", b"\x80"))
