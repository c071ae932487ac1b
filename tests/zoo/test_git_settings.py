"""A repository whose own settings name programs: git is asked, and none of them is run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.golden import GOLDEN, caffefix

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
ALIVE = (GOLDEN / "missing-weight-filler/fires/after.prototxt").read_bytes()
# Each is called by some git command that a run of ours needs.
SETTINGS = {
    "core.fsmonitor": "{}",
    "core.hooksPath": "hooks",
    "core.pager": "{}",
    "core.editor": "{}",
    "diff.external": "{}",
    "diff.evil.command": "{}",
    "diff.evil.textconv": "{}",
    "filter.evil.clean": "{}",
    "filter.evil.smudge": "{}",
    "filter.evil.process": "{}",
    "filter.evil.required": "true",
    "merge.evil.driver": "{}",
    "gpg.program": "{}",
    "gpg.ssh.program": "{}",
    "commit.gpgSign": "true",
    "am.threeWay": "true",
    "gc.auto": "1",
    "gc.recentObjectsHook": "{}",
    "remote.origin.uploadpack": "{}",
    "remote.origin.promisor": "true",
    "core.sshCommand": "{}",
}
HOOKS = ("applypatch-msg", "pre-applypatch", "post-applypatch", "post-checkout", "post-index-change",
         "pre-auto-gc", "post-rewrite", "reference-transaction", "fsmonitor-watchman")  # fmt: skip


pytestmark = pytest.mark.usefixtures("plain_git")


def git_repository(folder: Path) -> None:
    for args in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run(["git", *args], cwd=folder, check=True)


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A clean repository with a net to repair, where each program would leave a file called ``ran``."""
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "net.prototxt").write_bytes(DEAD)
    (folder / ".gitattributes").write_text("*.prototxt diff=evil filter=evil merge=evil\n")
    git_repository(folder)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{tmp_path}/ran'\ncat\n")
    program.chmod(0o755)
    for place in (folder / ".git/hooks", folder / "hooks"):
        place.mkdir(exist_ok=True)
        for hook in HOOKS:
            (place / hook).write_bytes(program.read_bytes())
            (place / hook).chmod(0o755)
    (folder / ".git/info/exclude").write_text("hooks\n")
    for key, value in SETTINGS.items():
        subprocess.run(["git", "-C", folder, "config", key, value.format(program)], check=True)
    os.utime(folder / "net.prototxt", (1, 1))  # so that git has to look into it
    return folder


def _ran(folder: Path) -> str:
    ran = folder.parent / "ran"
    return ran.read_text() if ran.exists() else ""


@pytest.mark.parametrize(
    "args",
    [
        ["."],
        ["--dry-run", "."],
        ["--changed-since", "HEAD", "."],
        ["--commit", "."],
        ["--patch-dir", "../patches", "."],
    ],
    ids=lambda args: args[0],
)
def test_no_program_of_a_repository_runs(hostile: Path, args: list[str]) -> None:
    done = caffefix(*args, "--exit-zero", cwd=hostile)
    assert _ran(hostile) == ""
    assert done.status == 0, done.err
    if args[0] == "--commit":
        assert b"1 commit made" in done.err
        assert (hostile / "net.prototxt").read_bytes() == ALIVE


def test_these_programs_would_have_run(hostile: Path) -> None:
    # Without this, the test before might be of settings that git never looks at.
    subprocess.run(["git", "diff", "--name-only"], cwd=hostile, check=False, capture_output=True)
    assert _ran(hostile)


def test_a_program_that_cannot_be_left_out_is_a_refusal(hostile: Path) -> None:
    subprocess.run(["git", "config", "hook.evil.command", "touch ran"], cwd=hostile, check=True)
    done = caffefix("--commit", ".", cwd=hostile)
    assert (done.status, b"hook.evil.command" in done.err) == (2, True)
    assert _ran(hostile) == ""


@pytest.mark.parametrize("where", ["above", "elsewhere"])
def test_a_repository_cannot_say_that_its_tree_is_elsewhere(tmp_path: Path, where: str) -> None:
    victim = tmp_path / "victim"
    folder = victim / "checkout" if where == "above" else tmp_path / "checkout"
    folder.mkdir(parents=True)
    (folder / "net.prototxt").write_bytes(DEAD)
    git_repository(folder)
    subprocess.run(["git", "-C", folder, "config", "core.worktree", victim], check=True)
    victim.mkdir(exist_ok=True)
    done = caffefix("--commit", "checkout" if where == "elsewhere" else "victim/checkout", cwd=tmp_path)
    assert (done.status, b"core.worktree" in done.err or b"not committed" in done.err) == (2, True)
    assert not (victim / "net.prototxt").exists()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="giving files away needs root")
