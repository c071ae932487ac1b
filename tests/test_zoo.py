"""Many files: several processes, the cache, and what happens when something dies."""

from __future__ import annotations

import io
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from caffefix.reports.progress import watched
from caffefix.results import FileResult, Status
from caffefix.zoo.executor import Executor, Serial
from caffefix.zoo.processes import Processes
from tests.golden import GOLDEN, caffefix, caffefix_process
from tests.zoos import ENVIRONMENT, changed, children, kill_tree, make_zoo, start, wait_for

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
ALIVE = (GOLDEN / "missing-weight-filler/fires/after.prototxt").read_bytes()
linux = pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")


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
        ("fail", Status.ERROR, "met OSError: no luck"),
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
    done = caffefix("--dry-run", "--cache-dir", "c", ".", cwd=tmp_path)
    assert done.out.count(b'@@ layer "conv1" [missing-weight-filler]') == 8
    assert b"--- a/c/c net.prototxt\t\n+++ b/c/c net.prototxt\t\n" in done.out
    assert b"c: 1 results" in caffefix("cache", "info", "--cache-dir", "c", cwd=tmp_path).out
    patched = subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=done.out, check=False)
    assert patched.returncode == 0
    assert all((tmp_path / name / f"{name} net.prototxt").read_bytes() == ALIVE for name in "abcdefgh")


