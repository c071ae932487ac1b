"""The golden cases: golden/<finding>/<case>/ with before.prototxt and up to three more files.

``after.prototxt`` is the repaired file; without it the file stays as it is. ``findings.json`` holds what is found;
without it nothing is. ``options`` holds command-line options, one a line; without it the folder's own finding is
looked for, notes included. (An empty one stands for a run without options, which looks for everything.)
``train.log`` is given as ``--log``. Files in ``beside`` are the file's family: they are in its folder. A case in
golden/refused/ has message.txt instead. ``python -m dev bless`` writes what the tool says now, for review.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from caffefix.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / "golden"


# Folders that are called after no finding: these cases are about all of them together.
MANY = ("refused", "seeds")


@dataclass(frozen=True)
class Outcome:
    status: int
    out: bytes
    err: bytes


def caffefix(*args: str | os.PathLike[str], cwd: Path = ROOT, stdin: bytes = b"") -> Outcome:
    """Run the command line in this process: what goes in and out is what a user gives and gets."""
    given, out, err = (io.TextIOWrapper(io.BytesIO(data), encoding="utf-8") for data in (stdin, b"", b""))
    home = os.getcwd()
    streams = sys.stdin, sys.stdout, sys.stderr
    os.environ.pop("FORCE_COLOR", None)
    try:
        os.chdir(cwd)
        sys.stdin, sys.stdout, sys.stderr = given, out, err
        main([os.fspath(arg) for arg in args], prog_name="caffefix")
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        os.chdir(home)
    out.flush()
    err.flush()
    return Outcome(status, out.buffer.getvalue(), err.buffer.getvalue())  # type: ignore[attr-defined]


def caffefix_process(*args: str | os.PathLike[str], cwd: Path = ROOT, stdin: bytes = b"") -> Outcome:
    """Run the command line as a user does, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}
    environment.pop("FORCE_COLOR", None)
    done = subprocess.run(
        [sys.executable, "-m", "caffefix", *map(os.fspath, args)],
        cwd=cwd, input=stdin, capture_output=True, env=environment, check=False,
    )  # fmt: skip
    return Outcome(done.returncode, done.stdout, done.stderr)


def cases() -> list[Path]:
    return sorted(path.parent for path in GOLDEN.glob("*/*/before.prototxt") if path.parts[-3] != "refused")


def refused() -> list[Path]:
    return sorted(path.parent for path in GOLDEN.glob("refused/*/before.prototxt"))


def options(case: Path) -> list[str]:
    file, log = case / "options", case / "train.log"
    by = "--patch" if case.parent.parent.name == "patches" else "--select"
    own = [] if case.parent.name in MANY else [by, case.parent.name, "--notes"]
    given = file.read_text().split() if file.exists() else own
    return [*given, "--log", str(log)] if log.exists() else given


def expected_text(case: Path) -> bytes:
    """What the repair is to make of the case's file."""
    after = case / "after.prototxt"
    return (after if after.exists() else case / "before.prototxt").read_bytes()


def expected_findings(case: Path) -> list[dict[str, object]]:
    """What is to be found in the case's file."""
    file = case / "findings.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else []  # type: ignore[no-any-return]


def beside(case: Path) -> list[Path]:
    """The files that stand in the folder of the case's file."""
    return sorted((case / "beside").glob("*"))


def _place(case: Path) -> list[str]:
    """Options that put standard input beside the case's other files."""
    return ["--stdin-filename", str(case / "beside" / "before.prototxt")] if beside(case) else []


def findings(case: Path, text: bytes) -> list[dict[str, object]]:
    """The findings in a text, as the JSON report has them."""
    done = caffefix("--check", "--format", "json", *options(case), *_place(case), "-", stdin=text)
    assert done.status in (0, 1), done.err
    return json.loads(done.out)["files"][0]["findings"]  # type: ignore[no-any-return]


def repaired(case: Path, text: bytes) -> bytes:
    done = caffefix("--exit-zero", *options(case), *_place(case), "-", stdin=text)
    assert done.status == 0, done.err
    return done.out
