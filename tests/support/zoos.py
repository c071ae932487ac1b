"""Zoos for tests: broken nets from the golden cases, all different, and runs that are cut short."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.conftest import ROOT, interruptible
from tests.support.golden import cases, options


def environment() -> dict[str, str]:
    """For a process that runs the command line."""
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"}


def plain_cases() -> list[Path]:
    """Golden cases that need no options."""
    return [case for case in cases() if not options(case)]


def make_zoo(folder: Path, count: int, per_folder: int = 5) -> dict[Path, bytes]:
    """Write so many different files, in folders; what was written."""
    nets = [(case / "before.prototxt").read_bytes() for case in plain_cases()]
    written = {}
    for number in range(count):
        path = folder / f"model{number // per_folder:03}" / f"net{number}.prototxt"
        path.parent.mkdir(parents=True, exist_ok=True)
        net = nets[number * 7 % len(nets)].removeprefix(b"\xef\xbb\xbf")  # which stands at the head, or nowhere
        path.write_bytes(b"# zoo %d\n" % number + net)
        written[path] = path.read_bytes()
    return written


def start(*args: str, cwd: Path) -> subprocess.Popen[bytes]:
    """A run in the background, in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "caffefix", *args],
        cwd=cwd, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True, preexec_fn=interruptible,
    )  # fmt: skip


def children(pid: int) -> list[int]:
    """The processes that a process has started (Linux)."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def wait_for(condition: object, seconds: float = 60) -> None:
    """Wait until a callable says something."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """kill -9 for a run and its workers."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def changed(before: dict[Path, bytes]) -> list[Path]:
    """The files that are not as they were."""
    return [path for path, data in before.items() if path.read_bytes() != data]
