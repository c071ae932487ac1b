"""Builds a release from the last commit, and tries what was built; uploading is left to a person."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_CASE = "golden/seeds/s000_train"


class NotReadyError(Exception):
    """The release cannot be made; the message says what is missing."""


def release(version: str, into: Path) -> Iterator[str]:
    """Build the wheel and the sdist of a version, and install each where nothing else is.

    Args:
        version: as in the package and the changelog.
        into: folder for the two files.

    Raises:
        NotReadyError: versions differ, something is not committed, or what was built does not work.
    """
    _check(version)
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "caffefix"
        _run("git", "clone", "-q", str(ROOT), str(clone))
        into.mkdir(parents=True, exist_ok=True)
        _run(sys.executable, "-m", "build", "--outdir", str(into.resolve()), cwd=clone)
        for file in sorted(into.glob(f"caffefix-{version}*")):
            _try(file.resolve(), Path(folder) / file.name.replace(".", "-"))
            yield f"{file}: installed alone, it repairs {_CASE} as expected"
    yield f"now: git tag v{version}, push the tag, upload what is in {into}"


def _check(version: str) -> None:
    said = re.search(r'^__version__ = "(.*)"', (ROOT / "caffefix/__init__.py").read_text(encoding="utf-8"), re.M)
    if said is None or said[1] != version:
        raise NotReadyError(f"caffefix/__init__.py says {said[1] if said else 'nothing'}, not {version}")
    if f"\n## {version} " not in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"):
        raise NotReadyError(f"CHANGELOG.md has no section '## {version} (date)'")
    if _run("git", "status", "--porcelain"):
        raise NotReadyError("something is not committed: see git status")


def _try(file: Path, folder: Path) -> None:
    """Install a file in an environment of its own, and repair a net with it, away from the checkout."""
    _run(sys.executable, "-m", "venv", str(folder))
    _run(str(folder / "bin/python"), "-m", "pip", "install", "-q", str(file))
    case = ROOT / _CASE
    done = subprocess.run(
        [folder / "bin/caffefix", "-"], cwd=folder, input=(case / "before.prototxt").read_bytes(),
        capture_output=True, check=False,
    )  # fmt: skip
    if done.stdout != (case / "after.prototxt").read_bytes():
        raise NotReadyError(f"{file.name} does not repair {_CASE}: {done.stderr.decode(errors='replace')}")


def _run(*command: str, cwd: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotReadyError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
