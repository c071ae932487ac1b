"""What distinguishes this version of the tool from others."""

from __future__ import annotations

import os
from functools import cache
from hashlib import blake2b
from pathlib import Path

from caffefix import __version__

_PACKAGE = Path(__file__).resolve().parent.parent
_SOURCES = ("caffefix", "grammar", "patches")


@cache
def identity() -> str:
    """The version; in a source tree, where that says little, with a hash of all that determines a repair."""
    tree = _PACKAGE.parent
    if not (tree / "pyproject.toml").is_file():
        return __version__
    digest = blake2b(digest_size=8)
    for source in _SOURCES:
        for path in _files(tree / source):
            data = Path(path).read_bytes()
            digest.update(f"{os.path.relpath(path, tree)}\0{len(data)}\0".encode() + data)
    return f"{__version__}-{digest.hexdigest()}"


def _files(folder: Path) -> list[str]:
    found = []
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        found += [os.path.join(root, name) for name in files if not name.startswith(".")]
    return sorted(found)
