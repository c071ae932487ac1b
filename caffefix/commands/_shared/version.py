"""The line of ``caffefix --version``, for reports of bugs."""

from __future__ import annotations

import platform

from caffefix import __version__


def version() -> str:
    """The version of caffefix, and what it runs on."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"caffefix {__version__} ({python}, {platform.system()} {platform.machine()})"
