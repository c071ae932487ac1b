"""Takes what caffefix says now as what golden cases are to say."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from dev.goldens import write_commands, write_findings, write_refusals
from tests.support.golden import GOLDEN, ROOT, cases, expected_findings

# Cases with such names show when a finding must not fire.
SILENT = ("-is-fine", "-is-silent")


class NotSilentError(Exception):
    """A case that is to show silence fires; the message names it and what to do."""


def bless(names: Sequence[str]) -> str:
    """Write what is expected of the cases, and tell what changed, as a diff.

    Args:
        names: of findings; all by default.

    Raises:
        NotSilentError: a case fires that says by its name that it does not; it is as it was before.
    """
    wanted = list(names)
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
        raise NotSilentError(
            f"fires, though its name says that it does not: {shown}; mend the fixer, or rename the case"
        )
    done = subprocess.run(
        ["git", "diff", "--", "golden", "patches", "tests/data"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


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
