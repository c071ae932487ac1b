"""Repairs as patches and as commits: together they are what the direct run does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import SHARED, corpus_files
from tests.support.golden import GOLDEN, caffefix
from tests.support.zoos import plain_cases

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
V1 = (GOLDEN / "legacy-v1-layers/fires/before.prototxt").read_bytes()


def git(folder: Path, *args: str) -> str:
    done = subprocess.run(["git", *args], cwd=folder, check=False, capture_output=True)
    assert done.returncode == 0, (args, done.stderr)
    return done.stdout.decode("utf-8", "surrogateescape")


pytestmark = pytest.mark.usefixtures("plain_git")


def repository(folder: Path) -> Path:
    git(folder, "init", "-q")
    git(folder, "add", "-A", "-f")
    git(folder, "commit", "-qm", "first")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    names = (path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts)
    return {str(p.relative_to(folder)): p.read_bytes() for p in names if ".caffefix_cache" not in p.parts}


def golden_zoo(folder: Path, every: int = 4) -> Path:
    """Golden cases, and files with what is hard for mails."""
    for case in plain_cases()[::every]:
        place = folder / "zoo" / case.parent.name
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(case / "before.prototxt", place / f"{case.name}.prototxt")
    odd = folder / "zoo/odd 'names' é"
    odd.mkdir(parents=True)
    (odd / "crlf.prototxt").write_bytes(DEAD.replace(b"\n", b"\r\n"))
    (odd / "half crlf.prototxt").write_bytes(DEAD.replace(b"\n", b"\r\n", 9))
    (odd / "latin.prototxt").write_bytes(b"# From here: caf\xe9\n# --- a\n" + DEAD)
    (odd / "gbk and utf.prototxt").write_bytes("# 网络 = 50%\n".encode("gbk") + V1 + "# ü=\n".encode())
    (odd / "no end.prototxt").write_bytes(DEAD.rstrip())
    (odd / "long.prototxt").write_bytes(b"# " + b"x" * 5000 + b"\n" + DEAD + b"#\ty=3D\n\n\n")
    return repository(folder)


def test_patches_applied_one_by_one_give_the_direct_run(tmp_path: Path) -> None:
    source = golden_zoo(tmp_path / "source")
    before = contents(source)
    made = caffefix("--patch-dir", "../patches", "--exit-zero", "zoo", cwd=source)
    assert made.status == 0, made.err
    assert contents(source) == before
    patches = sorted((tmp_path / "patches").iterdir())
    assert f"{len(patches)} patches in ../patches".encode() in made.err
    assert len(patches) > 5
    git(tmp_path, "clone", "-q", "source", "clone")
    for patch in patches:
        git(tmp_path / "clone", "am", "-q", str(patch))
    assert caffefix("--exit-zero", "zoo", cwd=source).status == 0
    assert contents(tmp_path / "clone") == contents(source) != before
    log = git(tmp_path / "clone", "log", "--format=%an <%ae> %s").splitlines()
    assert len(log) == len(patches) + 1
    assert all(line.startswith("Zoë Zoo <zoe@example.com> Fix ") for line in log[:-1])


def test_each_patch_is_about_one_finding_and_says_why(tmp_path: Path) -> None:
    source = golden_zoo(tmp_path / "source")
    caffefix("--patch-dir", "../patches", "zoo", cwd=source)
    git(tmp_path, "clone", "-q", "source", "clone")
    for patch in sorted((tmp_path / "patches").iterdir()):
        name = patch.stem[5:].removesuffix("-again")
        git(tmp_path / "clone", "am", "-q", str(patch))
        message = git(tmp_path / "clone", "log", "-1", "--format=%B")
        shown = git(tmp_path / "clone", "show", "--format=", "--numstat")
        files = len(shown.splitlines())
        assert message.startswith(f"Fix {name} in {files} file{'s' * (files != 1)}")
        assert f"caffefix explain {name}" in " ".join(message.split())
        assert "Safe" in message


def test_a_fix_that_another_one_makes_necessary_has_its_place_in_the_series(tmp_path: Path) -> None:
    """In one file the order of two fixes is that of the other's second round."""
    source = tmp_path / "source"
    source.mkdir()
    old_input = 'input: "data"\ninput_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n'
    v1 = 'layers { name: "r" type: RELU bottom: "data" top: "r" }\n'
    v2 = 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }\n'
    (source / "a.prototxt").write_text(old_input + v1)
    (source / "b.prototxt").write_text(old_input + v2)
    repository(source)
    assert caffefix("--patch-dir", "../patches", ".", cwd=source).status == 0
    names = [patch.stem for patch in sorted((tmp_path / "patches").iterdir())]
    assert names == ["0001-legacy-input-fields", "0002-legacy-v1-layers", "0003-legacy-input-fields-again"]
    git(tmp_path, "clone", "-q", "source", "clone")
    for name in names:
        git(tmp_path / "clone", "am", "-q", str(tmp_path / "patches" / f"{name}.patch"))
    caffefix(".", cwd=source)
    assert contents(tmp_path / "clone") == contents(source)


