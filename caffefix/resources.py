"""Files: where ``grammar/`` and ``patches/`` are, and what is in a file. ``pathlib`` is slow to import."""

from __future__ import annotations

from os.path import abspath, dirname, exists, isfile, join, realpath

_PACKAGE = dirname(realpath(abspath(__file__)))


def resource(path: str) -> str:
    """The file or folder of that name: beside the package in a checkout, inside it in a wheel.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    tree = dirname(_PACKAGE)
    # A stranger's folder called grammar/ beside site-packages is not ours: the source
    # tree is known by its pyproject.toml.
    roots = [tree] if isfile(join(tree, "pyproject.toml")) else []
    for root in (*roots, join(_PACKAGE, "_data")):
        candidate = join(root, path)
        if exists(candidate):
            return candidate
    raise FileNotFoundError(f"caffefix is not installed completely: {path} is missing")


def content(path: str) -> bytes:
    """What is in a file."""
    with open(path, "rb") as file:
        return file.read()
