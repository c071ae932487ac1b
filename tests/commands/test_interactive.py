"""``caffefix -i`` on a terminal: a person answers, and every answer holds."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support.golden import GOLDEN, caffefix
from tests.support.terminal import Session, begin

pytest.importorskip("pty", reason="terminals are Unix's")

SEED = (GOLDEN / "seeds/s000_train/before.prototxt").read_bytes()


@pytest.fixture
def net(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "net.prototxt"
    path.write_bytes(SEED)
    return path


def session(net: Path, *args: str, columns: int = 80) -> Session:
    return begin(["-i", *args], net.parent, columns)


def repaired(text: bytes, tmp_path: Path, *args: str) -> bytes:
    """What a run without questions makes of a file."""
    other = tmp_path / "other"
    other.mkdir(exist_ok=True)
    (other / "net.prototxt").write_bytes(text)
    caffefix(*args, "net.prototxt", cwd=other)
    return (other / "net.prototxt").read_bytes()


def test_accepting_all_is_the_default_run(net: Path, tmp_path: Path) -> None:
    run = session(net, "net.prototxt")
    run.answer("y", "y")
    status, text = run.end()
    assert net.read_bytes() == repaired(SEED, tmp_path)
    assert status == 0
    assert "fixed" in text


@pytest.mark.parametrize("answers", [("n", "n"), ("d",)])
def test_declining_all_writes_nothing(net: Path, answers: tuple[str, ...]) -> None:
    before = net.stat()
    run = session(net, "net.prototxt")
    run.answer(*answers)
    assert run.end()[0] == 1  # an error is left
    assert net.read_bytes() == SEED
    assert net.stat().st_mtime_ns == before.st_mtime_ns


@pytest.mark.parametrize(("which", "name"), [(0, "legacy-v1-layers"), (1, "missing-weight-filler")])
def test_each_fix_alone(net: Path, tmp_path: Path, which: int, name: str) -> None:
    run = session(net, "net.prototxt")
    run.answer(*("y" if index == which else "n" for index in range(2)))
    run.end()
    assert net.read_bytes() == repaired(SEED, tmp_path, "--select", name)


def test_a_long_diff_is_shortened_until_it_is_asked_for(net: Path) -> None:
    run = session(net, "net.prototxt")
    run.expect("more lines of this diff (v)")
    run.answer("v", "d")
    text = run.end()[1]
    assert text.index("(v)") < text.index('+  type: "SoftmaxWithLoss"')


def test_the_first_question_fits_on_the_screen(net: Path) -> None:
    run = session(net, "net.prototxt")
    run.expect("]? ")
    assert run.text.count("\n") < 24
    run.type("d\n")
    run.end()


def test_help_explanation_and_the_way_back(net: Path, tmp_path: Path) -> None:
    run = session(net, "net.prototxt")
    run.answer("?", "e", "x", "n", "b", "y", "y")
    text = run.end()[1]
    assert "q  apply what was chosen so far in this file, and stop" in text
    assert "## Fix safety" in text
    assert net.read_bytes() == repaired(SEED, tmp_path)


UNSAFE = (GOLDEN / "missing-input-scale/fires/before.prototxt").read_bytes()


def test_an_unsafe_fix_wants_its_own_key(net: Path, tmp_path: Path) -> None:
    net.write_bytes(UNSAFE)
    run = session(net, "--select", "missing-*-scale", "net.prototxt")
    run.answer("y")
    run.expect("this fix changes what a working net computes")
    run.answer("u")
    run.end()
    assert net.read_bytes() == repaired(UNSAFE, tmp_path, "--unsafe", "--select", "missing-*-scale") != UNSAFE


def test_all_does_not_include_unsafe_ones(net: Path) -> None:
    net.write_bytes(UNSAFE)
    run = session(net, "--select", "missing-*-scale", "net.prototxt")
    run.answer("a")
    run.end()
    assert net.read_bytes() == UNSAFE


def test_a_finding_is_suppressed_with_a_reason(net: Path) -> None:
    run = session(net, "net.prototxt")
    run.answer(
        "n",
        "s",
        "Reasonall weights are loaded",
    )
    run.end()
    done = net.read_bytes()
    assert b"# caffefix: ignore[missing-weight-filler] all weights are loaded\n" in done
    again = caffefix("--check", "--select", "missing-weight-filler", net)
    assert (again.status, b"suppressed" in again.out) == (0, True)
    comments = [line for line in done.splitlines() if b"# caffefix" in line]
    assert [line for line in done.splitlines() if line not in comments] == SEED.splitlines()


@pytest.mark.parametrize("reason", ["", "# caffefix: ignore[x]", "tab\tand \x1b[31mcolour"])
def test_a_reason_that_cannot_be_written(net: Path, reason: str) -> None:
    run = session(net, "net.prototxt")
    run.answer("s", f"Reason{reason}")
    run.expect("not silenced")
    run.answer("d")
    run.end()
    assert net.read_bytes() == SEED


def test_quitting_keeps_what_was_chosen_and_goes_on_there(net: Path, tmp_path: Path) -> None:
    (tmp_path / "more.prototxt").write_bytes(SEED)
    run = session(net, "more.prototxt", "net.prototxt")
    run.answer("y", "y", "n", "q")
    text = run.end()[1]
    assert (tmp_path / "more.prototxt").read_bytes() == repaired(SEED, tmp_path)
    assert net.read_bytes() == SEED
    assert "stopped after 2 of 2 files; run again to continue" in text
    run = session(net, "more.prototxt", "net.prototxt")
    run.expect("(1/1)")  # the one that was declined is not asked about
    run.type("y\n")
    run.end()
    assert net.read_bytes() == repaired(SEED, tmp_path, "--select", "missing-weight-filler")


def test_what_was_declined_is_not_asked_about_again(net: Path) -> None:
    run = session(net, "net.prototxt")
    run.answer("y", "n")
    run.end()
    text = session(net, "net.prototxt").end()[1]  # though it has moved with the migration
    assert "]? " not in text
    assert "--ask-again" in text
    run = session(net, "--ask-again", "net.prototxt")
    run.answer("y")
    run.end()
    assert caffefix("--check", "--select", "missing-weight-filler", net).status == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_ended_goes_on_where_it_was(net: Path, tmp_path: Path, number: int) -> None:
    run = session(net, "net.prototxt")
    run.answer("y")
    run.expect("(2/2)")
    os.kill(run.process.pid, number)
    run.end()
    assert net.read_bytes() == SEED  # nothing half done
    run = session(net, "net.prototxt")
    run.expect("(1/1)")
    run.expect("]? ")
    run.type("y\n")
    run.end()
    assert net.read_bytes() == repaired(SEED, tmp_path)


def test_an_end_of_input_is_an_interruption(net: Path) -> None:
    done = caffefix("-i", "net.prototxt", cwd=net.parent, stdin=b"y\n")
    assert done.status == 130
    assert b"interrupted" in done.err
    assert net.read_bytes() == SEED


def test_a_file_that_changes_meanwhile_is_left_alone(net: Path) -> None:
    run = session(net, "net.prototxt")
    run.expect("]? ")
    net.write_bytes(SEED + b"# mine\n")
    run.type("a\n")
    status, text = run.end()
    assert (status, net.read_bytes()) == (2, SEED + b"# mine\n")
    assert "it was changed while you decided" in text


def test_a_narrow_window(net: Path) -> None:
    run = session(net, "net.prototxt", columns=40)
    run.answer("d")
    text = run.end()[1]
    findings = [line for line in text.splitlines() if line.startswith(" " * 10)]
    assert findings
    assert all(len(line) <= 40 for line in findings)


@pytest.mark.parametrize(
    "args", [["--dry-run", "."], ["--check", "."], ["--format", "json", "."], ["-"], ["--commit", "."]]
)
def test_what_makes_no_sense_with_questions(net: Path, args: list[str]) -> None:
    done = caffefix("-i", *args, cwd=net.parent, stdin=b"")
    assert done.status == 2
    assert b"--interactive" in done.err
    assert net.read_bytes() == SEED


def test_hostile_names_are_shown_not_obeyed(net: Path, tmp_path: Path) -> None:
    evil = SEED.replace(b'"conv2"', b'"conv2\\033]0;owned\\007\x1b]0;owned\x07"')
    other = tmp_path / "x\x1b]0;owned\x07.prototxt"
    other.write_bytes(evil)
    run = session(net, other.name)
    run.answer("v", "n", "v", "n")
    assert "\x1b]0;" not in run.end()[1]


def test_answers_are_private_and_damage_is_no_failure(net: Path, tmp_path: Path) -> None:
    run = session(net, "net.prototxt")
    run.answer("n", "n")
    run.end()
    (kept,) = (tmp_path / "state").rglob("*.jsonl")
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_bytes(b'[1, 2]\n\xff{"\n["a", ["b", "c", 1, ""], "y", ""]\n')
    run = session(net, "net.prototxt")
    run.answer("d")
    assert run.end()[0] == 1


def test_a_fix_that_another_one_brings_up_is_asked_about(net: Path) -> None:
    """Without the migration, the surplus multipliers are written otherwise, and found elsewhere."""
    text = (GOLDEN / "surplus-param/fires-v1/before.prototxt").read_bytes()
    net.write_bytes(text)
    run = session(net, "--select", "surplus-param,legacy-v1-layers", "net.prototxt")
    run.answer("n")
    run.expect("blobs_lr: 2")
    run.answer("n")
    run.end()
    assert net.read_bytes() == text


def test_a_folder_without_files_is_one_error(net: Path) -> None:
    (net.parent / "empty").mkdir()
    done = caffefix("-i", "empty", cwd=net.parent)
    assert (done.status, done.out) == (2, b"")
    assert done.err.startswith(b"error: no prototxt file is found in empty")
