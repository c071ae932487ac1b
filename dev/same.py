"""Shows that what caffefix finds and does is as it was at another commit, whatever its words.

Both versions look at the same files, in a process each, with all messages and titles put aside. What is compared
is all that a program could read: findings, places, diffs, statuses, in each format.
"""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MODES = (("--dry-run", "--notes"), ("--dry-run", "--notes", "--unsafe"), ("--check",))
# What is prose in reports that are JSON.
_PROSE = frozenset(("message", "title", "text", "markdown", "help", "summary", "description", "note", "reason"))
_SHOWN = 20

# Runs in either version: a finding says its name in place of its message, a failure its status.
_DRIVER = """
import sys
from caffefix import findings, results
from caffefix.reports import as_text
def aside(name):
    return property(name, lambda self, value: None)
findings.Finding.message = aside(lambda self: self.name)
findings.Fix.title = aside(lambda self: "")
results.FileResult.reason = aside(lambda self: self.status.value if self.status.failed else "")
as_text._ROLES = {role: role.value for role in as_text._ROLES}
from caffefix.cli import main
sys.exit(main())
"""


def differences(revision: str, paths: Sequence[str]) -> Iterator[str]:
    """Compare this working tree with a commit; a line or more for each report that differs.

    Args:
        revision: the commit, as git takes it.
        paths: files and folders to look at.
    """
    with tempfile.TemporaryDirectory() as folder:
        other = Path(folder) / "other"
        subprocess.run(["git", "worktree", "add", "-q", "--detach", other, revision], cwd=ROOT, check=True)
        try:
            formats = [name for name in _formats(ROOT) if name in _formats(other)]
            for number, mode in enumerate(MODES):
                into = Path(folder) / str(number)
                _run_both(other, formats, mode, [os.path.abspath(path) for path in paths], into)
                for name in (*formats, "out", "err", "status"):
                    yield from _compare(" ".join((*mode, name)), into / "before" / name, into / "after" / name)
        finally:
            subprocess.run(["git", "worktree", "remove", "--force", other], cwd=ROOT, check=True)


def _formats(tree: Path) -> list[str]:
    """The formats that a version knows."""
    code = "from caffefix.reports.formats import NAMES; print(*NAMES)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tree, capture_output=True, text=True, check=True)
    return done.stdout.split()


def _run_both(
    other: Path, formats: Sequence[str], mode: Sequence[str], paths: Sequence[str], into: Path
) -> None:  # fmt: skip
    trees = ((other, "before"), (ROOT, "after"))
    running = [_start(tree, formats, mode, paths, into / name) for tree, name in trees]
    for process, folder in running:
        (folder / "status").write_text(f"{process.wait()}\n")


def _start(
    tree: Path, formats: Sequence[str], mode: Sequence[str], paths: Sequence[str], into: Path
) -> tuple[subprocess.Popen[bytes], Path]:
    into.mkdir(parents=True)
    reports = [part for name in formats for part in ("--format", f"{name}={into / name}")]
    line = [sys.executable, "-c", _DRIVER, "-j", "1", "--no-cache", *mode, *reports, *paths]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    with open(into / "out", "wb") as out, open(into / "err", "wb") as err:
        return subprocess.Popen(line, cwd=into, env=environment, stdout=out, stderr=err), into


def _compare(title: str, before: Path, after: Path) -> Iterator[str]:
    old, new = _lines(before), _lines(after)
    if old == new:
        return
    yield f"differs: {title}"
    for number, line in enumerate(difflib.unified_diff(old, new, "before", "after", lineterm="", n=1)):
        if number == _SHOWN:
            yield "  …"
            break
        yield f"  {line[:200]}"


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return ["no report"]
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.name == "jsonl":
        return [json.dumps(_without_prose(json.loads(line))) for line in text.splitlines()]
    if path.name in ("json", "sarif", "rdjson", "gitlab"):
        return json.dumps(_without_prose(json.loads(text)), indent=1).splitlines()
    return text.splitlines()


def _without_prose(value: object) -> object:
    """JSON without what is prose in it. Reports are shallow."""
    if isinstance(value, dict):
        return {key: _without_prose(item) for key, item in value.items() if key not in _PROSE}
    if isinstance(value, list):
        return [_without_prose(item) for item in value]
    return value
