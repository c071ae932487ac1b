"""Imports point one way: the table of docs/architecture.md."""

from __future__ import annotations

import ast

import pytest

from tests.conftest import ROOT

# Each may import those after it; what only serves start-up may be imported by all.
LAYERS = (
    "__main__", "cli", "api", "commands", "reports", "zoo", "engine", "patching", "fixers", "results", "findings",
    "evidence", "caffe", "proto", "syntax",
)  # fmt: skip
STARTUP = ("_startup", "__version__")
# What reports show, they are given.
NOT = {"reports": {"zoo", "engine", "patching", "fixers"}, "results": {"evidence"}}


def imported(path: str) -> set[str]:
    """The top-level parts of caffefix that a part imports."""
    found = set()
    files = [ROOT / f"caffefix/{path}.py"] if not (ROOT / "caffefix" / path).is_dir() else []
    for file in files or (ROOT / "caffefix" / path).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "caffefix":
                parts = (node.module or "").split(".")[1:]
                found.update(parts[:1] or {name.name for name in node.names})
    return found - {path}


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_point_down(layer: str) -> None:
    assert imported(layer) <= {*LAYERS[LAYERS.index(layer) + 1 :], *STARTUP} - NOT.get(layer, set())


def test_what_serves_start_up_stands_alone() -> None:
    assert imported("_startup") <= set(STARTUP)


def test_the_table_is_whole() -> None:
    parts = {path.stem for path in (ROOT / "caffefix").iterdir() if path.suffix in (".py", "")}
    assert parts - {"__init__", "__pycache__", "_data"} <= {*LAYERS, *STARTUP}
