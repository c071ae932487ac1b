"""SECURITY.md: each line of the model has its tests, and what no other module is about."""

from __future__ import annotations

import ast
import builtins
import re
from pathlib import Path

import pytest

from caffefix._startup import records
from caffefix.zoo.config_file import KEYS
from tests.conftest import ROOT
from tests.support.golden import GOLDEN, caffefix

TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
DEAD = (GOLDEN / "missing-weight-filler/fires/before.prototxt").read_bytes()
# Keys that say what is looked for, in which files, and for which Caffe.
HARMLESS = {
    "select", "ignore", "per-file-ignores", "exclude", "include", "unsafe", "dialect", "target", "from-scratch",
    "proto",  # which is read alone, and lies below the file: test_own_caffe_places.py
    "baseline",  # likewise: test_baseline.py
}  # fmt: skip


def test_each_line_of_the_model_names_tests_that_there_are() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`(test_\w+\.py)(?:::(test_\w+))?`", row.split("|")[-2])
        assert named, row
        for file, test in named:
            text = next((ROOT / "tests").glob(f"*/{file}")).read_text(encoding="utf-8")
            assert not test or f"def {test}(" in text, test


@pytest.mark.parametrize("key", ["cache-dir", "cache", "root", "output", "patch-dir", "report", "backup"])
def test_a_configuration_file_names_no_place_that_is_written_to(tmp_path: Path, key: str) -> None:
    assert set(KEYS) <= HARMLESS
    (tmp_path / "net.prototxt").write_bytes(DEAD)
    (tmp_path / "caffefix.toml").write_text(f'{key} = "../elsewhere"\n')
    done = caffefix(".", cwd=tmp_path)
    assert (done.status, b"there is no such key" in done.err) == (2, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["caffefix.toml", "net.prototxt"]


def test_records_execute_names_of_our_own_fields_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is executed is a signature and assignments; the only names in it are the record's annotations."""
    seen: list[str] = []

    def execute(source: str, scope: dict[str, object]) -> None:
        seen.append(source)
        builtins.exec(source, scope)

    monkeypatch.setattr(records, "exec", execute, raising=False)

    @records.dataclass(frozen=True, slots=True)
    class Thing:
        name: str
        size: int = 3

    assert Thing("x'); import os  # ").size == 3
    (source,) = seen
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    assert names <= {"_set", "_missing", "self", "name", "size", "_default_size", "_set_name", "_set_size"}
    assert "import" not in source


def test_only_records_execute_anything() -> None:
    found = []
    for path in (ROOT / "caffefix").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
        found += [path.name for node in calls if node.func.id in ("exec", "eval", "compile", "__import__")]
    assert found == ["records.py"]
