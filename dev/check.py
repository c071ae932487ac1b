"""The fast checks: style, types, and the tests of some findings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_TESTS = (
    "tests/fixers/test_goldens.py",
    "tests/house/test_pages.py",
    "tests/house/test_layers.py",
    "tests/house/test_stale_index.py",
)


def run(names: Sequence[str]) -> int:
    """Run all, whatever fails; the worst exit status.

    Args:
        names: of findings; all by default.
    """
    chosen = ["-k", " or ".join(names)] if names else []
    commands = (
        ["ruff", "check", "."],
        ["ruff", "format", "--check", "."],
        ["mypy"],
        ["pytest", "-q", "-n", "auto", *_TESTS, *chosen],
    )
    return max(
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode for command in commands
    )