def test_commits(tmp_path: Path) -> None:
    source = golden_zoo(tmp_path / "source")
    shutil.copytree(source, tmp_path / "direct")
    done = caffefix("--commit", "--exit-zero", ".", cwd=source / "zoo")
    assert done.status == 0, done.err
    assert b"commits made" in done.err
    caffefix("zoo", cwd=tmp_path / "direct")
    assert contents(source) == contents(tmp_path / "direct")
    assert git(source, "status", "--porcelain", "--untracked-files=no") == ""
    subjects = git(source, "log", "--format=%s").splitlines()
    assert len(subjects) > 5
    again = caffefix("--commit", "--exit-zero", ".", cwd=source / "zoo")
    assert (again.status, b"0 commits made" in again.err) == (0, True)


def test_commits_want_a_clean_tree_and_files_that_git_knows(tmp_path: Path) -> None:
    (tmp_path / "a.prototxt").write_bytes(DEAD)
    outside = caffefix("--commit", ".", cwd=tmp_path)
    assert (outside.status, b"not a git repository" in outside.err) == (2, True)
    repository(tmp_path)
    (tmp_path / "new.prototxt").write_bytes(DEAD)
    (tmp_path / "a.prototxt").write_bytes(DEAD + b"# edited\n")
    dirty = caffefix("--commit", ".", cwd=tmp_path)
    assert (dirty.status, b"changes that are not committed" in dirty.err) == (2, True)
    assert (tmp_path / "a.prototxt").read_bytes() == DEAD + b"# edited\n"
    git(tmp_path, "checkout", "-q", "a.prototxt")
    done = caffefix("--commit", ".", cwd=tmp_path)
    assert (done.status, b"1 commit made" in done.err) == (2, True)
    assert b"new.prototxt: not changed: git does not track it" in done.err
    assert (tmp_path / "new.prototxt").read_bytes() == DEAD != (tmp_path / "a.prototxt").read_bytes()


def test_an_am_that_is_under_way_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a.prototxt").write_bytes(DEAD)
    repository(tmp_path)
    (tmp_path / ".git/rebase-apply").mkdir()
    (tmp_path / ".git/rebase-apply/applying").write_bytes(b"")
    done = caffefix("--commit", ".", cwd=tmp_path)
    assert (done.status, b"a rebase or am is in progress" in done.err) == (2, True)
    assert (tmp_path / ".git/rebase-apply/applying").exists()


