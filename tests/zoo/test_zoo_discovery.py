"""Which files of a zoo are done: names, ignore files, links, lists, and what git says has changed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.golden import GOLDEN, Outcome, caffefix

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
ALIVE = (GOLDEN / "missing-weight-filler/fires/after.prototxt").read_bytes()

Lay = Callable[..., None]


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    """Writes broken nets, one for each path."""

    def write(*paths: str) -> None:
        for path in paths:
            file = tmp_path / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(DEAD)

    return write


def repaired(folder: Path) -> set[str]:
    """The files that were repaired, whatever they are called."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder).as_posix() for path in files if path.read_bytes() == ALIVE}


def git(folder: Path, *args: str) -> str:
    identity = ["-c", "user.name=A", "-c", "user.email=a@example.com"]
    done = subprocess.run(["git", *identity, *args], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def test_names_of_prototxt_files_and_more_by_configuration(tmp_path: Path, lay: Lay) -> None:
    usual = {"a.prototxt", "b/c.prototxt.txt", "d.pt", "e.pbtxt"}
    lay(*usual, "b/net.cfg", "b/other.txt", ".hidden/f.prototxt")
    caffefix(".", cwd=tmp_path)
    assert repaired(tmp_path) == usual
    (tmp_path / "b/caffefix.toml").write_text('include = ["*.cfg"]\n')
    caffefix(".", cwd=tmp_path)
    assert repaired(tmp_path) == {*usual, "b/net.cfg"}


def test_locks_of_an_editor_are_no_files(tmp_path: Path, lay: Lay) -> None:
    lay("net.prototxt")
    (tmp_path / ".#net.prototxt").symlink_to("me@host.1234:5678")
    done = caffefix(tmp_path)
    assert (done.status, done.err) == (0, b"")
    assert repaired(tmp_path) == {"net.prototxt"}


def test_ignore_files(tmp_path: Path, lay: Lay) -> None:
    lay(
        "a.prototxt", "build/b.prototxt", "sub/c.prototxt", "sub/keep.prototxt", "sub/d/e.prototxt", "x/y.prototxt"
    )
    (tmp_path / ".gitignore").write_text("build/\n/sub/*.prototxt\n!keep.prototxt\nx\n!\n")
    (tmp_path / ".caffefixignore").write_text("!x\n")
    (tmp_path / "sub/.caffefixignore").write_text("d/\n")
    caffefix(".", cwd=tmp_path)
    assert repaired(tmp_path) == {"a.prototxt", "sub/keep.prototxt", "x/y.prototxt"}
    caffefix("build", "sub/c.prototxt", cwd=tmp_path)  # what is named is done
    assert {"build/b.prototxt", "sub/c.prototxt"} <= repaired(tmp_path)
    caffefix("--no-gitignore", ".", cwd=tmp_path)
    assert "sub/d/e.prototxt" not in repaired(tmp_path)  # our own file counts all the same


def test_ignore_files_above_the_searched_folder_count_within_a_repository(tmp_path: Path, lay: Lay) -> None:
    lay("zoo/a.prototxt", "zoo/old/b.prototxt")
    (tmp_path / ".gitignore").write_text("old\n")
    caffefix("--dry-run", "zoo", cwd=tmp_path)
    git(tmp_path, "init", "-q")
    caffefix("zoo", cwd=tmp_path)
    assert repaired(tmp_path) == {"zoo/a.prototxt"}


def test_git_agrees_on_what_is_ignored(tmp_path: Path, lay: Lay) -> None:
    """The oracle is git itself."""
    names = ["a", "b", "keep", "x y"]
    lay(*(f"{one}/{two}/{three}.prototxt" for one in names for two in names for three in names))
    (tmp_path / ".gitignore").write_text("/a/*\n!/a/keep/\nb/keep\n**/x\\ y/b.*\n# a\nkeep/*/a.prototxt\n")
    (tmp_path / "keep/.gitignore").write_text("*\n!/a\n!/a/**\n")
    git(tmp_path, "init", "-q")
    wanted = git(tmp_path, "ls-files", "-z", "--others", "--exclude-standard").split("\0")
    caffefix(".", cwd=tmp_path)
    assert repaired(tmp_path) == {name for name in wanted if name.endswith(".prototxt")}


def test_exclude_on_the_command_line_is_relative_to_the_working_folder(tmp_path: Path, lay: Lay) -> None:
    lay("zoo/a/b.prototxt", "zoo/c/b.prototxt", "zoo/old_1.prototxt")
    (tmp_path / "zoo/caffefix.toml").write_text('exclude = ["a"]\n')
    caffefix("zoo", "--exclude", "zoo/c", "--exclude", "old_*", cwd=tmp_path)
    assert repaired(tmp_path) == {"zoo/a/b.prototxt"}  # the command line wins over the file


@pytest.mark.parametrize("separator", ["\n", "\r\n", "\0"])
def test_a_list_of_files(tmp_path: Path, lay: Lay, separator: str) -> None:
    lay("a.prototxt", "b c.txt", "d.prototxt")
    names = separator.join(("b c.txt", "a.prototxt", "gone.prototxt", "a.prototxt", ""))
    done = caffefix("--files-from", "-", cwd=tmp_path, stdin=names.encode())
    assert (done.status, repaired(tmp_path)) == (2, {"a.prototxt", "b c.txt"})
    assert b"gone.prototxt: cannot be read" in done.err
    assert b"3 files" in done.out


def test_no_file_at_all_is_wrong_usage_but_an_empty_list_is_not(tmp_path: Path) -> None:
    assert caffefix("--check", cwd=tmp_path).status == 2
    assert caffefix("--check", "--files-from", "-", cwd=tmp_path).status == 0
    missing = caffefix("--files-from", "none.txt", cwd=tmp_path)
    assert (missing.status, b"none.txt" in missing.err) == (2, True)


def test_what_changed_since_a_revision(tmp_path: Path, lay: Lay) -> None:
    lay("zoo/old.prototxt", "zoo/edited.prototxt", "zoo/gone.prototxt", "elsewhere/edited.prototxt")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "first")
    git(tmp_path, "branch", "base")
    lay("zoo/committed.prototxt")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "second")
    lay("zoo/new.prototxt")
    for name in ("zoo/edited.prototxt", "elsewhere/edited.prototxt"):
        (tmp_path / name).write_bytes(b"# edited\n" + DEAD)
    (tmp_path / "zoo/gone.prototxt").unlink()
    done = caffefix("--changed-since", "base", "--allow-dirty", "zoo", cwd=tmp_path)
    assert done.status == 0, done.err
    assert repaired(tmp_path) == {"zoo/committed.prototxt", "zoo/new.prototxt"}
    assert (tmp_path / "zoo/edited.prototxt").read_bytes() == b"# edited\n" + ALIVE
    assert b"3 files" in done.out
    assert b"4 files" in caffefix("--changed-since", "base", cwd=tmp_path).out


