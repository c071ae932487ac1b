"""Where reports go, and what they cost: several in one run, files, imports, memory."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from caffefix.findings import Applicability, Severity
from caffefix.reports.formats import NAMES, renderer
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult, Status
from tests.support.golden import GOLDEN, ROOT, caffefix

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
ALIVE = (GOLDEN / "missing-weight-filler/fires/after.prototxt").read_bytes()


def test_one_run_writes_any_number_of_reports(tmp_path: Path) -> None:
    (tmp_path / "x.prototxt").write_bytes(DEAD)
    done = caffefix(
        "--format", "concise", "--format", "sarif=a.sarif", "--format", "junit=b.xml", ".", cwd=tmp_path
    )
    assert done.status == 0
    assert done.out.startswith(b"./x.prototxt:14:3: missing-weight-filler conv1: ")
    assert (tmp_path / "x.prototxt").read_bytes() == ALIVE
    assert json.loads((tmp_path / "a.sarif").read_text())["version"] == "2.1.0"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.sarif", "b.xml", "x.prototxt"]


def test_a_file_for_the_one_report(tmp_path: Path) -> None:
    (tmp_path / "x.prototxt").write_bytes(DEAD)
    done = caffefix("--check", "--format", "gitlab", "--output-file", "q.json", "x.prototxt", cwd=tmp_path)
    assert done.status == 1
    assert b"1 file, 1 to fix" in done.out
    assert json.loads((tmp_path / "q.json").read_text())
    done = caffefix("--check", "--output-file", "q.txt", "x.prototxt", cwd=tmp_path)
    assert (tmp_path / "q.txt").read_bytes() == done.out
    piped = caffefix("--format", "json", "--output-file", "q.json", "-", cwd=tmp_path, stdin=DEAD)
    assert piped.out == ALIVE


@pytest.mark.parametrize(
    ("options", "word"),
    [
        (["--format", "xml"], b"there is no format 'xml'"),
        (["--format", "json", "--format", "sarif"], b"--format sarif=FILE"),
        (["--format", "json="], b"no file is named"),
        (["--format", "json=a", "--format", "sarif=a"], b"two reports cannot go to the same file"),
        (["--statistics", "--format", "sarif"], b"--statistics"),
        (["--format", "sarif=x.prototxt"], b"must not replace a prototxt file"),
        (["--format", "sarif=nowhere/a.sarif"], b"cannot be written"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_done(options: list[str], word: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.prototxt").write_bytes(DEAD)
    done = caffefix(*options, "x.prototxt", cwd=tmp_path)
    assert done.status == 2
    assert word in done.err
    assert (tmp_path / "x.prototxt").read_bytes() == DEAD
    assert [p.name for p in tmp_path.iterdir()] == ["x.prototxt"]


def test_a_report_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    from caffefix.zoo.report_file import ReportFile

    old = tmp_path / "r.json"
    old.write_text("old")
    with contextlib.suppress(KeyboardInterrupt), ReportFile(str(old)) as file:
        file.write("half a rep")
        raise KeyboardInterrupt
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("r.json", "old")]
    with ReportFile(str(old)) as file:
        file.write("new")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("r.json", "new")]
    with ReportFile(os.devnull) as file:
        file.write("gone")


def test_renderers_are_imported_when_they_are_asked_for(tmp_path: Path) -> None:
    (tmp_path / "x.prototxt").write_bytes(DEAD)
    code = (
        "import sys\nfrom caffefix.cli import main\n"
        "try: main(['--check', 'x.prototxt', *sys.argv[1:]])\n"
        "except SystemExit: pass\n"
        "print(*(name for name in sys.modules if name.startswith('caffefix.reports.')))"
    )

    def modules(*options: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", code, *options],
            cwd=tmp_path, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        return {name.rpartition(".")[2] for name in done.stdout.splitlines()[-1].split()}

    text = {"formats", "report", "as_text", "closing"}
    assert modules() == text
    assert modules("--format", "sarif=x.sarif") == text | {"as_sarif", "_shared"}


@pytest.mark.parametrize("name", NAMES)
def test_a_report_does_not_grow_in_memory_with_the_zoo(name: str) -> None:
    import tracemalloc

    place = (3, 5, 3, 9)
    found = Diagnostic("some-name", Severity.ERROR, Applicability.SAFE, "m" * 200, *place, "conv1", True)
    diff = b"--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-a\n+b\n" + b" c\n" * 100

    def held(files: int) -> int:
        made = renderer(name)(Setting())
        tracemalloc.start()
        made.begin()
        for number in range(files):
            made.add(FileResult(f"net{number}.prototxt", Status.WOULD_CHANGE, "", (found,) * 5, diff, b"x"))
        size, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return size

    held(10)  # what is imported and compiled once
    assert held(600) < held(200) + 20_000
