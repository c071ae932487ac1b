"""Many files: several processes, equal files, and what a terminal shows meanwhile."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from caffefix.reports.progress import watched
from caffefix.results import FileResult, Status
from caffefix.zoo.executor import Executor, Serial
from caffefix.zoo.processes import Processes
from tests.support.golden import GOLDEN, caffefix
from tests.support.zoos import changed, make_zoo

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
ALIVE = (GOLDEN / "missing-weight-filler/fires/after.prototxt").read_bytes()

# ---------------------------------------------------------------- executors


@dataclass
class Echo:
    """Gives the job back, or does what its name says."""

    begun: int = 0

    def begin(self) -> None:
        self.begun += 1

    def __call__(self, job: str, /) -> FileResult:
        if job == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if job == "leave":
            os._exit(7)
        if job == "fail":
            raise OSError("no luck")
        if job == "much":
            raise MemoryError
        return FileResult(job, Status.CLEAN, f"{self.begun}")

    def clean(self, job: str, pid: int, /) -> None:
        assert pid != os.getpid()

    def lost(self, job: str, reason: str, /) -> FileResult:
        return FileResult(job, Status.ERROR, reason)


@pytest.mark.parametrize("executor", [Serial(), Processes(1), Processes(3)])
def test_results_come_in_order(executor: Executor) -> None:
    batches = [[f"{batch}-{n}" for n in range(batch % 4)] for batch in range(50)]
    found = [result.path for result in executor.run(Echo(), batches)]
    assert found == [job for batch in batches for job in batch]


def test_a_worker_that_dies_costs_one_job() -> None:
    batches = [["a", "die", "b"], ["leave"], ["c"], ["die", "die"], ["fail", "much", "d"]]
    found = {(r.path, r.status, r.reason) for r in Processes(2).run(Echo(), batches) if r.status is Status.ERROR}
    assert found == {
        ("die", Status.ERROR, "was ended by SIGKILL"),
        ("leave", Status.ERROR, "ended with status 7"),
        ("fail", Status.ERROR, "failed with OSError: no luck"),
        ("much", Status.ERROR, "ran out of memory"),
    }
    paths = [r.path for r in Processes(2).run(Echo(), batches)]
    assert paths == [job for batch in batches for job in batch]


def test_jobs_are_taken_as_they_are_needed() -> None:
    """Memory is bounded: a run does not get far ahead of who takes its results."""
    taken = 0

    def batches() -> Iterator[Sequence[str]]:
        nonlocal taken
        for _ in range(10_000):
            taken += 1
            yield ["x"]

    results = Processes(2).run(Echo(), batches())
    for _ in range(10):
        next(results)
    assert taken < 100
    results.close()  # type: ignore[attr-defined]


# ---------------------------------------------------------------- runs


def test_one_process_and_several_say_and_do_the_same(tmp_path: Path) -> None:
    runs = []
    for jobs in ("1", "2"):
        folder = tmp_path / jobs
        zoo = make_zoo(folder, 40)
        dry = caffefix("--dry-run", "--no-cache", "--format", "json", "-j", jobs, ".", cwd=folder)
        wet = caffefix("--no-cache", "-j", jobs, ".", cwd=folder)
        runs.append((dry, wet, [path.read_bytes() for path in zoo]))
        assert len(changed(zoo)) > 15
    assert runs[0] == runs[1]


def test_copies_share_a_result(tmp_path: Path) -> None:
    for name in "abcdefgh":
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name} net.prototxt").write_bytes(DEAD)
    done = caffefix("--dry-run", "--cache-dir", "kept", ".", cwd=tmp_path)
    assert done.out.count(b'@@ layer "conv1" [missing-weight-filler]') == 8
    assert b"--- a/c/c net.prototxt\t\n+++ b/c/c net.prototxt\t\n" in done.out
    assert b"kept: 1 results" in caffefix("cache", "info", "--cache-dir", "kept", cwd=tmp_path).out
    patched = subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=done.out, check=False)
    assert patched.returncode == 0
    assert all((tmp_path / name / f"{name} net.prototxt").read_bytes() == ALIVE for name in "abcdefgh")


# ---------------------------------------------------------------- progress


class Terminal(io.StringIO):
    """Keeps what it is told."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def _screen(told: str) -> list[str]:
    """The lines that stand on a terminal in the end: a line that is erased is gone."""
    lines = [""]
    row = 0
    for part in re.findall(r"\x1b\[[0-9;?]*[a-zA-Z]|\r|\n|[^\x1b\r\n]+", told):
        if part == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif part.endswith("A"):
            row -= int(part[2:-1] or "1")
        elif part == "\x1b[2K":
            lines[row] = ""
        elif not part.startswith(("\x1b", "\r")):
            lines[row] += part
    return [line for line in lines if line]


def test_a_terminal_shows_progress_and_is_left_as_if_there_had_been_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("caffefix.reports.progress._FIRST", -1.0)
    monkeypatch.setattr("caffefix.reports.progress._PAUSE", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    statuses = [Status.CLEAN, Status.WOULD_CHANGE, Status.ERROR, Status.CHANGED, Status.CLEAN]
    results = [FileResult(f"net {n}", status) for n, status in enumerate(statuses)]
    terminal = Terminal()
    for result in watched(results, len(results), terminal):
        terminal.write(f"{result.path}\n")
    told = re.sub(r"\x1b\[[0-9;?]*m", "", terminal.getvalue())
    bars = re.findall(r"(\d)/5 \d+ files/s, \d+:\d\d left, 0 findings, (\d) files to fix(, 1 failed)?", told)
    distinct = list(dict.fromkeys(bars))
    assert distinct[:3] == [("1", "0", ""), ("2", "1", ""), ("3", "1", ", 1 failed")]
    assert _screen(told) == [result.path for result in results]
