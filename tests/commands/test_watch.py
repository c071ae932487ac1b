"""``caffefix --watch``: real files that are saved in the ways of real editors."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.golden import GOLDEN, ROOT, caffefix
from tests.support.terminal import begin
from tests.support.zoos import environment, start, wait_for

pytest.importorskip("watchfiles", reason="needs watchfiles: pip install 'caffefix[watch]'")

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
FINE = (GOLDEN / "missing-weight-filler/fires/after.prototxt").read_bytes()
BROKEN = b"layer {\n"
READY = b"watching; Ctrl-C ends\n"


class Watcher:
    """A run with --watch, whose output goes to files."""

    def __init__(self, folder: Path, *args: str) -> None:
        self._out, self._err = folder.parent / "out", folder.parent / "err"
        with self._out.open("ab") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "caffefix", "--watch", *args],
                cwd=folder, env=environment(), stdout=out, stderr=err, start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL) and None,
            )  # fmt: skip
        self.runs = 0
        self.next()

    def next(self) -> str:
        """The report and messages of the next run."""
        self.runs += 1
        wait_for(lambda: self._err.read_bytes().count(READY) >= self.runs or self.process.poll() is not None)
        assert self.process.poll() is None, self._err.read_text()
        text = self._out.read_text() + self._err.read_bytes().split(READY)[self.runs - 1].decode()
        os.truncate(self._out, 0)
        return text

    def is_quiet(self) -> bool:
        """Whether there is no further run."""
        time.sleep(0.6)
        return self._err.read_bytes().count(READY) == self.runs

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """End it with a signal; its status, and what it said since the last run."""
        os.kill(self.process.pid, number)
        status = self.process.wait(timeout=30)
        return status, self._err.read_bytes().split(READY)[-1].decode()


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Callable[..., Watcher]]:
    started: list[Watcher] = []

    def begin(*args: str) -> Watcher:
        started.append(Watcher(tmp_path / "zoo", *args))
        return started[-1]

    yield begin
    for watcher in started:
        if watcher.process.poll() is None:
            watcher.process.kill()
            watcher.process.wait()


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "zoo" / "net.prototxt"
    path.parent.mkdir()
    path.write_bytes(DEAD)
    return path


def in_place(net: Path, data: bytes) -> None:
    net.write_bytes(data)


def renamed_over(net: Path, data: bytes) -> None:
    """As gedit, VS Code with some settings, and caffefix itself."""
    temporary = net.with_name(".goutputstream-X1Y2Z3")
    temporary.write_bytes(data)
    os.replace(temporary, net)


def as_vim(net: Path, data: bytes) -> None:
    """Vim asks whether it may create files, keeps a backup, and writes a new file."""
    swap, probe, backup = (net.with_name(name) for name in (".net.prototxt.swp", "4913", "net.prototxt~"))
    swap.write_bytes(b"x")
    probe.touch()
    probe.unlink()
    net.rename(backup)
    time.sleep(0.02)
    net.write_bytes(data[: len(data) // 2])
    with net.open("ab") as file:
        file.write(data[len(data) // 2 :])
    backup.unlink()
    swap.unlink()


def as_emacs(net: Path, data: bytes) -> None:
    """Emacs locks what is edited with a link to nowhere, and saves what is not saved."""
    lock, unsaved = net.with_name(f".#{net.name}"), net.with_name(f"#{net.name}#")
    lock.symlink_to("me@host.1234:5678")
    unsaved.write_bytes(data)
    shutil.copy(net, net.with_name(f"{net.name}~"))
    net.write_bytes(data)
    unsaved.unlink()
    lock.unlink()


@pytest.mark.parametrize("save", [in_place, renamed_over, as_vim, as_emacs])
@pytest.mark.parametrize("path", [".", "net.prototxt"])
def test_a_save_is_one_run(net: Path, watch: Callable[..., Watcher], path: str, save: Callable[..., None]) -> None:
    watcher = watch(path)
    for data, told in ((FINE, "1 file, nothing to fix"), (BROKEN, "never closed"), (DEAD, "1 file, 1 to fix")):
        save(net, data)
        assert told in watcher.next()
        assert watcher.is_quiet()
    assert net.read_bytes() == DEAD  # nothing is repaired
    assert watcher.end()[0] == 130


def test_what_does_not_matter_is_no_run(net: Path, watch: Callable[..., Watcher]) -> None:
    watcher = watch(".")
    folder = net.parent
    for name in ("notes.txt", "net.prototxt.bak", "net.prototxt~", ".#x.prototxt", ".net.prototxt.swp"):
        (folder / name).write_bytes(DEAD)
    (folder / ".git").mkdir()
    (folder / ".git" / "x.prototxt").write_bytes(DEAD)
    (folder / "tmp.prototxt").write_bytes(DEAD)
    (folder / "tmp.prototxt").unlink()
    assert watcher.is_quiet()
    watcher.end()


def test_a_single_file_is_watched_alone(net: Path, watch: Callable[..., Watcher]) -> None:
    """But for the files in its folder, which can be its family."""
    watcher = watch("net.prototxt")
    (net.parent / "below").mkdir()
    (net.parent / "below" / "other.prototxt").write_bytes(DEAD)
    assert watcher.is_quiet()
    (net.parent / "solver.prototxt").write_text('net: "net.prototxt"\n')
    assert "1 file, 1 to fix" in watcher.next()
    watcher.end()


def test_files_come_and_go(net: Path, watch: Callable[..., Watcher]) -> None:
    watcher = watch(".")
    net.unlink()
    assert "1 to fix" not in watcher.next()
    below = net.parent / "a" / "b"
    below.mkdir(parents=True)
    (below / "new.prototxt").write_bytes(DEAD)
    assert "1 file, 1 to fix" in watcher.next()
    (net.parent / "a").rename(net.parent / "c")
    assert "./c/b/new.prototxt" in watcher.next()
    shutil.rmtree(net.parent / "c")
    assert "1 to fix" not in watcher.next()
    watcher.end()


def test_a_file_that_is_named_comes_back(net: Path, watch: Callable[..., Watcher]) -> None:
    watcher = watch("net.prototxt")
    net.unlink()
    assert "cannot be read: No such file" in watcher.next()
    net.write_bytes(FINE)
    assert "1 file, nothing to fix" in watcher.next()
    watcher.end()


def test_settings_are_read_again(net: Path, watch: Callable[..., Watcher]) -> None:
    watcher = watch(".")
    settings = net.parent / "caffefix.toml"
    settings.write_text('ignore = ["missing-weight-filler"]\n')
    assert "1 file, nothing to fix" in watcher.next()
    settings.write_text('ignroe = ["missing-weight-filler"]\n')
    assert "did you mean ignore?" in watcher.next()
    settings.unlink()
    assert "1 file, 1 to fix" in watcher.next()
    (net.parent / ".caffefixignore").write_text("net.prototxt\n")
    assert "1 to fix" not in watcher.next()
    watcher.end()


def test_settings_above_count(net: Path, watch: Callable[..., Watcher]) -> None:
    settings = net.parent.parent / "caffefix.toml"
    settings.write_text("")
    watcher = watch("net.prototxt")
    settings.write_text('ignore = ["missing-weight-filler"]\n')
    assert "1 file, nothing to fix" in watcher.next()
    watcher.end()


def test_a_baseline_is_read_again(net: Path, watch: Callable[..., Watcher]) -> None:
    assert caffefix("baseline", "net.prototxt", "-o", "known.json", cwd=net.parent).status == 0
    known = net.parent / "known.json"
    recorded = known.read_text()
    known.write_text('{"version": 1, "files": {}}')
    watcher = watch("--check", "--baseline", "known.json", "net.prototxt")
    known.write_text(recorded)
    assert "1 file, nothing to fix" in watcher.next()
    known.write_text("{")
    assert "not a baseline" in watcher.next()
    known.write_text(recorded)
    assert "1 file, nothing to fix" in watcher.next()
    watcher.end()


def test_only_folders_with_changes_are_read_again(net: Path, watch: Callable[..., Watcher]) -> None:
    """What a link leads to is not watched, so an old result shows that it was not read."""
    away = net.parent.parent / "away.prototxt"
    away.write_bytes(DEAD)
    other = net.parent / "other"
    other.mkdir()
    (other / "link.prototxt").symlink_to(away)
    watcher = watch("--follow-links", ".")
    away.write_bytes(FINE)
    assert watcher.is_quiet()
    net.write_bytes(FINE)
    assert "2 files, 1 to fix" in watcher.next()
    (other / "new.prototxt").write_bytes(FINE)
    assert "3 files, nothing to fix" in watcher.next()
    watcher.end()


def test_a_dry_run_shows_the_diff(net: Path, watch: Callable[..., Watcher]) -> None:
    watcher = watch("--dry-run", "net.prototxt")
    net.write_bytes(DEAD.replace(b"num_output: 8", b"num_output: 16"))
    text = watcher.next()
    assert '+    weight_filler {\n+      type: "xavier"\n' in text
    assert "1 file, 1 to fix" in text
    assert net.read_bytes().count(b"weight_filler") == 0
    watcher.end()


@pytest.mark.parametrize(("number", "status", "words"), [
    (signal.SIGINT, 130, "\n"), (signal.SIGTERM, 143, "ended by SIGTERM"), (signal.SIGHUP, 129, "ended by SIGHUP"),
])  # fmt: skip
def test_how_it_ends(net: Path, watch: Callable[..., Watcher], number: int, status: int, words: str) -> None:
    ended, said = watch(".").end(number)
    assert ended == status
    assert words in said
    assert "Traceback" not in said


def test_a_terminal_is_cleared_before_each_report(net: Path) -> None:
    run = begin(["--watch", "."], net.parent)
    run.expect("Ctrl-C ends")
    assert b"\x1b[2J" not in run.seen
    net.write_bytes(FINE)
    run.expect("nothing to fix")
    assert b"\x1b[H\x1b[2J" in run.seen
    run.expect("Ctrl-C ends")
    run.type("\x03")
    assert run.end()[0] == 130


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("-",), "standard input cannot be read again"),
        (("--files-from", "-"), "standard input cannot be read again"),
        (("--commit", "."), "it cannot be given with --commit"),
        (("--patch-dir", "out", "."), "it cannot be given with --patch-dir"),
        (("--report", "out.md", "."), "it cannot be given with --report"),
        (("--format", "json", "."), "--watch shows its report on the screen"),
        (("--format", "sarif=x.sarif", "."), "--watch shows its report on the screen"),
        (("--check", "--baseline", "b", "--prune", "."), "it cannot be given with --prune"),
        (("--select", "nonsense", "."), "there is no finding 'nonsense'"),
        ((), "Missing argument"),
    ],
)
def test_what_cannot_be_watched(net: Path, args: tuple[str, ...], words: str) -> None:
    done = caffefix("--watch", *args, cwd=net.parent, stdin=b"")
    assert done.status == 2
    assert words in done.err.decode()
    assert b"Traceback" not in done.err


def test_without_the_package(net: Path) -> None:
    """As it is installed without the extra."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "caffefix", "--watch", "./net.prototxt"], cwd=net.parent,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == "error: --watch needs the package watchfiles: pip install 'caffefix[watch]'\n"


def test_nobody_reads_any_more(net: Path) -> None:
    process = start("--watch", ".", cwd=net.parent)
    assert process.stdout is not None
    assert process.stderr is not None
    while READY not in process.stderr.readline():
        pass
    process.stdout.close()
    net.write_bytes(FINE)
    assert process.wait(timeout=30) == 141
    process.stderr.close()
