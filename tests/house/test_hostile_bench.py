"""The hostile files of ``bench/`` at a few kilobytes: steps and output grow with the file.

Steps are calls of functions, so nothing depends on the machine; ``python bench/hostile.py`` measures time and
memory at megabytes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.golden import caffefix

sys.path.insert(0, str(ROOT / "bench"))

from _hostile_files import CASES, Case

FEW, MANY = 4_000, 16_000
# Steps of those whose search a limit ends: below it they grow faster.
LIMITED = {"includes": 5_000_000}


def calls(work: Callable[[], object]) -> int:
    """How many functions are called."""
    count = 0

    def counted(frame: object, event: str, what: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(counted)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


def told(case: Case, size: int, folder: Path) -> tuple[int, int]:
    """Steps and bytes of output for a file of that size."""
    for name, make in case.beside:
        (folder / name).write_text(make(size), encoding="utf-8")
    (folder / "net.prototxt").write_text(case.make(size), encoding="utf-8")
    written: list[bytes] = []

    def run() -> None:
        done = caffefix(*case.args, "--no-cache", ".", cwd=folder)
        assert done.status in (0, 1, 2)
        assert b"internal error" not in done.out + done.err
        written.append(done.out + done.err)

    return calls(run), len(written[0])


SAMPLE = [*CASES][::3]


@pytest.mark.parametrize(
    "name", [name if name in SAMPLE else pytest.param(name, marks=pytest.mark.slow) for name in CASES]
)
def test_steps_and_output_grow_with_the_file(name: str, tmp_path: Path) -> None:
    """Four times the file: what is quadratic takes sixteen times the steps."""
    case = CASES[name]
    told(case, 1_000, tmp_path)  # what is loaded once is loaded
    (few, short), (many, long) = told(case, FEW, tmp_path), told(case, MANY, tmp_path)
    assert many < max(7 * few + 20_000, LIMITED.get(name, 0))
    assert long < 5 * short + 2_000
