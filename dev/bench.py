"""The measuring programs in ``bench/``: which there are, and how one is run."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def benches() -> dict[str, str]:
    """The name of each, and what it measures."""
    files = sorted(path for path in (ROOT / "bench").glob("*.py") if not path.name.startswith("_"))
    return {path.stem: _summary(path) for path in files}


def _summary(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return text.partition("\n")[0]


def run(name: str, args: Sequence[str]) -> int:
    """Run one; its exit status."""
    return subprocess.run([sys.executable, f"bench/{name}.py", *args], cwd=ROOT, check=False).returncode
