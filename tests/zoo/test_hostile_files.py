"""Files that are no files, are too large, or become something else while they are repaired."""

from __future__ import annotations

import os
import random
import signal
import stat
import struct
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from caffefix.zoo import files
from caffefix.zoo.files import LIST, NET, FileError, read, write
from caffefix.zoo.gitignore import rules
from tests.support.golden import GOLDEN, caffefix

CLEAN = b'name: "net"\n'
needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
needs_zero = pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no /dev/zero here")


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """What hangs fails."""

    def end(number: int, frame: object) -> None:
        raise TimeoutError("it hangs")

    if not hasattr(signal, "alarm"):
        yield
        return
    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


# ---------------------------------------------------------------- reading


@needs_zero
@pytest.mark.parametrize(
    "name", ["net.prototxt", "caffefix.toml", ".gitignore", ".caffefixignore", "pyproject.toml", "net.pt"]
)
def test_what_leads_to_a_device_is_not_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "other.prototxt").write_bytes(CLEAN)
    (tmp_path / name).symlink_to("/dev/zero")
    done = caffefix("--check", "--follow-links", ".", cwd=tmp_path)
    assert done.status == (2 if name.startswith("net") else 0)
    assert (b"not a regular file" in done.err) == name.startswith("net")


@needs_pipes
@pytest.mark.parametrize("name", ["net.prototxt", "caffefix.toml", ".gitignore", ".caffefixignore", "net.pt"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    (tmp_path / "other.prototxt").write_bytes(CLEAN)
    os.mkfifo(tmp_path / name)
    done = caffefix("--check", ".", cwd=tmp_path)
    assert done.status == (2 if name.startswith("net") else 0)


@needs_zero
def test_a_device_is_no_log_mean_file_or_patch(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_bytes(CLEAN)
    for name in ("a.log", "a.patch"):
        (tmp_path / name).symlink_to("/dev/zero")
    for args in (["--log", "a.log"], ["--patch", "a.patch"], ["--files-from", "a.log"], ["--config", "a.log"]):
        done = caffefix("--check", *args, "net.prototxt", cwd=tmp_path)
        assert (done.status, b"not a regular file" in done.err) == (2, True), done.err


@needs_pipes
def test_a_pipe_that_comes_in_a_files_place_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the question what it is and its being opened."""
    file, other = tmp_path / "net.prototxt", tmp_path / "other"
    os.mkfifo(file)
    other.write_bytes(CLEAN)
    status = os.stat(other)
    monkeypatch.setattr(files.os, "stat", lambda path: status)
    with pytest.raises(FileError, match="not a regular file"):
        read(str(file))


def test_files_have_a_largest_size(tmp_path: Path) -> None:
    (tmp_path / "other.prototxt").write_bytes(CLEAN)
    for name, most in (("net.prototxt", NET), ("caffefix.toml", LIST), (".gitignore", LIST), ("a.patch", LIST)):
        file = tmp_path / name
        with open(file, "wb") as hole:
            hole.truncate(most + 1)
        args = ["--patch", "a.patch"] if name == "a.patch" else []
        done = caffefix("--check", *args, ".", cwd=tmp_path)
        assert done.status == 2
        assert f"{name}: larger than {most >> 20} MiB".encode() in done.err
        file.unlink()


def test_standard_input_has_a_largest_size_too() -> None:
    done = caffefix("--check", "-", stdin=b"\n" * (NET + 1))
    assert done.status == 2
    assert b"<stdin>: larger than 64 MiB" in done.err


# ---------------------------------------------------------------- writing


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.prototxt"
    path.write_bytes(b"old")
    return path


def meanwhile(monkeypatch: pytest.MonkeyPatch, done: Callable[[], object]) -> None:
    """Something happens while the new content is being written."""
    sync = os.fsync

    def fsync(handle: int) -> None:
        monkeypatch.setattr(files.os, "fsync", sync)
        done()
        sync(handle)

    monkeypatch.setattr(files.os, "fsync", fsync)


@pytest.mark.skipif(os.name == "nt", reason="modes are another matter there")
def test_special_bits_stay(file: Path) -> None:
    file.chmod(0o6755)
    write(str(file), b"old", b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode)) == (b"new", 0o6755)


def test_a_mode_that_is_given_meanwhile_stays(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    meanwhile(monkeypatch, lambda: file.chmod(0o600))
    write(str(file), b"old", b"new")
    assert (file.read_bytes(), stat.S_IMODE(file.stat().st_mode) & 0o77) == (b"new", 0)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="there are no extended attributes here")
def test_attributes_stay(file: Path) -> None:
    try:
        os.setxattr(file, "user.origin", b"zoo")
    except OSError as error:
        pytest.skip(f"the file system has none: {error}")
    write(str(file), b"old", b"new")
    assert (file.read_bytes(), os.getxattr(file, "user.origin")) == (b"new", b"zoo")


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="there are no extended attributes here")
def test_access_lists_stay(file: Path) -> None:
    """One more user may read it: version 2; owner rw, user 4711 r, group none, mask r, others none."""
    entries = [(1, 6, 0xFFFFFFFF), (2, 4, 4711), (4, 0, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    listed = b"\2\0\0\0" + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    try:
        os.setxattr(file, "system.posix_acl_access", listed)
    except OSError as error:
        pytest.skip(f"the file system has none: {error}")
    write(str(file), b"old", b"new")
    assert os.getxattr(file, "system.posix_acl_access") == listed


@pytest.mark.skipif(os.name == "nt", reason="links want a privilege there")
def test_a_link_that_comes_in_its_place_is_not_replaced(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = file.with_name("other")
    other.write_bytes(b"old")

    def swap() -> None:
        file.unlink()
        file.symlink_to(other)

    meanwhile(monkeypatch, swap)
    with pytest.raises(FileError, match="a link was put in its place"):
        write(str(file), b"old", b"new")
    assert file.is_symlink()
    assert other.read_bytes() == b"old"
    assert sorted(path.name for path in file.parent.iterdir()) == ["a.prototxt", "other"]


def test_another_file_that_comes_in_its_place_is_not_replaced(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = file.with_name("other")
    other.write_bytes(b"old")
    meanwhile(monkeypatch, lambda: os.replace(other, file))
    with pytest.raises(FileError, match="another file was put in its place"):
        write(str(file), b"old", b"new")
    assert file.read_bytes() == b"old"


@needs_pipes
def test_a_pipe_that_comes_in_its_place_is_not_waited_for(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def swap() -> None:
        file.unlink()
        os.mkfifo(file)

    meanwhile(monkeypatch, swap)
    with pytest.raises(FileError, match="no longer a regular file"):
        write(str(file), b"old", b"new")


# ---------------------------------------------------------------- rules of what to ignore


def test_a_rule_of_many_stars_is_told_at_once() -> None:
    """Also one that no name matches: a regular expression would try all ways to divide the name."""
    names = ["a" * 60] * 60
    for rule in ("*a" * 30 + "*b", "**/" * 30 + "b", f"{'**/a*a/' * 20}b", "*?" * 30 + "b", f"{'*[ab]' * 30}c"):
        assert rules(rule.encode()).verdict(names, False) is None


def test_a_folder_with_such_a_rule_is_searched(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*a" * 30 + "*b\n")
    (tmp_path / f"{'a' * 60}.prototxt").write_bytes(CLEAN)
    assert b"1 file, nothing to fix" in caffefix("--check", ".", cwd=tmp_path).out


def test_git_agrees_on_rules_made_at_random(tmp_path: Path) -> None:
    """Rules of every kind against names of every kind; where a name in a rule begins with more than ``**``
    and letters before it, git reads the stars as if the letters were not there, which no document says."""
    choose = random.Random(5)
    parts = [
        "a",
        "b",
        "*",
        "?",
        "/",
        "[ab]",
        "[!a]",
        "[a-b]",
        "**",
        "/**",
        "**/",
        "\\*",
        "\\a",
        "[[:alpha:]]",
        "é",
    ]
    parts += ["é", "[", "\\", " ", "!", "#", "[]a]", "[^]]", "[a-]", "[b-a]", ".", "[a/b]", "[\\]]", "[:]"]
    words = ["a", "b", "ab", "ba", "aab", "é", "*", ".a", "a b", "#", "!", "a]", "-", "ab ", "]", "\\"]
    names = [*words, *(f"{x}/{y}" for x in words for y in words[:6])]
    names += [f"{x}/{y}/{z}" for x in words[:6] for y in words[:4] for z in words[:4]]
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for _ in range(150):
        rule = "".join(choose.choice(parts) for _ in range(choose.randint(1, 6)))
        line = (rule + choose.choice(["", "/", "  ", "\r"])).encode() + b"\n"
        if any(len(name.partition("**")[0]) and "**" in name for name in rule.split("/")):
            continue
        (tmp_path / ".gitignore").write_bytes(line)
        asked = "\0".join(names).encode() + b"\0"
        command = ["git", "check-ignore", "--no-index", "-v", "-n", "-z", "--stdin"]
        told = subprocess.run(command, cwd=tmp_path, input=asked, capture_output=True, check=False).stdout.split(
            b"\0"
        )
        wanted = [None if not told[i] else not told[i + 2].startswith(b"!") for i in range(0, len(told) - 1, 4)]
        assert [_verdict(line, name) for name in names] == wanted, line


def _verdict(line: bytes, name: str) -> bool | None:
    """As git tells it of a path: what is in a folder that is passed over is, too."""
    path = name.encode().decode("latin-1").split("/")
    read_rules = rules(line)
    if any(read_rules.verdict(path[:depth], True) for depth in range(1, len(path))):
        return True
    return read_rules.verdict(path, False)


def test_patterns_of_a_configuration_are_told_at_once(tmp_path: Path) -> None:
    glob = "*a" * 30 + "*b"
    (tmp_path / "caffefix.toml").write_text(
        f'exclude = ["{glob}"]\ninclude = ["{glob}"]\nper-file-ignores = {{ "{glob}" = ["double-softmax"] }}\n'
    )
    (tmp_path / f"{'a' * 60}.prototxt").write_bytes(CLEAN)
    assert b"1 file, nothing to fix" in caffefix("--check", ".", cwd=tmp_path).out
    done = caffefix("--check", "--select", glob, ".", cwd=tmp_path)
    assert done.status == 2
    assert b"there is no finding" in done.err


def test_a_link_that_comes_before_the_file_is_written_leads_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file that it leads to holds the very same text."""
    from caffefix.zoo.writing import Writer

    text = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
    outside = tmp_path / "outside.prototxt"
    net = tmp_path / "zoo/net.prototxt"
    net.parent.mkdir()
    for path in (outside, net):
        path.write_bytes(text)

    def swap(self: Writer, path: str) -> None:
        net.unlink()
        net.symlink_to(outside)

    monkeypatch.setattr(Writer, "check_git", swap)
    done = caffefix("zoo", cwd=tmp_path)
    assert (done.status, b"outside the given paths" in done.err) == (2, True)
    assert outside.read_bytes() == text
