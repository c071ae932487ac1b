"""Where ``grammar/`` and ``patches/`` are, and reading files without ``pathlib``, which is slow to import.

With it, a check of a small net takes 1.13 times the CPU time.
"""

from __future__ import annotations

from binascii import crc32
from os.path import abspath, dirname, exists, isfile, join, realpath

_PACKAGE = dirname(dirname(realpath(abspath(__file__))))


def resource(path: str) -> str:
    """The file or folder of that name: next to the package in a checkout, inside it in a wheel.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    # A folder called grammar/ next to site-packages belongs to somebody else.
    roots = [dirname(_PACKAGE)] if in_source_tree() else []
    for root in (*roots, join(_PACKAGE, "_data")):
        candidate = join(root, path)
        if exists(candidate):
            return candidate
    raise FileNotFoundError(f"caffefix is not installed completely: {path} is missing")


def in_source_tree() -> bool:
    """Whether this is a checkout, where files are edited: it has a pyproject.toml."""
    return isfile(join(dirname(_PACKAGE), "pyproject.toml"))


def sum_of(*paths: str) -> int:
    """A checksum of the contents of some files: when it changes, what was generated from them is stale."""
    total = 0
    for path in paths:
        total = crc32(content(path), total)
    return total


def content(path: str) -> bytes:
    """The contents of a file."""
    with open(path, "rb") as file:
        return file.read()
