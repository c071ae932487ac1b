"""The command line from outside: output, files, exit status."""

from __future__ import annotations

import json
import os
import re
import stat
import sys
from pathlib import Path

import pytest

from caffefix import __version__
from caffefix.fixers import GROUPS
from tests.support.golden import GOLDEN
from tests.support.golden import caffefix_process as caffefix

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
ALIVE = (GOLDEN / "missing-weight-filler/fires/after.prototxt").read_bytes()
SCALED = (GOLDEN / "mean-in-scaled-units/fires/before.prototxt").read_bytes()


@pytest.fixture
def net(tmp_path: Path) -> Path:
    path = tmp_path / "net.prototxt"
    path.write_bytes(DEAD)
    return path


def test_repairing_in_place(net: Path) -> None:
    net.chmod(0o640)
    done = caffefix(net)
    assert done.status == 0
    assert net.read_bytes() == ALIVE
    assert stat.S_IMODE(net.stat().st_mode) == 0o640
    assert re.search(rb"^  fixed   missing-weight-filler", done.out, re.M)
    assert b"1 file, 1 fixed" in done.out
    again = caffefix(net)
    assert (again.status, net.read_bytes()) == (0, ALIVE)
    assert b"nothing to fix" in again.out


def test_dry_run_writes_the_diff_to_stdout_and_nothing_else(net: Path) -> None:
    done = caffefix("--diff", net.name, cwd=net.parent)
    assert done.status == 0
    assert done.out.startswith(b"--- a/net.prototxt\n+++ b/net.prototxt\n@@ ")
    assert b'@@ layer "conv1" [missing-weight-filler]\n' in done.out
    assert b"  error   missing-weight-filler [safe] conv1, fc (2 layers), lines 14, 30\n" in done.err
    assert net.read_bytes() == DEAD


def test_check(net: Path) -> None:
    assert caffefix("--check", net).status == 1
    assert net.read_bytes() == DEAD
    net.write_bytes(ALIVE)
    assert caffefix("--check", net).status == 0


def test_standard_input(tmp_path: Path) -> None:
    done = caffefix("-", "--stdin-filename", "zoo/net.prototxt", stdin=DEAD)
    assert (done.status, done.out) == (0, ALIVE)
    assert done.err.startswith(b"zoo/net.prototxt\n")
    diff = caffefix("--dry-run", "-", "--stdin-filename", "zoo/net.prototxt", stdin=DEAD)
    assert diff.out.startswith(b"--- a/zoo/net.prototxt\n")
    assert caffefix("-", "x", stdin=DEAD).status == 2


def test_a_folder_is_searched_and_one_failure_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / ".git").mkdir()
    for name in ("a.prototxt", "sub/b.prototxt", ".git/c.prototxt", "notes.txt"):
        (tmp_path / name).write_bytes(DEAD)
    (tmp_path / "broken.prototxt").write_bytes(b"layer {\n")
    (tmp_path / "weights.pt").write_bytes(b"PK\x03\x04\0\0")
    (tmp_path / "loop").symlink_to(tmp_path)
    done = caffefix(tmp_path)
    assert done.status == 2
    assert b"broken.prototxt:1:1" in done.err
    assert (tmp_path / "a.prototxt").read_bytes() == ALIVE
    assert (tmp_path / "sub/b.prototxt").read_bytes() == ALIVE
    assert (tmp_path / ".git/c.prototxt").read_bytes() == DEAD
    assert (tmp_path / "notes.txt").read_bytes() == DEAD
    assert b"3 files, 2 fixed, 1 not read, parsed or written" in done.out


def test_links_are_followed_not_replaced(net: Path) -> None:
    link = net.parent / "link.prototxt"
    link.symlink_to(net.name)
    assert caffefix(link).status == 0
    assert link.is_symlink()
    assert net.read_bytes() == ALIVE


def test_what_cannot_be_read_or_written_is_said_and_left(net: Path, tmp_path: Path) -> None:
    net.chmod(0o444)
    done = caffefix(net, tmp_path / "nowhere.prototxt", os.devnull)
    assert done.status == 2
    assert b"read-only" in done.err
    assert b"nowhere.prototxt: cannot be read" in done.err
    assert b"not a regular file" in done.err
    assert net.read_bytes() == DEAD
    assert [p.name for p in tmp_path.iterdir()] == ["net.prototxt"]


def test_json(net: Path) -> None:
    done = caffefix("--check", "--format", "json", net.name, cwd=net.parent)
    report = json.loads(done.out)
    assert report["version"] == 1
    (file,) = report["files"]
    assert (file["path"], file["status"], file["reason"]) == ("net.prototxt", "would-change", "")
    first = file["findings"][0]
    keys = "name severity applicability message line column end_line end_column layer applied"
    assert set(first) == set(keys.split())
    line = DEAD.decode().splitlines()[first["line"] - 1]
    assert line[first["column"] - 1 :].startswith("convolution_param {")
    assert (first["layer"], first["applicability"]) == ("conv1", "safe")
    broken = caffefix("--format", "json", "-", "--check", stdin=b"layer {")
    (file,) = json.loads(broken.out)["files"]
    assert (file["status"], broken.status) == ("error", 2)
    assert "never closed" in file["reason"]