def test_what_git_refuses_leaves_no_trace(tmp_path: Path) -> None:
    (tmp_path / "a.prototxt").write_bytes(DEAD)
    repository(tmp_path)
    lock = tmp_path / ".git" / f"{git(tmp_path, 'symbolic-ref', 'HEAD').strip()}.lock"  # somebody else is at work
    lock.write_bytes(b"")
    done = caffefix("--commit", ".", cwd=tmp_path)
    assert (done.status, b"cannot lock ref" in done.err) == (2, True)
    lock.unlink()
    assert (tmp_path / "a.prototxt").read_bytes() == DEAD
    assert git(tmp_path, "status", "--porcelain") == ""
    assert not (tmp_path / ".git/rebase-apply").exists()


def test_patches_split_by_folder(tmp_path: Path) -> None:
    for name in ("one/x/a", "one/b", "two/c", "d"):
        path = tmp_path / "zoo" / f"{name}.prototxt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DEAD)
    repository(tmp_path)
    assert caffefix("--patch-dir", "p", "--split-by", "folder", "zoo", cwd=tmp_path).status == 0
    names = [patch.name for patch in sorted((tmp_path / "p").iterdir())]
    assert names == [
        "0001-missing-weight-filler.patch",
        "0002-missing-weight-filler-one.patch",
        "0003-missing-weight-filler-two.patch",
    ]
    git(tmp_path, "am", "-q", *(f"p/{name}" for name in reversed(names)))  # folders do not depend on each other
    assert git(tmp_path, "log", "-2", "--format=%s").splitlines() == [
        "Fix missing-weight-filler in 1 file",
        "one: Fix missing-weight-filler in 2 files",
    ]
    assert b"nothing to fix" in caffefix("zoo", cwd=tmp_path).out


@pytest.mark.skipif(os.name == "nt", reason="such names are not allowed there")
def test_folders_with_names_that_no_header_takes(tmp_path: Path) -> None:
    names = ["two\nlines", "a\r\nSubject: b", "\u202etxt", "x" * 250, "\udcff", "é" * 120]
    for name in names:
        (tmp_path / "zoo" / name).mkdir(parents=True)
        (tmp_path / "zoo" / name / "a.prototxt").write_bytes(DEAD)
    repository(tmp_path)
    done = caffefix("--commit", "--split-by", "folder", "zoo", cwd=tmp_path)
    assert done.status == 0, done.err
    assert all((tmp_path / "zoo" / name / "a.prototxt").read_bytes() != DEAD for name in names)
    subjects = git(tmp_path, "log", "--format=%s").splitlines()
    assert sum(subject.startswith("two\\x0alines: Fix missing-weight-filler") for subject in subjects) == 1
    assert any(subject.startswith("\\u202etxt: ") for subject in subjects)
    done = caffefix("--patch-dir", "p", "--split-by", "folder", "zoo", cwd=tmp_path)
    assert done.status == 0, done.err


def test_half_a_series_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from caffefix.zoo import mail

    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.prototxt").write_bytes(DEAD)
    head, made = mail.head, []

    def full(*args: object, **options: object) -> bytes:
        made.append(1)
        if len(made) > 1:
            raise OSError(28, "No space left on device")
        return head(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(mail, "head", full)
    done = caffefix("--patch-dir", "p", "--split-by", "folder", ".", cwd=tmp_path)
    assert done.status == 2
    assert b"No space left" in done.err
    assert not list((tmp_path / "p").iterdir())


def test_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "a.prototxt").write_bytes(DEAD)
    (tmp_path / "p").mkdir()
    (tmp_path / "p/x").touch()
    for args, message in (
        (("--patch-dir", "p"), b"p: not empty"),
        (("--patch-dir", "q", "--commit"), b"cannot both be given"),
        (("--patch-dir", "q", "--check"), b"cannot be given with --dry-run or --check"),
        (("--split-by", "folder"), b"--split-by needs"),
        (("--backup", "x/.orig"), b"--backup needs a suffix"),
        (("--backup", ".pt"), b"--backup needs a suffix"),
    ):
        done = caffefix(*args, "a.prototxt", cwd=tmp_path)
        assert (done.status, message in done.err) == (2, True), done.err
    assert (tmp_path / "a.prototxt").read_bytes() == DEAD


