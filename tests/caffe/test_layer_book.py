"""The layer book is whole: what it lacks is listed, and layer types are told nowhere else."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from caffefix.caffe.layers.book import BOOK, V1_TYPES
from caffefix.caffe.layers.bvlc import BVLC_TYPES
from caffefix.caffe.layers.rules import moments_rule, shape_rule, zero_rule
from dev.missing_rules import PAGE, made, missing
from tests.conftest import ROOT

PACKAGE = ROOT / "caffefix"
# Lists of types that stand elsewhere, and why.
ALLOWED = {
    "evidence/training/child/child_costs.py": "runs in the interpreter that has Caffe, which has no caffefix",
    "fixers/normalisation/batch_norm_without_scale.py": "the one pair that the finding is about",
}


def test_what_is_missing_is_known() -> None:
    """Each of BVLC's types with what it lacks and why, and how many types of forks lack each rule."""
    rows = [line.split("\t") for line in PAGE.read_text().splitlines() if not line.startswith("#")]
    listed = {name: lacks for name, lacks, why in rows if why}
    lacking = {name: missing(BOOK[name]) for name in sorted(BVLC_TYPES)}
    assert listed == {name: " ".join(lacks) for name, lacks in lacking.items() if lacks}
    assert PAGE.read_text() == made(), "run python -m dev regen"


def test_every_record_is_of_a_known_rule() -> None:
    for kind in BOOK.values():
        shape_rule(kind), zero_rule(kind), moments_rule(kind)


def lists_of_types(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Where two or more layer types stand together: in a tuple, list, set, map or string of words."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    types = {*BOOK, *V1_TYPES, *BVLC_TYPES}
    for node in ast.walk(tree):
        if isinstance(node, ast.Tuple | ast.List | ast.Set):
            words = [item.value for item in node.elts if isinstance(item, ast.Constant)]
        elif isinstance(node, ast.Dict):
            words = [key.value for key in node.keys if isinstance(key, ast.Constant)]
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            words = list(node.value.split())
        else:
            continue
        found = [word for word in words if isinstance(word, str) and word in types]
        if len(found) > 1 and len(found) == len(set(found)):
            yield node.lineno, found


def test_layer_types_are_listed_in_the_book_alone() -> None:
    """Generated indexes aside; patches that ship with the tool are compiled from patches/."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith("caffe/layers/") or name.endswith(("_index.py", "_compiled.py", "_tables.py")):
            continue
        for line, words in lists_of_types(path):
            if name not in ALLOWED:
                found[f"{name}:{line}"] = words
    assert not found


def test_such_a_list_is_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text('"""ReLU TanH"""\nA = frozenset("Scale Bias".split())\nB = {"Data": 1, "Input": 2}\n')
    assert sorted(lists_of_types(module)) == [(2, ["Scale", "Bias"]), (3, ["Data", "Input"])]
