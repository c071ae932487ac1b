"""The exit status, as a table: what a file has, how the tool is run, what the user chose."""

from __future__ import annotations

import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.support.golden import GOLDEN, ROOT, Outcome, caffefix

CHOICES = ("", "--exit-zero", "--fail-on=never", "--fail-on=error", "--fail-on=warning", "--fail-on=change")
FIXTURES = {
    "clean": "batch-norm-lr-mult/data-for-test-only",
    "note": "ignored-filler-field/fires",
    "warning": "legacy-v0-layers/dropped-field-is-left-alone",
    "error": "unknown-bottom/nearest-has-a-prefix",
    "fixed warning": "batch-norm-lr-mult/one-block",
    "fixed error": "batch-norm-lr-mult/aborts",
    "unsafe warning": "legacy-v0-layers/mixed-with-v1",
    "unsafe error": "zero-clip-gradients/left-alone-unless-asked-for",
}
# One figure for each choice, in their order.
FIXING = {
    "clean": "000000",
    "note": "000000",
    "warning": "000010",
    "error": "100111",
    "fixed warning": "000001",
    "fixed error": "000001",
    "unsafe warning": "000010",
    "unsafe error": "100111",
    "broken": "222222",
}
# Nothing is fixed, so what would be fixed is left, too; by default a change counts.
CHECKING = {**FIXING, "fixed warning": "100011", "fixed error": "100111"}
MODES = {
    "in place": ((), FIXING),
    "--dry-run": (("--dry-run",), FIXING),
    "--statistics": (("--statistics",), FIXING),
    "--check": (("--check",), CHECKING),
    "--check --dry-run": (("--check", "--dry-run"), CHECKING),
    "--check --format json": (("--check", "--format", "json"), CHECKING),
    "--check --statistics": (("--check", "--statistics"), CHECKING),
}


def _text(kind: str) -> bytes:
    return b"layer {\n" if kind == "broken" else (GOLDEN / FIXTURES[kind] / "before.prototxt").read_bytes()


@pytest.mark.parametrize("kind", FIXING)
@pytest.mark.parametrize("mode", MODES)
def test_the_table(tmp_path: Path, mode: str, kind: str) -> None:
    options, figures = MODES[mode]
    got = ""
    for choice in CHOICES:
        (tmp_path / "net.prototxt").write_bytes(_text(kind))
        got += str(caffefix(*options, *filter(None, [choice]), "net.prototxt", cwd=tmp_path).status)
    assert got == figures[kind]


@pytest.mark.parametrize("kind", FIXING)
def test_standard_input_has_the_statuses_of_files(kind: str) -> None:
    assert str(caffefix("-", stdin=_text(kind)).status) == FIXING[kind][0]
    assert str(caffefix("--check", "-", stdin=_text(kind)).status) == CHECKING[kind][0]


def _installed(*args: str, cwd: Path) -> Outcome:
    command = Path(sysconfig.get_path("scripts"), "caffefix")
    if not command.exists():
        pytest.skip("needs caffefix to be installed where the tests run")
    done = subprocess.run([command, *args], cwd=cwd, capture_output=True, check=False)
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("kind", FIXING)
def test_the_installed_command(tmp_path: Path, kind: str) -> None:
    (tmp_path / "net.prototxt").write_bytes(_text(kind))
    for option, figure in (("--check", CHECKING[kind][0]), ("--exit-zero", FIXING[kind][1])):
        assert str(_installed(option, "net.prototxt", cwd=tmp_path).status) == figure


def test_the_worst_file_decides(tmp_path: Path) -> None:
    for kind in ("clean", "warning", "error"):
        (tmp_path / f"{kind}.prototxt").write_bytes(_text(kind))
    assert caffefix(".", cwd=tmp_path).status == 1
    (tmp_path / "broken.prototxt").write_bytes(_text("broken"))
    assert caffefix("--exit-zero", ".", cwd=tmp_path).status == 2


def test_suppressed_findings_fail_nothing(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_bytes(_text("error"))
    assert caffefix("suppress", "--reason", "known", "net.prototxt", cwd=tmp_path).status == 0
    assert caffefix("--check", "net.prototxt", cwd=tmp_path).status == 0


def test_contradictions_are_refused() -> None:
    assert caffefix("--exit-zero", "--fail-on", "error", "-").status == 2
    assert caffefix("--fail-on", "everything", "-").status == 2


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", [kind for kind in FIXING if kind != "broken"])
@pytest.mark.parametrize("mode", ["in place", "--check"])
def test_junit_fails_where_the_status_does(tmp_path: Path, mode: str, kind: str, choice: str) -> None:
    (tmp_path / "net.prototxt").write_bytes(_text(kind))
    args = (*MODES[mode][0], *filter(None, [choice]), "--format", "junit", "net.prototxt")
    done = caffefix(*args, cwd=tmp_path)
    assert len(ElementTree.fromstring(done.out).findall(".//failure")) == int(
        ElementTree.fromstring(done.out)[0].attrib["failures"]
    )
    assert bool(ElementTree.fromstring(done.out).findall(".//failure")) == (done.status == 1)


def test_statistics_write_nothing(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_bytes(_text("fixed error"))
    done = caffefix("--statistics", "net.prototxt", cwd=tmp_path)
    assert b"1 file, 1 to fix" in done.out
    assert (tmp_path / "net.prototxt").read_bytes() == _text("fixed error")


@pytest.mark.parametrize(
    "read", [lambda: caffefix("--help").out.decode(), lambda: (ROOT / "docs" / "commands.md").read_text()]
)
def test_help_and_docs_have_the_table(read: Callable[[], str]) -> None:
    text = read()
    for word in ("--fail-on", "--exit-zero", "130"):
        assert word in text


def test_what_unsafe_does_was_shown_before(tmp_path: Path) -> None:
    for number, text in enumerate([_text("note"), _text("unsafe error"), _text("unsafe warning")]):
        net = tmp_path / f"net{number}.prototxt"
        net.write_bytes(text)
        preview = caffefix("--dry-run", net, cwd=tmp_path)
        full = caffefix("--dry-run", "--unsafe", net, cwd=tmp_path)
        caffefix("--unsafe", net, cwd=tmp_path)
        net.with_suffix(".old").write_bytes(text)
        patched = subprocess.run(
            ["patch", "-s", "-o", "-", net.with_suffix(".old")], input=full.out, capture_output=True, check=False
        )
        assert (patched.stdout if full.out else text) == net.read_bytes()
        # What is changed with --unsafe alone was counted, and shown, without it.
        assert (full.out != preview.out) == (b"1 unsafe fix not applied" in preview.err)


def test_a_shared_fix_is_counted_once(tmp_path: Path) -> None:
    case = GOLDEN / "frozen-random-layer/solver-beside"
    (tmp_path / "solver.prototxt").write_bytes((case / "beside/solver.prototxt").read_bytes())
    (tmp_path / "before.prototxt").write_bytes((case / "before.prototxt").read_bytes())
    done = caffefix("--dry-run", "--select", "frozen-*", "before.prototxt", cwd=tmp_path)
    assert b"frozen-random-layer [unsafe] conv1, conv2 (2 layers)" in done.err
    assert b"1 unsafe fix not applied" in done.err
