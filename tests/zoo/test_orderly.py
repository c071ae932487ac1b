"""How a run ends that cannot write its report, runs out of memory or is told to end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from caffefix.zoo import discover, files
from tests.support.golden import GOLDEN, caffefix
from tests.support.zoos import changed, environment, make_zoo, start, wait_for

NET = (GOLDEN / "missing-weight-filler/example/before.prototxt").read_bytes()
needs_full = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
posix = pytest.mark.skipif(os.name == "nt", reason="shells and signals are others there")


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    for number in range(3):
        (tmp_path / f"{number}.prototxt").write_bytes(NET)
    return tmp_path


def repaired(zoo: Path) -> int:
    """How many files are; nothing else may be there."""
    names = sorted(path.name for path in zoo.iterdir())
    assert names == ["0.prototxt", "1.prototxt", "2.prototxt"]
    return sum((zoo / name).read_bytes() != NET for name in names)


def shell(line: str, cwd: Path) -> tuple[int, str]:
    """Status and standard error of a line for a shell, in which $C is caffefix."""
    variables = {**environment(), "C": f"{sys.executable} -m caffefix"}
    command = ["bash", "-o", "pipefail", "-c", line]
    done = subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@posix
@needs_full
@pytest.mark.parametrize(
    ("args", "files"),
    [
        (".", 3),
        ("--no-cache -j 2 .", 3),
        ("--format json .", 3),
        ("--check .", 0),
        ("--dry-run .", 0),
        ("--check --statistics .", 0),
        ("- < 0.prototxt", 0),
        ("fixers --format json", 0),
    ],
)
def test_a_report_that_has_no_room_is_one_line_and_status_2(zoo: Path, args: str, files: int) -> None:
    status, said = shell(f"$C {args} > /dev/full", zoo)
    assert status == 2
    assert said.count("error: cannot write standard output: No space left on device") == 1
    assert repaired(zoo) == files


@posix
@pytest.mark.parametrize("args", [".", "--dry-run .", "--format json ."])
def test_a_report_that_nobody_reads_has_the_status_of_a_closed_pipe(zoo: Path, args: str) -> None:
    status, said = shell(f"$C {args} | true", zoo)
    assert (status, "error:" in said) == (141, False)
    assert repaired(zoo) == (0 if "dry" in args else 3)


@posix
def test_streams_that_are_closed(zoo: Path) -> None:
    status, said = shell("$C . >&-", zoo)
    assert (status, repaired(zoo)) == (2, 3)
    assert "error: cannot write standard output: it is closed" in said
    assert shell("$C --check . >&- 2>&-", zoo) == (2, "")
    assert shell("$C --check . 2>&-", zoo) == (0, "")
    status, said = shell("$C --check - <&-", zoo)
    assert (status, "<stdin>: cannot be read" in said) == (2, True)


def test_no_memory_while_files_are_looked_for(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(folder: str) -> None:
        raise MemoryError

    monkeypatch.setattr(discover.os, "scandir", none_left)
    done = caffefix("--check", ".", cwd=zoo)
    assert done.status == 2
    assert done.err == b"error: not enough memory; each file is either unchanged or completely repaired\n"


def test_a_bug_has_its_traceback_and_status_2(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(folder: str) -> None:
        raise KeyError("what nobody thought of")

    monkeypatch.setattr(discover.os, "scandir", wrong)
    done = caffefix("--check", ".", cwd=zoo)
    assert done.status == 2
    assert b"KeyError: 'what nobody thought of'" in done.err
    assert b"error: this is a bug in caffefix: please report it with the lines above; each file" in done.err


def test_what_the_system_refuses_is_one_line(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_folder = os.path.isdir

    def refuse(path: str) -> bool:
        if path == "./zoo":
            raise PermissionError(13, "Permission denied", path)
        return is_folder(path)

    monkeypatch.setattr(discover.os.path, "isdir", refuse)
    done = caffefix("--check", "./zoo", cwd=zoo)
    assert done.status == 2
    assert done.err.startswith(b"error: ./zoo: Permission denied")


@posix
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_leaves_nothing_beside_the_file(zoo: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    number = getattr(signal, name)
    monkeypatch.setattr(files.os, "fsync", lambda handle: os.kill(os.getpid(), number))
    done = caffefix("--no-cache", ".", cwd=zoo)
    assert done.status == 128 + number
    # It waits until the file is replaced, and counts it.
    assert f"0.prototxt: fixed\nended by {name} after 1 of 3 files, 1 of them fixed" in done.err.decode()
    assert repaired(zoo) == 1


@posix
def test_a_signal_that_is_ignored_stays_ignored(zoo: Path) -> None:
    """As nohup does."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert caffefix(".", cwd=zoo).status == 0
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@posix
def test_a_run_of_several_processes_that_is_told_to_end(tmp_path: Path) -> None:
    old = make_zoo(tmp_path, 60, per_folder=1)
    process = start(".", "-j", "2", "--no-cache", cwd=tmp_path)
    wait_for(lambda: len(changed(old)) >= 3)
    process.terminate()
    _, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert b"ended by SIGTERM" in err
    assert b"Traceback" not in err
    assert not list(tmp_path.rglob(".caffefix-*"))