def _fails(done: Outcome, message: bytes) -> bool:
    return done.status == 2 and message in done.err and b"Traceback" not in done.err


def test_git_cannot_tell(tmp_path: Path, lay: Lay) -> None:
    lay("a.prototxt")
    assert _fails(caffefix("--changed-since", "HEAD", cwd=tmp_path), b"not a git repository")
    git(tmp_path, "init", "-q")
    assert _fails(caffefix("--changed-since", "nowhere", cwd=tmp_path), b"error: git knows no revision 'nowhere'")
    assert _fails(caffefix("--changed-since", "--all", cwd=tmp_path), b"is not a revision")
    assert repaired(tmp_path) == set()


def test_links(tmp_path: Path, lay: Lay) -> None:
    lay("zoo/a.prototxt", "outside/b.prototxt", "outside/c.prototxt")
    zoo = tmp_path / "zoo"
    os.symlink("a.prototxt", zoo / "again.prototxt")
    os.symlink("../outside/b.prototxt", zoo / "b.prototxt")
    os.symlink("loop.prototxt", zoo / "loop.prototxt")
    os.symlink(tmp_path / "outside", zoo / "folder")
    os.symlink(tmp_path, zoo / "round")
    done = caffefix("zoo", cwd=tmp_path)
    assert (done.status, repaired(tmp_path)) == (2, {"zoo/a.prototxt"})
    assert b"b.prototxt: not checked: it is a link to" in done.err
    assert b"loop.prototxt: " in done.err
    (zoo / "loop.prototxt").unlink()
    assert caffefix("zoo", "outside/b.prototxt", cwd=tmp_path).status == 0  # it was given
    assert repaired(tmp_path) == {"zoo/a.prototxt", "outside/b.prototxt"}
    done = caffefix("zoo", "--follow-links", cwd=tmp_path)
    assert (done.status, repaired(tmp_path)) == (0, {"zoo/a.prototxt", "outside/b.prototxt", "outside/c.prototxt"})
    assert b"3 files, 1 fixed" in done.out
    assert (zoo / "b.prototxt").is_symlink()
