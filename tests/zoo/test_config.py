"""Configuration files, from outside."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.golden import GOLDEN
from tests.support.golden import caffefix as run

DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
SCALED = (GOLDEN / "mean-in-scaled-units/fires/before.prototxt").read_bytes()
FILLER = b"missing-weight-filler"
IGNORE = 'ignore = ["missing-weight-filler"]\n'


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "net.prototxt").write_bytes(DEAD)
    (tmp_path / "a/net.prototxt").write_bytes(DEAD)
    (tmp_path / "a/b/net.prototxt").write_bytes(DEAD)
    return tmp_path


def in_force(zoo: Path, *args: str) -> dict[str, tuple[object, str]]:
    done = run("config", "--format", "json", *args, cwd=zoo)
    assert done.status == 0, done.err
    return {key: (row["value"], row["from"]) for key, row in json.loads(done.out)["settings"].items()}


def found(zoo: Path, *args: str) -> list[str]:
    """The files in which something is found."""
    done = run("--check", "--format", "json", *args, cwd=zoo)
    assert done.status in (0, 1), done.err
    return sorted(file["path"] for file in json.loads(done.out)["files"] if file["findings"])


def test_the_nearest_file_counts_alone(zoo: Path) -> None:
    (zoo / "caffefix.toml").write_text(IGNORE + "unsafe = true\n")
    (zoo / "a/caffefix.toml").write_text('target = "caffe-old"\n')
    (zoo / "a/b/pyproject.toml").write_text("[tool.other]\n# no table of caffefix\n")
    assert found(zoo, ".") == ["./a/b/net.prototxt", "./a/net.prototxt"]
    above, below = in_force(zoo, "net.prototxt"), in_force(zoo, "a/b/net.prototxt")
    assert above["unsafe"] == (True, "caffefix.toml")
    assert below["unsafe"] == (False, "default")
    assert below["target"] == ("caffe-old", "a/caffefix.toml")


def test_caffefix_toml_comes_before_pyproject(zoo: Path) -> None:
    (zoo / "pyproject.toml").write_text("[tool.caffefix]\n" + IGNORE)
    assert found(zoo, "net.prototxt") == []
    (zoo / "caffefix.toml").write_text("")
    assert found(zoo, "net.prototxt") == ["net.prototxt"]


def test_the_command_line_wins(zoo: Path) -> None:
    (zoo / "caffefix.toml").write_text(IGNORE + 'from-scratch = false\ntarget = "caffe-old"\nunsafe = true\n')
    assert found(zoo, "net.prototxt", "--ignore", "legacy-*") == []  # from-scratch = false is still in force
    assert found(zoo, "net.prototxt", "--ignore", "legacy-*", "--from-scratch") == ["net.prototxt"]
    assert found(zoo, "net.prototxt", "--no-config") == ["net.prototxt"]
    assert found(zoo, "net.prototxt", "--no-config", "--no-from-scratch") == []
    said = in_force(zoo, "net.prototxt", "--target", "caffe", "--no-unsafe")
    assert said["target"] == ("caffe", "command line")
    assert said["unsafe"] == (False, "command line")


def test_a_given_file_is_used_for_all(zoo: Path) -> None:
    (zoo / "mine.toml").write_text(IGNORE + 'exclude = ["a/b"]\n')
    (zoo / "a/caffefix.toml").write_text("")
    assert found(zoo, ".", "--config", "mine.toml") == []
    done = run("--check", ".", "--config", "mine.toml", cwd=zoo)
    assert b"2 files, nothing to fix" in done.out
    (zoo / "pyproject.toml").write_text("[tool.other]\n")
    bare = run(".", "--config", "pyproject.toml", cwd=zoo)
    assert (bare.status, bare.err) == (2, b"error: pyproject.toml: it has no table [tool.caffefix]\n")
    assert run(".", "--config", "nowhere.toml", cwd=zoo).status == 2
    assert run(".", "--config", "mine.toml", "--no-config", cwd=zoo).status == 2
    assert (zoo / "net.prototxt").read_bytes() == DEAD


def test_naming_a_finding_in_a_file_does_not_ask_for_its_unsafe_fix(zoo: Path) -> None:
    (zoo / "net.prototxt").write_bytes(SCALED)
    (zoo / "caffefix.toml").write_text('select = ["mean-in-scaled-units"]\n')
    assert run("--check", "net.prototxt", cwd=zoo).status == 0
    assert run("--check", "net.prototxt", "--select", "mean-in-scaled-units", cwd=zoo).status == 1
    assert run("--check", "net.prototxt", "--unsafe", cwd=zoo).status == 1


def test_exclude_holds_for_what_is_searched_not_for_what_is_named(zoo: Path) -> None:
    (zoo / "caffefix.toml").write_text('exclude = ["b"]\n')
    assert found(zoo, ".") == ["./a/net.prototxt", "./net.prototxt"]
    assert found(zoo, "a/b") == ["a/b/net.prototxt"]
    assert found(zoo, "a/b/net.prototxt") == ["a/b/net.prototxt"]
    (zoo / "caffefix.toml").write_text('exclude = ["a/*.prototxt"]\n')  # * stands for / too
    assert found(zoo, ".") == ["./net.prototxt"]


@pytest.mark.parametrize(
    ("pattern", "left"),
    [
        ("a", ["./net.prototxt"]),
        ("a/", ["./net.prototxt"]),
        ("./a/b", ["./a/net.prototxt", "./net.prototxt"]),
        ("**/b/*", ["./a/net.prototxt", "./net.prototxt"]),
        ("net.prototxt", []),
        ("net", ["./a/b/net.prototxt", "./a/net.prototxt", "./net.prototxt"]),
    ],
)
def test_per_file_ignores(zoo: Path, pattern: str, left: list[str]) -> None:
    (zoo / "caffefix.toml").write_text(f'[per-file-ignores]\n"{pattern}" = ["missing-*"]\n')
    assert found(zoo, ".") == left


def test_standard_input_has_the_configuration_of_its_name(zoo: Path) -> None:
    (zoo / "a/caffefix.toml").write_text(IGNORE)
    assert run("-", "--stdin-filename", "a/x.prototxt", cwd=zoo, stdin=DEAD).out == DEAD
    assert run("-", cwd=zoo, stdin=DEAD).out != DEAD


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('ingore = ["a"]', "caffefix.toml: ingore: there is no such key; did you mean ignore?"),
        ("from_scratch = true", "caffefix.toml: from_scratch: there is no such key; did you mean from-scratch?"),
        ("colour = 1", "caffefix.toml: colour: there is no such key; the known keys are select, ignore,"),
        ('ignore = "a"', "caffefix.toml: ignore: must be a list of strings"),
        ("ignore = [1]", "caffefix.toml: ignore: must be a list of strings, but one item is a number"),
        ('select = ["missing-weight-filer"]', "did you mean missing-weight-filler?"),
        ('unsafe = "no"', "caffefix.toml: unsafe: must be true or false, but is a string"),
        ("from-scratch = 1", "caffefix.toml: from-scratch: must be true or false, but is a number"),
        ('dialect = "nvidea"', 'caffefix.toml: dialect: there is no fork "nvidea"; did you mean nvidia?'),
        ('target = "caffe2"', "caffefix.toml: target: there is no target"),
        ("per-file-ignores = []", "caffefix.toml: per-file-ignores: must be a table"),
        ('[per-file-ignores]\n"a" = ["x"]', "caffefix.toml: per-file-ignores.\"a\": there is no finding 'x'"),
        ("a = [", "caffefix.toml: not valid TOML: "),
        ("exclude = [\n'\xff']", "caffefix.toml:2: not UTF-8"),
    ],
)
def test_mistakes_are_told_before_anything_is_written(zoo: Path, text: str, message: str) -> None:
    (zoo / "a/caffefix.toml").write_bytes(text.encode("latin-1"))
    done = run("net.prototxt", "a", cwd=zoo)
    assert done.status == 2
    assert done.err.startswith(b"error: a/caffefix.toml")
    assert message in done.err.decode()
    assert (zoo / "net.prototxt").read_bytes() == DEAD
    assert run("config", "a", cwd=zoo).status == 2
    assert run("suppress", "a", "--reason", "x", cwd=zoo).status == 2


def test_pyproject_names_its_table_in_messages_and_others_mistakes_are_not_ours(zoo: Path) -> None:
    (zoo / "pyproject.toml").write_text("[tool.caffefix]\nunsave = true\n")
    done = run("net.prototxt", cwd=zoo)
    assert done.err == b"error: pyproject.toml: tool.caffefix.unsave: there is no such key; did you mean unsafe?\n"
    (zoo / "pyproject.toml").write_text("[tool.other\n")
    assert run("--check", "net.prototxt", cwd=zoo).status == 1
    (zoo / "pyproject.toml").write_text("[tool]\ncaffefix = 3\n")
    assert b"tool.caffefix: must be a table" in run("net.prototxt", cwd=zoo).err


def test_config_tells_what_leaves_a_path_out(zoo: Path) -> None:
    (zoo / "caffefix.toml").write_text('exclude = ["b"]\n[per-file-ignores]\n"a" = ["missing-*"]\n')
    page = run("config", "a/b/net.prototxt", cwd=zoo).out.decode()
    assert "left out here by per-file-ignores: missing-*" in page
    assert 'exclude has "b"' in page
    report = json.loads(run("config", "a/b/net.prototxt", "--format", "json", cwd=zoo).out)
    assert (report["excluded"], report["ignored_here"], report["file"]) == (True, ["missing-*"], "caffefix.toml")
    assert json.loads(run("config", "--format", "json", "--no-config", cwd=zoo).out)["file"] is None


NET_TEXT = 'layer { name: "a" type: "ReLU" bottom: "x" top: "y" }\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = " + "1" * 5000, "not valid TOML: Exceeds the limit"),
        (".".join(["a"] * 20_000) + " = 1", "caffefix.toml:1: a key of more than 32 parts"),
        ("\n[" + ".".join(['"a"'] * 100) + "]", "caffefix.toml:2: a key of more than 32 parts"),
        ("exclude = [" + '"z", ' * 1001 + "]", "exclude: a list of 1001 items; the maximum"),
        ("[per-file-ignores]\n" + "".join(f'"z{i}" = []\n' for i in range(1001)), "1001 patterns; the maximum"),
    ],
    ids=["number", "key", "table", "patterns", "rows"],
)
def test_configurations_that_cost_more_than_they_say(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "net.prototxt").write_text(NET_TEXT)
    (tmp_path / "caffefix.toml").write_text(text)
    done = run("--check", ".", cwd=tmp_path)
    assert (done.status, words in done.err.decode()) == (2, True), done.err[:300]
    assert b"Traceback" not in done.err


@pytest.mark.parametrize(
    "text", ['"\\u001b[31m\\u202e\\n" = 1', 'dialect = "\\u001b]0;x\\u0007"', 'proto = "\\u001b[31mx"',
             '[per-file-ignores]\n"\\u001b[31m" = ["x"]'],
)  # fmt: skip
def test_what_is_not_seen_in_a_configuration_is_told_as_escapes(tmp_path: Path, text: str) -> None:
    (tmp_path / "net.prototxt").write_text(NET_TEXT)
    (tmp_path / "caffefix.toml").write_text(text)
    done = run("--check", ".", cwd=tmp_path)
    assert done.status == 2
    assert not any(c in done.err.decode() for c in "\x1b\x07\u202e")


@pytest.mark.skipif(os.name == "nt", reason="there are no such names")
def test_folders_with_odd_names_are_told_as_escapes(tmp_path: Path) -> None:
    folder = tmp_path / "e\x1b[31mx"
    folder.mkdir()
    (folder / "caffefix.toml").write_text('exclude = ["z"]')
    done = run("config", folder.name, cwd=tmp_path)
    assert (done.status, b"\x1b" in done.out) == (0, False)