def test_a_repository_of_somebody_else_is_not_asked(hostile: Path) -> None:
    subprocess.run(["chown", "-R", "65534:65534", hostile], check=True)
    (hostile / "net.prototxt").chmod(0o666)
    done = caffefix(".", cwd=hostile)
    assert (done.status, b"dubious ownership" in done.err, b"--allow-dirty" in done.err) == (2, True, True)
    assert (hostile / "net.prototxt").read_bytes() == DEAD
    assert caffefix("--allow-dirty", "--exit-zero", ".", cwd=hostile).status == 0
    assert (hostile / "net.prototxt").read_bytes() == ALIVE
    assert _ran(hostile) == ""


# ---------------------------------------------------------------- files that git could not bring back


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "net.prototxt").write_bytes(DEAD)
    git_repository(tmp_path)
    return tmp_path


def _edit(folder: Path) -> None:
    (folder / "net.prototxt").write_bytes(DEAD + b"# edited\n")


def test_a_file_that_differs_from_the_index_is_left_alone(repository: Path) -> None:
    _edit(repository)
    for command in ([], ["suppress", "--reason", "today"]):
        done = caffefix(*command, "net.prototxt", cwd=repository)
        assert (done.status, b"not in git's index" in done.err) == (2, True)
        assert (repository / "net.prototxt").read_bytes() == DEAD + b"# edited\n"
    assert caffefix("--check", "net.prototxt", cwd=repository).status == 1
    assert caffefix("--allow-dirty", "net.prototxt", cwd=repository).status == 0
    assert (repository / "net.prototxt").read_bytes() == ALIVE + b"# edited\n"


@pytest.mark.parametrize("state", ["staged", "untracked", "clean", "no repository"])
def test_what_git_or_nobody_keeps_is_written(repository: Path, state: str) -> None:
    if state == "staged":
        _edit(repository)
        subprocess.run(["git", "add", "."], cwd=repository, check=True)
    elif state == "untracked":
        subprocess.run(["git", "rm", "-q", "--cached", "net.prototxt"], cwd=repository, check=True)
    elif state == "no repository":
        for path in sorted((repository / ".git").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    assert caffefix("net.prototxt", cwd=repository).status == 0
    assert (repository / "net.prototxt").read_bytes().startswith(ALIVE)


def test_other_files_go_on_and_links_do_not_hide_a_file(repository: Path) -> None:
    _edit(repository)
    for name in ("a.prototxt", "z.prototxt"):
        (repository / name).write_bytes(DEAD)
    (repository / "link.prototxt").symlink_to("net.prototxt")
    done = caffefix(".", cwd=repository)
    assert done.status == 2
    assert done.err.count(b"not in git's index") == 1
    assert (repository / "net.prototxt").read_bytes() == DEAD + b"# edited\n"
    assert (repository / "a.prototxt").read_bytes() == (repository / "z.prototxt").read_bytes() == ALIVE


def test_without_git_files_are_written(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _edit(repository)
    monkeypatch.setenv("PATH", str(repository))
    assert caffefix("net.prototxt", cwd=repository).status == 0


@pytest.mark.parametrize("flag", ["--assume-unchanged", "--skip-worktree"])
def test_a_file_that_git_was_told_not_to_compare_is_left_alone(repository: Path, flag: str) -> None:
    subprocess.run(["git", "update-index", flag, "net.prototxt"], cwd=repository, check=True)
    _edit(repository)
    done = caffefix("net.prototxt", cwd=repository)
    assert (done.status, (repository / "net.prototxt").read_bytes()) == (2, DEAD + b"# edited\n")
    assert b"it has changes that are not in git's index" in done.out + done.err


def test_a_file_of_a_repository_that_is_broken_is_left_alone(repository: Path) -> None:
    (repository / ".git/HEAD").unlink()
    _edit(repository)
    done = caffefix("net.prototxt", cwd=repository)
    assert (done.status, (repository / "net.prototxt").read_bytes()) == (2, DEAD + b"# edited\n")
    assert b"--allow-dirty writes it" in done.out + done.err
    assert caffefix("--allow-dirty", "net.prototxt", cwd=repository).status == 0


@pytest.mark.skipif(os.name == "nt", reason="there are no such pipes")
def test_git_is_not_waited_for_without_end(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from caffefix.zoo import git

    monkeypatch.setattr(git, "_PATIENCE", 1)
    os.mkfifo(repository / ".git/info/attributes")
    done = caffefix("net.prototxt", cwd=repository)
    assert (done.status, (repository / "net.prototxt").read_bytes()) == (2, DEAD)
    assert b"git diff: no answer in 1 seconds" in done.out + done.err


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="there is no such device")
@pytest.mark.parametrize("key", ["core.attributesFile", "core.excludesFile"])
def test_files_without_end_that_a_repository_names_are_not_read(repository: Path, key: str) -> None:
    subprocess.run(["git", "config", key, "/dev/zero"], cwd=repository, check=True)
    assert caffefix("net.prototxt", cwd=repository).status == 0
    assert caffefix("--changed-since", "HEAD", ".", cwd=repository).status in (0, 1)


def test_a_revision_that_is_not_there_is_called_so(repository: Path) -> None:
    done = caffefix("--changed-since", "nosuch", ".", cwd=repository)
    assert (done.status, b"git knows no revision 'nosuch'" in done.err) == (2, True)
