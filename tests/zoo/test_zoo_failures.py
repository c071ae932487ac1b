"""What may go wrong in a run over many files: each file is old or new, and a second run makes the rest."""

from __future__ import annotations

import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.golden import caffefix, caffefix_process
from tests.support.zoos import changed, children, environment, kill_tree, make_zoo, start, wait_for

linux = pytest.mark.skipif(sys.platform != "linux", reason="children are found in /proc")


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

    def finish(self) -> None:
        """Each file is old or new, and a second run makes all of them new."""
        for path, old in self.old.items():
            assert path.read_bytes() in (old, self.new[path])
        done = caffefix_process(".", "-j", "2", "--exit-zero", cwd=self.folder)
        assert done.status == 0, done.err
        assert {path: path.read_bytes() for path in self.old} == self.new


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Zoo:
    folder = tmp_path_factory.mktemp("made") / "zoo"
    old = make_zoo(folder, 60, per_folder=1)
    assert caffefix_process(".", "-j", "2", "--exit-zero", cwd=folder).status == 0
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


def _interrupt(zoo: Zoo, number: int, jobs: str, *, whole_group: bool, after: int) -> None:
    """Interrupt a run, and compare what it says with what there is."""
    for _ in range(5):
        zoo.reset()
        process = start(".", "-j", jobs, "--no-cache", cwd=zoo.folder)
        wait_for(lambda: len(changed(zoo.old)) >= after)
        workers = children(process.pid)
        (os.killpg if whole_group else os.kill)(process.pid, number)
        out, err = process.communicate(timeout=30)
        if b"\n60 files, " not in out:  # else it was done before the signal came
            break
    assert process.returncode == 128 + number, err
    assert b"Traceback" not in err
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    assert not list(zoo.folder.rglob(".caffefix-*"))
    written = changed(zoo.old)
    said = re.search(rb"(?:interrupted|ended by SIG\w+) after (\d+) of 60 files, (\d+) of them fixed", err)
    assert said is not None, err
    assert int(said[2]) == len(written)
    named = re.findall(rb"^(?:\./)?(\S+): fixed", out + err, re.M)
    # One that is being told of at that moment is named once more.
    assert set(named) == {os.fsencode(path.relative_to(zoo.folder)) for path in written}
    assert len(named) <= len(written) + 1
    zoo.finish()


@linux
@pytest.mark.parametrize(
    ("jobs", "number", "whole_group"),
    [
        ("1", signal.SIGINT, False), ("2", signal.SIGINT, True), ("2", signal.SIGINT, False),
        ("2", signal.SIGTERM, False), ("2", signal.SIGHUP, True),
    ],
)  # fmt: skip
def test_an_interrupted_run_says_what_it_wrote(zoo: Zoo, number: int, whole_group: bool, jobs: str) -> None:
    _interrupt(zoo, number, jobs, whole_group=whole_group, after=5)


@linux
@pytest.mark.slow
def test_forty_interrupted_runs(zoo: Zoo) -> None:
    choose = random.Random(3)
    for _ in range(40):
        group = choose.random() < 0.5
        _interrupt(zoo, signal.SIGINT, choose.choice("12"), whole_group=group, after=choose.randrange(1, 22))


def test_a_full_disk_is_the_outcome_of_its_files(zoo: Zoo) -> None:
    """Files may grow to one size only: what is larger after its repair cannot be written."""
    bound = sorted(len(data) for data in zoo.new.values())[30]

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (bound, bound))

    done = subprocess.run(
        [sys.executable, "-m", "caffefix", ".", "-j", "2", "--no-cache"],
        cwd=zoo.folder, env=environment(), capture_output=True, preexec_fn=limit, check=False,
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
        again = caffefix_process(".", "-j", "2", "--exit-zero", cwd=folder)
        assert again.status == 0, again.err
        assert len(changed(zoo)) > len(full)
        assert b"nothing to fix" in caffefix_process("--check", ".", cwd=folder).out
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
