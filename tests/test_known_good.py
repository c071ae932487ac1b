"""Nets that are known to work stay silent; what remains is listed with the reason in docs/known-good.md."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from caffefix.engine.repair import Request, repair
from caffefix.findings import Severity
from caffefix.syntax.source import Source
from caffefix.zoo.family import Families
from tests.conftest import ROOT, SHARED, corpus_files

CORPUS = SHARED / "corpus"
PAGE = ROOT / "docs" / "known-good.md"
_FAMILY = re.compile(r"\| (?P<family>[^|]+) \| (?P<patterns>`[^|]+`) \| (?P<count>\d+) \|")
_LEFT = re.compile(r"\| `(?P<path>[^`|]+)` \| (?P<names>[a-z, -]+) \| .+ \|")


def families() -> dict[str, list[str]]:
    """The patterns of each family's paths, as the page lists them."""
    rows = map(_FAMILY.fullmatch, PAGE.read_text(encoding="utf-8").splitlines())
    return {row["family"]: re.findall("`([^`]+)`", row["patterns"]) for row in rows if row}


def listed() -> dict[str, frozenset[str]]:
    """What the page says is left, for each file."""
    rows = map(_LEFT.fullmatch, PAGE.read_text(encoding="utf-8").splitlines())
    return {row["path"]: frozenset(row["names"].split(", ")) for row in rows if row}


def members(family: str, every: int = 1) -> list[str]:
    """Paths in the corpus of a family's files."""
    names = [path.relative_to(CORPUS).as_posix() for path in corpus_files()]
    found = [name for name in names if any(fnmatchcase(name, pattern) for pattern in families()[family])]
    return found[::every]


def left(name: str) -> frozenset[str]:
    """Errors and warnings in a file, judged with its folder, but for old spellings."""
    roots = [str(CORPUS / Path(name).parts[0])]
    path = str(CORPUS / name)
    data = Path(path).read_bytes()
    result = repair(Source(path, data), Request(), name, Families(roots).of(path, data))
    if result.status.failed:
        return frozenset({"unreadable"})
    told = {d.name for d in result.findings if d.severity is not Severity.INFO}
    return frozenset(finding for finding in told if not finding.startswith("legacy-"))


def judge(family: str, every: int) -> None:
    names = members(family, every)
    assert names
    page = listed()
    found = {name: findings for name in names if (findings := left(name))}
    assert found == {name: page[name] for name in names if name in page}


@pytest.mark.parametrize("family", families())
def test_sample(shared: Path, family: str) -> None:
    judge(family, 16)


@pytest.mark.slow
@pytest.mark.parametrize("family", families())
def test_all(shared: Path, family: str) -> None:
    judge(family, 1)


def test_the_page_names_files_that_are_there(shared: Path) -> None:
    counts = {row["family"]: int(row["count"]) for line in PAGE.read_text(encoding="utf-8").splitlines()
              if (row := _FAMILY.fullmatch(line))}  # fmt: skip
    assert counts == {family: len(members(family)) for family in counts}
    known = {name for family in counts for name in members(family)}
    assert set(listed()) <= known


def test_detectors_and_fcn_lack_fillers_only() -> None:
    made_for_weights = ("rbgirshick__py-faster-rcnn/", "shelhamer__fcn.berkeleyvision.org/")
    for path, names in listed().items():
        if path.startswith(made_for_weights):
            assert names == {"missing-weight-filler"}
