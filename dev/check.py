"""The fast checks: style, which is corrected, types, and the tests of some findings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Of each finding.
_OF_FINDINGS = ("tests/fixers/test_goldens.py", "tests/house/test_pages.py")
# Of the checkout: what an addition of any kind breaks first.
_OF_ALL = (
    "tests/house/test_words.py",
    "tests/house/test_docs.py",
    "tests/house/test_layers.py",
    "tests/house/test_stale_index.py",
    "tests/caffe/test_layer_book.py",
    "tests/caffe/test_fork_shapes.py",
    "tests/evidence/test_fork_signals.py",
    "tests/reports",
)


def run(names: Sequence[str]) -> int:
    """Run all, whatever fails; the worst exit status.

    Args:
        names: of findings, whose tests alone are run; by default those of all, and those of the checkout.
    """
    tests = [*_OF_FINDINGS, *_OF_ALL]
    if names:
        tests = [*_OF_FINDINGS, "tests/house/test_words.py", "-k", " or ".join((*names, "phrase"))]
    commands = (
        ["ruff", "check", "--fix-only", "-q", "."],
        ["ruff", "format", "-q", "."],
        ["ruff", "check", "."],
        ["mypy"],
        ["pytest", "-q", "-n", "auto", *tests],
    )
    return max(
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False).returncode for command in commands
    )
