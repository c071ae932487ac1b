"""The cache: what is in it is not worked on again, and only a whole entry of the same key counts."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.support.golden import GOLDEN, caffefix
from tests.support.zoos import make_zoo

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
CACHED = ("--check", "--notes", "--cache-dir", "cache", "-j", "1")


def _break(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, only what is in the cache has a result."""

    def fail(*args: object, **others: object) -> None:
        raise AssertionError("worked on")

    monkeypatch.setattr("caffefix.zoo.work.repair", fail)


def test_a_second_run_works_on_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_zoo(tmp_path / "zoo", 40)
    (tmp_path / "zoo/broken.prototxt").write_bytes(b"layer {\n")
    first = caffefix(*CACHED, "zoo", cwd=tmp_path)
    _break(monkeypatch)
    assert caffefix(*CACHED, "zoo", cwd=tmp_path) == first
    (tmp_path / "zoo").rename(tmp_path / "other")  # names and times do not count
    moved = caffefix(*CACHED, "other", cwd=tmp_path)
    assert re.sub(rb"\bother\b", b"zoo", moved.out).split() == first.out.split()
    assert re.sub(rb"\bother\b", b"zoo", moved.err) == first.err
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
    entries = sorted(_entries(tmp_path / "cache"))
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


def _entries(folder: Path) -> list[Path]:
    return [
        path for path in folder.rglob("*") if path.is_file() and path.name not in ("CACHEDIR.TAG", ".gitignore")
    ]


def test_small_runs_leave_no_cache_behind_and_large_ones_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("XDG_CACHE_HOME", str(home))
    make_zoo(tmp_path / "zoo", 30)
    caffefix("--check", "zoo/model000", cwd=tmp_path)
    caffefix("--check", "--no-cache", "zoo", cwd=tmp_path)
    assert not home.exists()
    caffefix("--check", "zoo", cwd=tmp_path)
    assert len(_entries(home / "caffefix")) == 30
    assert (home / "caffefix").stat().st_mode & 0o777 == 0o700
    assert {path.name for path in tmp_path.iterdir()} == {"home", "zoo"}
    assert (home / "caffefix/.gitignore").read_text() == "*\n"
    assert caffefix("cache", "prune", cwd=tmp_path).out.endswith(b": 0 results deleted\n")
    assert caffefix("cache", "prune", "--days", "0", cwd=tmp_path).out.endswith(b": 30 results deleted\n")
    assert caffefix("cache", "clear", cwd=tmp_path).status == 0
    assert not (home / "caffefix").exists()


def test_what_earlier_versions_left_is_deleted_when_asked(tmp_path: Path) -> None:
    old = tmp_path / ".caffefix_cache"
    assert caffefix("cache", "clear", "--old", ".", cwd=tmp_path).status == 2
    (old / "0.1.0").mkdir(parents=True)
    (old / "0.1.0/entry").write_bytes(b"x")
    assert caffefix("cache", "clear", "--old", ".", cwd=tmp_path).status == 2
    signature = "Signature: 8a477f597d28d172789f06886806bc55\n# The cache of caffefix; it may be deleted.\n"
    (old / "CACHEDIR.TAG").write_text(signature)
    assert caffefix("cache", "clear", "--old", ".", cwd=tmp_path).status == 0
    assert not old.exists()


def test_only_a_cache_is_cleared(tmp_path: Path) -> None:
    make_zoo(tmp_path / "zoo", 1)
    for command in ("info", "prune", "clear"):
        done = caffefix("cache", command, "--cache-dir", "zoo", cwd=tmp_path)
        assert (done.status, b"there is no caffefix cache here" in done.err) == (2, True)
    assert list((tmp_path / "zoo").iterdir())
