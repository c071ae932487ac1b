"""What people see: whole screens, with colours, of terminals of two sizes.

The screens are in ``tests/data/screens``; ``python -m dev.screens`` writes them anew.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.golden import GOLDEN, caffefix
from tests.support.screens import screen
from tests.support.terminal import begin

pytest.importorskip("pty", reason="terminals are Unix's")
pytest.importorskip("pyte", reason="needs pyte, a terminal in Python")

SCREENS = ROOT / "tests/data/screens"
LOG = next(GOLDEN.glob("*/*/train.log"))
SIZES = ((80, 24), (120, 40))
PLAIN = {"PAGER": "cat"}
# Three findings of each severity: errors, warnings, notes.
POOR = """layer {{ name: "data" type: "Data" top: "data" top: "label" data_param {{ source: "a" batch_size: 1 }} }}
layer {{ name: "a{0}" type: "InnerProduct" bottom: "data" top: "a" inner_product_param {{ num_output: 3 }} }}
layer {{ name: "b{0}" type: "InnerProduct" bottom: "a" top: "b" inner_product_param {{ num_output: 3 }} }}
layer {{ name: "c{0}" type: "InnerProduct" bottom: "b" top: "c" inner_product_param {{ num_output: 3 }} }}
layer {{ name: "x{0}" type: "Frobnicate" bottom: "c" top: "x" }}
layer {{ name: "y{0}" type: "Frobnicate" bottom: "x" top: "y" }}
layer {{ name: "z{0}" type: "Frobnicate" bottom: "y" top: "z" }}
layer {{ name: "n1" type: "BatchNorm" bottom: "z" top: "n1" param {{ lr_mult: 0 }} }}
layer {{ name: "n2" type: "BatchNorm" bottom: "n1" top: "n2" param {{ lr_mult: 0 }} }}
layer {{ name: "n3" type: "BatchNorm" bottom: "n2" top: "n3" param {{ lr_mult: 0 }} }}
layer {{ name: "loss" type: "SoftmaxWithLoss" bottom: "n3" bottom: "label" }}
"""


def seed(folder: Path) -> None:
    shutil.copy(GOLDEN / "seeds/s000_train/before.prototxt", folder / "net.prototxt")


def zoo(folder: Path) -> None:
    for number in range(200):
        (folder / f"net{number:03}.prototxt").write_text(POOR.format(number))


def clean(folder: Path) -> None:
    shutil.copy(GOLDEN / "seeds/s000_train/after.prototxt", folder / "net.prototxt")


def broken(folder: Path) -> None:
    shutil.copy(GOLDEN / "refused/missing-close-inside/before.prototxt", folder / "net.prototxt")
    (folder / "page.prototxt").write_text("<!DOCTYPE html>\n<html></html>\n")


def nothing(folder: Path) -> None:
    pass


CASES: dict[str, tuple[Callable[[Path], None], list[str], dict[str, str]]] = {
    "default": (seed, ["net.prototxt"], PLAIN),
    "check": (seed, ["--check", "net.prototxt"], PLAIN),
    "dry-run": (seed, ["--dry-run", "net.prototxt"], PLAIN),
    "unsafe": (seed, ["--unsafe", "--dry-run", "net.prototxt"], PLAIN),
    "verbose": (seed, ["--check", "-v", "net.prototxt"], PLAIN),
    "quiet": (seed, ["--check", "-q", "net.prototxt"], PLAIN),
    "full": (seed, ["--check", "--format", "full", "net.prototxt"], PLAIN),
    "no-colour": (seed, ["--check", "--color", "never", "net.prototxt"], PLAIN),
    "zoo": (zoo, ["--check", "."], PLAIN),
    "zoo-fixed": (zoo, ["."], PLAIN),
    "clean": (clean, ["net.prototxt"], PLAIN),
    "broken": (broken, ["."], PLAIN),
    "nothing": (nothing, ["."], PLAIN),
}


def shown(name: str, columns: int, lines: int, folder: Path) -> str:
    """The screen of a case."""
    make, args, environment = CASES[name]
    make(folder)
    run = begin(args, folder, columns, lines, environment)
    run.end()
    return screen(run.seen, columns, lines)


@pytest.mark.parametrize(("columns", "lines"), SIZES)
@pytest.mark.parametrize("name", CASES)
def test_screens(name: str, columns: int, lines: int, tmp_path: Path) -> None:
    expected = (SCREENS / f"{name}-{columns}.txt").read_text(encoding="utf-8")
    assert shown(name, columns, lines, tmp_path) == expected


def test_a_long_diff_is_paged(tmp_path: Path) -> None:
    """The pager shows the beginning: what was found, and then the diff. Leaving it ends the run."""
    if shutil.which("less") is None:
        pytest.skip("needs less")
    seed(tmp_path)
    run = begin(["--dry-run", "net.prototxt"], tmp_path, 80, 24, {"PAGER": "less"})
    run.expect("\n:")
    first = screen(run.seen, 80, 24)
    run.type("q")
    status, _ = run.end()
    assert "missing-weight-filler" in first
    assert first.index("missing-weight-filler") < first.index("@@ -1,7 +1,7 @@")
    assert status in (0, 141)


def test_a_short_diff_needs_no_pager(tmp_path: Path) -> None:
    if shutil.which("less") is None:
        pytest.skip("needs less")
    shutil.copy(GOLDEN / "batch-norm-lr-mult/example/before.prototxt", tmp_path / "net.prototxt")
    run = begin(["--dry-run", "net.prototxt"], tmp_path, 80, 60, {"PAGER": "less"})
    status, text = run.end()
    assert status == 0
    assert "--- a/net.prototxt" in text


@pytest.mark.parametrize("environment", [{"PAGER": "cat"}, {"PAGER": ""}, {"PAGER": "/nowhere/pager"}])
def test_without_a_pager_all_is_written(tmp_path: Path, environment: dict[str, str]) -> None:
    seed(tmp_path)
    text = begin(["--dry-run", "net.prototxt"], tmp_path, environment=environment).end()[1]
    assert '+  type: "SoftmaxWithLoss"' in text
    assert "1 file, 1 to fix" in text


def test_ctrl_c_in_a_question(tmp_path: Path) -> None:
    seed(tmp_path)
    run = begin(["-i", "net.prototxt"], tmp_path, environment={"XDG_STATE_HOME": str(tmp_path / "state")})
    run.expect("]? ")
    os.kill(run.process.pid, signal.SIGINT)
    status, text = run.end()
    assert status == 130
    assert "interrupted after 0 of 1 files" in text
    assert "Traceback" not in text


@pytest.mark.slow
def test_a_corpus_is_told_on_one_screen(shared: Path) -> None:
    """A line for each file that failed or has errors, and one screen about all of them."""
    done = caffefix("--check", "--no-cache", "--format", "json=" + os.devnull, shared / "corpus")
    lines = done.out.decode().splitlines()
    summary = lines[lines.index("") + 1 :]
    assert len(summary) <= 24
    assert all("error" in line for line in lines[: lines.index("")])
    assert all(line.startswith("error: ") for line in done.err.decode().splitlines())
    files = [line.partition(": ")[0] for line in lines[: lines.index("")]]
    assert len(files) == len(set(files)) > 50


COLOURED = (
    ["--check", "net.prototxt"],
    ["suppress", "--reason", "because", "net.prototxt"],
    ["log", "train.log", "net.prototxt"],
)


@pytest.mark.parametrize("args", COLOURED, ids=lambda args: args[0])
def test_every_command_can_be_coloured(tmp_path: Path, args: list[str]) -> None:
    for when, environment in (("always", {"NO_COLOR": "1"}), ("never", {"FORCE_COLOR": "1"}), ("auto", {})):
        seed(tmp_path)
        shutil.copy(LOG, tmp_path / "train.log")
        own = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        done = subprocess.run(
            [sys.executable, "-m", "caffefix", *args, "--color", when],
            cwd=tmp_path, env={**own, "PYTHONPATH": str(ROOT), **environment}, capture_output=True, check=False,
        )  # fmt: skip
        assert (b"\x1b[" in done.stdout) == (when == "always"), when


@pytest.mark.parametrize(
    ("args", "stdin"), [(["--check", "--files-from", "-"], b"net.prototxt\n"), (["--check", "-"], b"")]
)
def test_no_line_is_suggested_that_cannot_be_run(tmp_path: Path, args: list[str], stdin: bytes) -> None:
    """Standard input is gone when the reader types it."""
    seed(tmp_path)
    given = stdin or (tmp_path / "net.prototxt").read_bytes()
    assert b"next:" not in caffefix(*args, cwd=tmp_path, stdin=given).out


def test_suggested_lines_run(tmp_path: Path) -> None:
    """Whatever the paths were: a net to prove is a file."""
    seed(tmp_path)
    (tmp_path / "net.prototxt").rename(tmp_path / "my net.prototxt")
    said = caffefix("--check", ".", cwd=tmp_path).out.decode()
    lines = [shlex.split(line[6:].split("  ")[0]) for line in said[said.index("next:") :].splitlines()]
    assert ["caffefix", "prove", "./my net.prototxt"] in lines
    for tool, *args in lines:
        assert tool == "caffefix"
        if args[0] != "prove":
            assert caffefix(*args, cwd=tmp_path).status in (0, 1)