def test_unsafe_fixes_want_a_word(net: Path) -> None:
    net.write_bytes(SCALED)
    done = caffefix("--dry-run", net)
    assert done.out == b""
    assert b"mean_value: 104" not in done.err
    shown = caffefix("--dry-run", "--show-unsafe", net)
    assert shown.out == b""
    assert b"unsafe fix, not applied (--unsafe):" in shown.err
    assert b"+    mean_value: 104" in shown.err
    assert b"1 unsafe fix not applied (mean-in-scaled-units)" in done.err
    assert caffefix("--check", "--select", "*", net).status == 0
    assert caffefix("--check", "--select", "mean-*", net).status == 0
    assert caffefix("--check", "--select", "mean-in-scaled-units", net).status == 1
    assert caffefix("--check", "--unsafe", net).status == 1
    assert caffefix("--check", "--unsafe", "--ignore", "mean-*,legacy-*", net).status == 0


def test_names_that_mean_nothing_are_refused(net: Path) -> None:
    done = caffefix("--select", "missing-weight-filer", net)
    assert done.status == 2
    assert b"did you mean missing-weight-filler?" in done.err
    assert net.read_bytes() == DEAD


def test_a_path_that_is_also_a_command(tmp_path: Path) -> None:
    (tmp_path / "fixers").mkdir()
    done = caffefix("fixers", cwd=tmp_path)
    assert done.status == 2
    assert b"write ./fixers" in done.err
    (tmp_path / "fixers/net.prototxt").write_bytes(ALIVE)
    assert caffefix("./fixers", cwd=tmp_path).status == 0


def test_fixers_and_explain() -> None:
    listed = caffefix("fixers").out.decode().splitlines()
    assert listed[0] in GROUPS
    assert any(re.match(r"  missing-weight-filler +safe +Weights ", line) for line in listed)
    assert any(re.match(r"  relu6-layer +unsafe +.*\(patch, by name only\)$", line) for line in listed)
    assert any(re.match(r"  unreachable-loss +no fix +", line) for line in listed)
    rows = json.loads(caffefix("fixers", "--format", "json").out)
    assert sorted(row["name"] for row in rows) == sorted(line.split()[0] for line in listed if line[:1] == " ")
    assert {row["kind"] for row in rows} == {"python", "patch"}
    page = caffefix("explain", "batch-norm-lr-mult")
    assert b"Cannot\nconfigure batch normalization" in page.out or b"Cannot configure" in page.out
    assert caffefix("explain", "nonsense").status == 2


def test_help_and_version() -> None:
    page = caffefix("--help")
    assert page.status == 0
    assert b"Usage: caffefix [OPTIONS] PATH..." in page.out
    assert b"explain" in page.out


def test_the_version_is_a_line_for_a_report() -> None:
    said = caffefix("--version").out.decode()
    assert re.fullmatch(r"caffefix \d+\.\d+\.\d+\S* \(\w+ \d+\.\d+\.\d+\S*, \w+ \w+\)\n", said)
    assert f"caffefix {__version__} (" in said
    assert f" {sys.version.split()[0]}, " in said


def test_snippets_and_other_files_are_named(tmp_path: Path) -> None:
    part = caffefix("-", "--check", stdin=b"param {\n  lr_mult: 0\n}\n")
    assert part.status == 0
    assert b"only a part of a net" in part.out
    labels = caffefix("-", "--check", stdin=b'item { name: "cat" id: 1 }\n')
    assert labels.status == 0
    assert b"neither a Caffe net nor a solver: nothing to check" in labels.out


def test_colour_only_where_it_is_wanted(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert b"\x1b[" not in caffefix("--check", net).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert b"\x1b[" not in caffefix("--check", net).out


@pytest.mark.parametrize("arguments", [("prove", "--lr", "nan"), ("signal", "--input-mean-abs", "inf")])
def test_numbers_that_are_none_are_refused(arguments: tuple[str, ...], tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text("layer { }")
    done = caffefix(*arguments, net)
    assert done.status == 2
    assert b"is not a finite number" in done.err


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("dialect", "there is no command and no file 'dialect'; did you mean dialects?"),
        ("supress", "did you mean suppress?"),
        ("lgo", "did you mean log?"),
        ("somewhere", "there is no command and no file 'somewhere'; see caffefix --help\n"),
    ],
)
def test_a_command_that_is_misspelt_repairs_nothing(tmp_path: Path, word: str, words: str) -> None:
    net = tmp_path / "net.prototxt"
    text = (GOLDEN / "missing-weight-filler/example/before.prototxt").read_bytes()
    net.write_bytes(text)
    done = caffefix(word, net.name, cwd=tmp_path)
    assert (done.status, net.read_bytes()) == (2, text)
    assert words in done.err.decode()
    (tmp_path / word).mkdir()  # a folder of that name is a path
    assert caffefix(word, net.name, cwd=tmp_path).status == 0
