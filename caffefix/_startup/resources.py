"""Files: where ``grammar/`` and ``patches/`` are, and what is in a file. ``pathlib`` is slow to import."""

from __future__ import annotations

from binascii import crc32
from os.path import abspath, dirname, exists, isfile, join, realpath

_PACKAGE = dirname(dirname(realpath(abspath(__file__))))


def resource(path: str) -> str:
    """The file or folder of that name: beside the package in a checkout, inside it in a wheel.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    # A stranger's folder called grammar/ beside site-packages is not ours.
    roots = [dirname(_PACKAGE)] if in_source_tree() else []
    for root in (*roots, join(_PACKAGE, "_data")):
        candidate = join(root, path)
        if exists(candidate):
            return candidate
    raise FileNotFoundError(f"caffefix is not installed completely: {path} is missing")


def in_source_tree() -> bool:
    """Whether this is a checkout, where files are edited; it is known by its pyproject.toml."""
    return isfile(join(dirname(_PACKAGE), "pyproject.toml"))


def sum_of(*paths: str) -> int:
    """A checksum of what is in some files: what was made of them is stale when it is another one."""
    total = 0
    for path in paths:
        total = crc32(content(path), total)
    return total


def content(path: str) -> bytes:
    """What is in a file."""
    with open(path, "rb") as file:
        return file.read()
