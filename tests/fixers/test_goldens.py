"""Golden cases, and the rules that every fixer keeps."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from caffefix.engine.select import registered
from caffefix.findings import Subject
from caffefix.fixers import GROUPS, OPTIONAL, SECTIONS, fixers
from caffefix.patching.shipped import folder
from caffefix.syntax.parse import PrototxtError, parse
from tests.conftest import corpus_files
from tests.support.golden import (
    GOLDEN,
    beside,
    caffefix,
    cases,
    expected_findings,
    expected_text,
    findings,
    options,
    repaired,
)


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}-{case.name}")
def test_golden(case: Path, tmp_path: Path) -> None:
    """Findings, fix, fix of the fix, diff, and no side effect."""
    before = (case / "before.prototxt").read_bytes()
    after = expected_text(case)
    expected = expected_findings(case)
    status = int(any(f["severity"] == "error" and not f["applied"] for f in expected))
    assert findings(case, before) == expected
    assert repaired(case, before) == after
    assert repaired(case, after) == after
    assert not any(f["applied"] for f in findings(case, after))

    family = [tmp_path / path.name for path in beside(case)]
    for path in beside(case):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    net = tmp_path / ("before.prototxt" if family else "a net.prototxt")
    net.write_bytes(before)
    shown = caffefix("--dry-run", *options(case), net.name, cwd=tmp_path)
    assert shown.status == status
    assert net.read_bytes() == before
    assert bool(shown.out) == (before != after)
    if shown.out:
        subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=shown.out, check=True)
        assert net.read_bytes() == after
        net.write_bytes(before)
    assert caffefix(*options(case), net.name, cwd=tmp_path).status == status
    assert net.read_bytes() == after
    assert sorted(tmp_path.iterdir()) == sorted([net, *family])
    assert all(path.read_bytes() == (case / "beside" / path.name).read_bytes() for path in family)


@pytest.mark.parametrize("fixer", fixers(), ids=lambda fixer: fixer.name)
def test_every_fixer_is_documented_and_has_its_cases(fixer) -> None:  # type: ignore[no-untyped-def]
    sections = re.findall(r"^## (.*)$", fixer.page, re.M)
    assert sections == [title for title in SECTIONS if title in sections]
    assert set(SECTIONS) - set(sections) <= set(OPTIONAL)
    assert fixer.group in GROUPS
    assert fixer.summary.endswith(".")
    folder = GOLDEN / fixer.name
    names = {path.name for path in folder.iterdir()}
    assert len(names) >= 5
    hits = {
        case.name for case in folder.iterdir() if any(f["name"] == fixer.name for f in expected_findings(case))
    }
    assert hits, "no case fires"
    assert names - hits, "no case shows when it must not fire"
    assert {"odd-layout", "example"} <= names


def test_a_new_module_is_a_new_fixer() -> None:
    folder = Path(fixers.__wrapped__.__globals__["__file__"]).parent
    modules = {p.stem.replace("_", "-") for p in folder.glob("*/[a-z]*.py")}
    assert modules == {fixer.name for fixer in fixers()}


def overlooked(paths: list[Path]) -> list[tuple[Path, str]]:
    """Fixers that find something in a file that has none of their signs."""
    found = []
    for path in paths:
        try:
            subject = Subject(parse(path.read_bytes().decode("latin-1")))
        except PrototxtError:
            continue
        skipped = [fixer for fixer in registered() if not fixer.may_find(subject)]
        assert skipped
        found += [(path, fixer.name) for fixer in skipped if any(fixer.find(subject))]
    return found


def test_nothing_is_found_without_its_signs() -> None:
    assert not overlooked(sorted([*GOLDEN.rglob("*.prototxt"), *Path(folder()).rglob("*.prototxt")])[::5])


@pytest.mark.slow
def test_nothing_is_found_without_its_signs_anywhere(shared: Path) -> None:
    assert not overlooked([*GOLDEN.rglob("*.prototxt"), *Path(folder()).rglob("*.prototxt"), *corpus_files()])