def test_outside_of_git_patches_are_relative_to_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.prototxt").write_bytes(DEAD)
    (tmp_path / "b.prototxt").write_bytes(DEAD)
    done = caffefix("--patch-dir", "p", ".", "../b.prototxt", cwd=tmp_path / "in")
    assert (done.status, b"b.prototxt: not changed: it is outside" in done.err) == (2, True)
    patch = (tmp_path / "in/p/0001-missing-weight-filler.patch").read_bytes()
    assert b"\n--- a/a.prototxt\n+++ b/a.prototxt\n" in patch


@pytest.mark.slow
def test_patches_of_real_files(tmp_path: Path) -> None:
    files = corpus_files(4)
    if not files:
        pytest.skip("needs the shared corpus")
    source = tmp_path / "source"
    for file in files:
        path = source / file.relative_to(SHARED / "corpus")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, path)
    repository(source)
    caffefix("--patch-dir", "../patches", ".", cwd=source)
    git(tmp_path, "clone", "-q", "source", "clone")
    for patch in sorted((tmp_path / "patches").iterdir()):
        git(tmp_path / "clone", "am", "-q", str(patch))
    caffefix(".", cwd=source)
    assert contents(tmp_path / "clone") == contents(source)


# ---------------------------------------------------------------- backups and the summary


def test_backups(tmp_path: Path) -> None:
    net = tmp_path / "a.prototxt"
    net.write_bytes(DEAD)
    net.chmod(0o640)
    assert caffefix("--backup", ".orig", ".", cwd=tmp_path).status == 0
    kept = tmp_path / "a.prototxt.orig"
    assert kept.read_bytes() == DEAD != net.read_bytes()
    assert kept.stat().st_mode & 0o777 == 0o640
    assert caffefix("--backup", ".orig", ".", cwd=tmp_path).status == 0  # nothing to fix
    net.write_bytes(DEAD + b"# edited\n")
    done = caffefix("--backup", ".orig", ".", cwd=tmp_path)
    assert (done.status, b"there is a different backup of it" in done.err) == (2, True)
    assert (net.read_bytes(), kept.read_bytes()) == (DEAD + b"# edited\n", DEAD)
    net.write_bytes(DEAD)
    assert caffefix("--backup", ".orig", ".", cwd=tmp_path).status == 0


def test_a_summary_by_finding_fork_and_folder(tmp_path: Path) -> None:
    for name in ("zoo/one/x/a", "zoo/one/b", "zoo/c"):
        path = tmp_path / f"{name}.prototxt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(DEAD)
    (tmp_path / "zoo/one/broken.prototxt").write_bytes(b"layer {\n")
    (tmp_path / "zoo/two").mkdir()
    nvidia = 'layer { name: "d" type: "DetectNetTransformation" detectnet_groundtruth_param { stride: 4 } }\n'
    (tmp_path / "zoo/two/fork.prototxt").write_text(nvidia)
    done = caffefix("--check", "--report", "r.json", "zoo", cwd=tmp_path)
    assert done.status == 2
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["statuses"] == {"clean": 1, "changed": 0, "would-change": 3, "refused": 0, "error": 1}
    assert report["findings"][0]["name"] == "missing-weight-filler"
    assert report["findings"][0]["files"] == 3
    forks = {row["fork"]: row["accepts"] for row in report["forks"]}
    assert forks["bvlc"] == 3 < forks["nvidia"] == report["nets"] == 4
    folders = {row["folder"]: row["statuses"]["would-change"] for row in report["folders"]}
    assert folders == {".": 1, "one": 2, "two": 0}
    caffefix("--check", "--report", "r.md", "zoo", cwd=tmp_path)
    page = (tmp_path / "r.md").read_text()
    assert "5 files: 1 clean, 3 would-change, 1 error." in page
    assert "| one | 3 | 2 | 1 | missing-weight-filler |" in page
