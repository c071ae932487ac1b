"""The command line without click means what click makes of it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from caffefix.cli import _plain
from caffefix.commands._shared.option import Kind, Option
from caffefix.commands.repair.command import command
from caffefix.commands.repair.options import OPTIONS
from tests.support.golden import caffefix

pytestmark = pytest.mark.usefixtures("no_variables")
ROOT = Path(__file__).resolve().parent.parent.parent
FLAGS = [flag for option in OPTIONS for flag in option.flags]
VALUES = [
    "a.prototxt",
    "./zoo",
    "b/c.pt",
    "deploy",
    ".",
    "",
    "-",
    "--",
    "0",
    "3",
    "json",
    "warning",
    "a, b,",
    ",",
    "-x",
]
JOINED = [f"{flag}={value}" for flag in FLAGS for value in ("", "json", "2", "error", "caffe-old", ".")]
# What a run of a file in which nothing is wrong does without.
HEAVY = ("click", "typing", "dataclasses", "pathlib", "lark", "google", "deepdiff", "json", "difflib")


@pytest.fixture
def no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("CAFFEFIX_"):
            monkeypatch.delenv(name)


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(FLAGS) | st.sampled_from(VALUES) | st.sampled_from(JOINED), max_size=6))
def test_as_click_reads_it(args: list[str]) -> None:
    plain = _plain(["./net.prototxt", *args])
    if plain is not None:
        assert plain == command.make_context("caffefix", ["./net.prototxt", *args]).params


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.parameter)
def test_each_option_needs_no_click(option: Option) -> None:
    value = {Kind.CHOICE: [*option.choices], Kind.COUNT: ["3"], Kind.SWITCH: [], Kind.ON_OFF: []}.get(
        option.kind, ["."]
    )
    args = ["./net.prototxt", option.flags[0], *value[-1:]]
    plain = _plain(args)
    assert plain is not None
    assert plain[option.parameter] != option.default
    assert plain == command.make_context("caffefix", args).params


def test_variables_are_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _plain(["./a"]) is not None
    monkeypatch.setenv("CAFFEFIX_DOCS_URL", "https://example.org")
    assert _plain(["./a"]) is None


@pytest.mark.parametrize(
    "args",
    [[], ["-"], ["deploy"], ["zoo"], ["--help"], ["--check"], ["./a", "--chek"], ["./a", "--select", ","],
     ["./a", "-h"], ["--", "./a"], ["./a", "-"], ["./a", "-j"], ["./a", "-j", "0"], ["./a", "--fail-on", "x"]],
)  # fmt: skip
def test_what_click_is_asked_about(args: list[str]) -> None:
    assert _plain(args) is None


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--select", "nonsense"), "there is no finding 'nonsense'"),
        (("--dialect", "nonsense"), "there is no fork 'nonsense'"),
        (("--format", "nonsense"), "there is no format 'nonsense'"),
        (("--prune",), "--prune rewrites the baseline: name it with --baseline"),
    ],
)
def test_wrong_usage_is_one_line(tmp_path: Path, args: tuple[str, ...], words: str) -> None:
    (tmp_path / "net.prototxt").touch()
    for path in ("./net.prototxt", "net.prototxt"):  # the first needs no click
        done = caffefix(path, *args, cwd=tmp_path)
        assert (done.status, done.out) == (2, b"")
        assert done.err.decode().startswith(f"Error: {words}")
        assert done.err.count(b"\n") == 1


def test_a_check_imports_nothing_heavy(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CAFFEFIX_")}
    net = tmp_path / "net.prototxt"
    net.write_text('name: "n"\nlayer { name: "data" type: "Input" top: "data" }\n')
    code = (
        "import sys; before = set(sys.modules)\n"
        "from caffefix.cli import main\n"
        f"try: main(['--check', {str(net)!r}])\n"
        "finally: print(*(set(sys.modules) - before))\n"
    )
    run = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    imported = run.stdout.splitlines()[-1].split()
    assert "caffefix.engine.repair" in imported
    assert not set(HEAVY) & set(imported)
