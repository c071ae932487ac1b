"""Where ``grammar/`` and ``patches/`` are: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def resource(path: str) -> Path:
    """The file or folder of that name, the source tree's first.

    Raises:
        FileNotFoundError: the installation is incomplete.
    """
    for root in (_PACKAGE.parent, _PACKAGE / "_data"):
        # A stranger's folder called grammar/ beside site-packages is not ours: the source
        # tree is known by its pyproject.toml.
        if root.name == "_data" or (root / "pyproject.toml").is_file():
            candidate = root / path
            if candidate.exists():
                return candidate
    raise FileNotFoundError(f"caffefix is not installed completely: {path} is missing")
