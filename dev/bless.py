"""Takes what caffefix says now as what golden cases expect."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from dev.goldens import write_commands, write_findings, write_refusals
from tests.support.golden import GOLDEN, ROOT, cases, expected_findings

# Cases with such names show when a finding must not fire.
SILENT = ("-is-fine", "-is-silent")


class BlessError(Exception):
    """There is no such finding, or a case fires that is to show silence; the message says what to do."""


def bless(names: Sequence[str]) -> str:
    """Write what is expected of the cases, and tell what changed, as a diff.

    Args:
        names: of findings; all by default.

    Raises:
        BlessError: a name has no cases; or a case fires that says by its name that it does not, and is as it was.
    """
    wanted = known(names)
    paths = [case for case in cases() if not wanted or case.parent.name in wanted]
    before = {case: _expected(case) for case in paths}
    write_findings(paths)
    if not wanted:
        write_refusals()
        write_commands()
    loud = [case for case in paths if _fires(case)]
    if loud:
        for case in loud:
            _restore(case, before[case])
        shown = ", ".join(case.relative_to(GOLDEN).as_posix() for case in loud)
        raise BlessError(
            f"fires, though its name says that it does not: {shown}; correct the fixer, or rename the case"
        )
    return _diff([f"golden/{name}" for name in wanted] or ["golden", "tests/data"])


def known(names: Sequence[str]) -> list[str]:
    """The names, each of a finding that has golden cases.

    Raises:
        BlessError: one has none.
    """
    for name in names:
        if not (GOLDEN / name).is_dir():
            raise BlessError(f"there is no folder golden/{name}; dev new finding makes one")
    return list(names)


def _diff(paths: Sequence[str]) -> str:
    """What is not in git's index, new files among it; the index stays as it is."""
    with _index_with(paths) as environment:
        done = subprocess.run(
            ["git", "diff", "--", *paths], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
        )
    return done.stdout


@contextmanager
def _index_with(paths: Sequence[str]) -> Iterator[dict[str, str]]:
    """Git's environment with a copy of the index that knows new files."""
    git = subprocess.run(
        ["git", "rev-parse", "--git-path", "index"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "index"
        shutil.copy(ROOT / git.stdout.strip(), copy)
        environment = {**os.environ, "GIT_INDEX_FILE": str(copy)}
        subprocess.run(["git", "add", "--intent-to-add", "--", *paths], cwd=ROOT, env=environment, check=True)
        yield environment


_NAMES = ("after.prototxt", "findings.json")


def _expected(case: Path) -> dict[str, bytes]:
    return {name: (case / name).read_bytes() for name in _NAMES if (case / name).exists()}


def _restore(case: Path, files: dict[str, bytes]) -> None:
    for name in _NAMES:
        if name in files:
            (case / name).write_bytes(files[name])
        else:
            (case / name).unlink(missing_ok=True)


def _fires(case: Path) -> bool:
    """Whether a case that is to be silent has the finding that its folder is about."""
    if not case.name.endswith(SILENT):
        return False
    return any(row["name"] == case.parent.name for row in expected_findings(case))
