"""A command or an option that does not exist: one line that says what may be meant, and status 2."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from caffefix.commands._shared import hints
from caffefix.commands._shared.usage import usage
from caffefix.engine.select import registered
from tests.support.golden import GOLDEN, caffefix

DEAD = (GOLDEN / "missing-weight-filler/example/before.prototxt").read_bytes()


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("lgo net.prototxt", "there is no command and no file 'lgo'; did you mean log?"),
        ("exlpain x", "did you mean explain?"),
        ("rescale net.prototxt", "did you mean rescale-input?"),
        ("lint net.prototxt", "caffefix --check PATH"),
        ("check net.prototxt", "caffefix --check PATH"),
        ("rules", "caffefix fixers"),
        ("format net.prototxt", "the layout of a file is kept"),
        ("upgrade_net_proto_text net.prototxt new.prototxt", "caffefix --select 'legacy-*' PATH"),
        ("upgrade_net_proto_binary a.caffemodel b.caffemodel", "no .caffemodel"),
        ("patch chekc x.patch", "there is no command 'patch chekc'; did you mean check?"),
        ("cache claer", "did you mean clear?"),
        ("net.prototxt --drrun", "there is no option '--drrun'; did you mean --dry-run?"),
        ("net.prototxt --chekc", "did you mean --check?"),
        ("--dry net.prototxt", "did you mean --dry-run?"),
        ("--fix net.prototxt", "the default"),
        ("--fix=yes net.prototxt", "the default"),
        ("--write net.prototxt", "the default"),
        ("-w net.prototxt", "the default"),
        ("--list-fixers", "caffefix fixers"),
        ("--unsafe-fixes net.prototxt", "--unsafe "),
        ("log --formt json net.prototxt", "did you mean --format?"),
        ("fixers --fix", "see caffefix fixers --help"),
        ("net.prototxt --frob", "see caffefix --help"),
    ],
)
def test_what_may_be_meant(tmp_path: Path, line: str, hint: str) -> None:
    net = tmp_path / "net.prototxt"
    net.write_bytes(DEAD)
    done = caffefix(*line.split(), cwd=tmp_path)
    said = done.err.decode()
    assert (done.status, done.out, net.read_bytes()) == (2, b"", DEAD)
    assert said.startswith("error: there is no ")
    assert said.count("\n") == 1
    assert hint in said


@pytest.mark.parametrize("path", ["lint.prototxt", "./lint", "zoo/check", "*.prototxt"])
def test_what_can_be_a_path_is_a_missing_file(tmp_path: Path, path: str) -> None:
    done = caffefix(path, cwd=tmp_path)
    assert done.status == 2
    assert b"cannot be read: No such file or directory" in done.err


def test_a_word_after_a_path_is_a_path(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_bytes(DEAD)
    done = caffefix("--check", "./net.prototxt", "lint", cwd=tmp_path)
    assert b"lint: cannot be read: No such file or directory" in done.err


def test_a_file_called_like_another_tools_command_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "lint").write_bytes(DEAD)
    assert caffefix("lint", cwd=tmp_path).status == 0
    assert (tmp_path / "lint").read_bytes() != DEAD


def test_names_of_terminals_cannot_be_smuggled_in(tmp_path: Path) -> None:
    done = caffefix("\x1b[2Jlog", cwd=tmp_path)
    assert b"\x1b" not in done.err


def test_what_hints_name_exists() -> None:
    commands = {command.name: command for command in usage().all()}
    flags = {flag for command in commands.values() for option in command.options for flag in option.flags}
    for hint in (*hints._COMMANDS.values(), *hints._OPTIONS.values()):
        for flag in re.findall(r"(?<!\S)--?[a-z][a-z-]*", hint):
            assert flag in {*flags, "--version"}, hint
        for name in re.findall(r"caffefix ([a-z]+ ?[a-z]*)", hint):
            assert name.split()[0] in {*commands, "reads"}, hint
        for pattern in re.findall(r"--select '(.*?)'", hint):
            assert any(fnmatch(fixer.name, pattern) for fixer in registered())


def test_no_hint_is_for_what_exists() -> None:
    """Or it would never be given."""
    top = usage()
    assert not {command.name for command in top.commands} & set(hints._COMMANDS)
    assert not {flag for option in top.options for flag in option.flags} & set(hints._OPTIONS)
