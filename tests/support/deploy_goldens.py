"""Golden cases of ``caffefix deploy`` and ``caffefix rescale-input``.

``tests/data/deploy/<case>/`` holds train_val.prototxt, options, and what is expected: deploy.prototxt and
report.txt. ``tests/data/rescale/<case>/`` holds net.prototxt, options, perhaps a mean file, and
after.prototxt and report.txt. ``python -m dev bless`` writes what the tool says now, for review.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.golden import Outcome, caffefix

DATA = Path(__file__).parent.parent / "data"


def deploy_cases() -> list[Path]:
    return sorted(path.parent for path in (DATA / "deploy").glob("*/train_val.prototxt"))


def rescale_cases() -> list[Path]:
    return sorted(path.parent for path in (DATA / "rescale").glob("*/net.prototxt"))


def options(case: Path) -> list[str]:
    file = case / "options"
    return file.read_text().split() if file.exists() else []


def deployed(case: Path, *more: str) -> Outcome:
    return caffefix("deploy", "train_val.prototxt", *options(case), *more, cwd=case)


def rescaled(case: Path, folder: Path, *more: str) -> Outcome:
    """Run in a copy of the case: the net is written."""
    for name in ("net.prototxt", "mean.binaryproto"):
        if (case / name).exists():
            shutil.copy(case / name, folder / name)
    return caffefix("rescale-input", "net.prototxt", *options(case), *more, cwd=folder)