def _break(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, only what is in the cache has a result."""

    def fail(*args: object, **others: object) -> None:
        raise AssertionError("worked on")

    monkeypatch.setattr("caffefix.zoo.work.repair", fail)


CACHED = ("--check", "--notes", "--cache-dir", "cache", "-j", "1")


def test_a_second_run_works_on_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_zoo(tmp_path / "zoo", 40)
    (tmp_path / "zoo/broken.prototxt").write_bytes(b"layer {\n")
    first = caffefix(*CACHED, "zoo", cwd=tmp_path)
    _break(monkeypatch)
    assert caffefix(*CACHED, "zoo", cwd=tmp_path) == first
    (tmp_path / "zoo").rename(tmp_path / "other")  # names and times do not count
    moved = caffefix(*CACHED, "other", cwd=tmp_path)
    assert moved.out.replace(b"other/", b"zoo/") == first.out
    assert moved.err.replace(b"other/", b"zoo/") == first.err
    assert b"AssertionError" in caffefix(*CACHED, "--no-cache", "other", cwd=tmp_path).err


@pytest.mark.parametrize("what", ["content", "sibling", "request", "configuration", "version"])
def test_what_decides_a_result_is_in_its_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    net = tmp_path / "net.prototxt"
    net.write_bytes(DEAD)
    times = (1, 1)
    os.utime(net, times)
    caffefix(*CACHED, net, cwd=tmp_path)
    _break(monkeypatch)
    assert b"AssertionError" not in caffefix(*CACHED, net, cwd=tmp_path).err
    more = ()
    if what == "content":
        net.write_bytes(DEAD.replace(b"conv1", b"conv2"))
        os.utime(net, times)
    elif what == "sibling":
        (tmp_path / "solver.prototxt").write_text('net: "net.prototxt"\n')
    elif what == "request":
        more = ("--unsafe",)
    elif what == "configuration":
        (tmp_path / "caffefix.toml").write_text("from-scratch = false\n")
    else:
        monkeypatch.setattr("caffefix.zoo.cache.identity", lambda: "another")
    assert b"AssertionError" in caffefix(*CACHED, *more, net, cwd=tmp_path).err


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "swapped", "folder"])
def test_a_damaged_entry_counts_as_absent(tmp_path: Path, damage: str) -> None:
    zoo = make_zoo(tmp_path / "zoo", 12)
    first = caffefix(*CACHED, "zoo", cwd=tmp_path)
    entries = sorted(
        path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.parent.name != "cache"
    )
    assert len(entries) == len(zoo)
    contents = [path.read_bytes() for path in entries]
    for index, path in enumerate(entries):
        data = contents[index]
        path.unlink()
        if damage == "folder":
            path.mkdir()
        else:
            middle = len(data) // 2
            flipped = data[:middle] + bytes((data[middle] ^ 1,)) + data[middle + 1 :]
            wrong = {"cut": data[:middle], "flipped": flipped, "empty": b"", "swapped": contents[index - 1]}
            path.write_bytes(wrong[damage])
    assert caffefix(*CACHED, "zoo", cwd=tmp_path) == first


def test_an_entry_holds_facts_and_runs_nothing(tmp_path: Path) -> None:
    import pickle
    import zlib

    from caffefix.zoo import cache

    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (tmp_path / "ran",)

    body = zlib.compress(pickle.dumps(Evil(), 4))
    entry = cache._checksum(body, "k") + body
    with pytest.raises(pickle.UnpicklingError):
        cache._unpacked(entry, "k")
    assert not (tmp_path / "ran").exists()


def test_small_runs_leave_no_cache_behind_and_large_ones_do(tmp_path: Path) -> None:
    make_zoo(tmp_path / "zoo", 30)
    caffefix("--check", "zoo/model000", cwd=tmp_path)
    assert not list(tmp_path.glob("**/.caffefix_cache"))
    caffefix("--check", "--no-cache", "zoo", cwd=tmp_path)
    assert not list(tmp_path.glob("**/.caffefix_cache"))
    (tmp_path / "caffefix.toml").write_text("")
    caffefix("--check", "../zoo", cwd=tmp_path / "zoo")
    assert (tmp_path / ".caffefix_cache/.gitignore").read_text() == "*\n"
    assert caffefix("cache", "prune", cwd=tmp_path).out.endswith(b": 0 results deleted\n")
    assert caffefix("cache", "prune", "--days", "0", cwd=tmp_path).out.endswith(b": 30 results deleted\n")
    assert caffefix("cache", "clear", cwd=tmp_path).status == 0
    assert not (tmp_path / ".caffefix_cache").exists()


def test_only_a_cache_is_cleared(tmp_path: Path) -> None:
    make_zoo(tmp_path / "zoo", 1)
    for command in ("info", "prune", "clear"):
        done = caffefix("cache", command, "--cache-dir", "zoo", cwd=tmp_path)
        assert (done.status, b"there is no cache of caffefix" in done.err) == (2, True)
    assert list((tmp_path / "zoo").iterdir())


# ---------------------------------------------------------------- what may go wrong


@dataclass(frozen=True)
class Zoo:
    """A folder, its files as they were, and as they should become.

    Each file is alone in its folder, so that no file's repair depends on how far the others are.
    """

    folder: Path
    old: dict[Path, bytes]
    new: dict[Path, bytes]

    def reset(self) -> None:
        for path, data in self.old.items():
            path.write_bytes(data)
        for left in self.folder.rglob(".caffefix-*"):  # a killed process cannot clean up
            left.unlink()
        shutil.rmtree(self.folder / ".caffefix_cache", ignore_errors=True)

    def finish(self) -> None:
        """Each file is old or new, and a second run makes all of them new."""
        for path, old in self.old.items():
            assert path.read_bytes() in (old, self.new[path])
        done = caffefix_process(".", "-j", "2", cwd=self.folder)
        assert done.status == 0, done.err
        assert {path: path.read_bytes() for path in self.old} == self.new


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    folder = tmp_path_factory.mktemp("made") / "zoo"
    old = make_zoo(folder, 60, per_folder=1)
    assert caffefix_process(".", "-j", "2", cwd=folder).status == 0
    new = {path: path.read_bytes() for path in old}
    assert len(changed(old)) >= 25
    return Zoo(folder, old, new)


@pytest.fixture
def zoo(made: Zoo) -> Zoo:
    made.reset()
    return made


def _kill_at_random_moments(zoo: Zoo, moments: int) -> None:
    choose = random.Random(7)
    for _ in range(moments):
        zoo.reset()
        process = start(".", "-j", "2", cwd=zoo.folder)
        goal = choose.randrange(1, 22)
        wait_for(lambda goal=goal: len(changed(zoo.old)) >= goal)
        time.sleep(choose.random() / 20)
        kill_tree(process)
        zoo.finish()


@linux
def test_a_killed_run_leaves_each_file_old_or_new(zoo: Zoo) -> None:
    _kill_at_random_moments(zoo, 3)


@linux
@pytest.mark.slow
def test_twenty_killed_runs(zoo: Zoo) -> None:
    _kill_at_random_moments(zoo, 20)


@linux
def test_a_killed_worker_costs_one_file(zoo: Zoo) -> None:
    process = start(".", "-j", "2", cwd=zoo.folder)
    wait_for(lambda: len(changed(zoo.old)) >= 5)
    os.kill(children(process.pid)[0], signal.SIGKILL)
    out, err = process.communicate()
    assert process.returncode == 2
    assert err.count(b"was ended by SIGKILL") == 1
    assert b"60 files" in out
    assert not list(zoo.folder.rglob(".caffefix-*"))
    zoo.finish()


@linux
def test_an_interrupted_run_stops_its_workers_and_goes_on_later(zoo: Zoo) -> None:
    process = start(".", "-j", "2", cwd=zoo.folder)
    wait_for(lambda: len(changed(zoo.old)) >= 5)
    workers = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"interrupted" in err
    assert b"Traceback" not in err
    assert len(workers) == 2
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert not list(zoo.folder.rglob(".caffefix-*"))
    zoo.finish()


def test_a_full_disk_is_the_outcome_of_its_files(zoo: Zoo) -> None:
    """Files may grow to one size only: what is larger after its repair cannot be written."""
    bound = sorted(len(data) for data in zoo.new.values())[30]

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound))

    done = subprocess.run(
        [sys.executable, "-m", "caffefix", ".", "-j", "2", "--no-cache"],
        cwd=zoo.folder, env=ENVIRONMENT, capture_output=True, preexec_fn=limit, check=False,
    )  # fmt: skip
    too_large = [path for path, new in zoo.new.items() if len(new) > bound and new != zoo.old[path]]
    assert done.returncode == 2
    assert done.stderr.count(b"cannot be written: File too large") == len(too_large) > 0
    assert b"Traceback" not in done.stderr
    for path, new in zoo.new.items():
        assert path.read_bytes() == (zoo.old[path] if path in too_large else new)
    assert not list(zoo.folder.rglob(".caffefix-*"))
    zoo.finish()


@linux
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounts need root")
def test_a_really_full_disk(tmp_path: Path) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], check=False)
    if mounted.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        zoo = make_zoo(folder, 40, per_folder=1)
        with open(folder / "ballast", "wb", buffering=0) as ballast:
            while True:
                try:
                    ballast.write(bytes(4096))
                except OSError:
                    break
        done = caffefix_process(".", "-j", "2", cwd=folder)  # the cache has no room either
        assert done.status == 2
        assert b"No space left on device" in done.err
        assert b"Traceback" not in done.err
        full = changed(zoo)
        (folder / "ballast").unlink()
        again = caffefix_process(".", "-j", "2", cwd=folder)
        assert again.status == 0, again.err
        assert len(changed(zoo)) > len(full)
        assert caffefix_process("--check", ".", cwd=folder).status == 0
        assert not list(folder.rglob(".caffefix-*"))
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_file_that_vanishes_is_its_own_outcome(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_zoo(tmp_path, 3)
    from caffefix.zoo import one_file

    real = one_file.read

    def read(path: str) -> bytes:
        if path.endswith("net1.prototxt"):
            os.unlink(path)
        return real(path)

    monkeypatch.setattr(one_file, "read", read)
    done = caffefix(".", cwd=tmp_path)
    assert done.status == 2
    assert b"net1.prototxt: cannot be read: No such file" in done.err
    assert b"3 files" in done.out


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
