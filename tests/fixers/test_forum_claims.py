"""The pages answer what forums say, and the figures that they quote are what real Caffe gives."""

from __future__ import annotations

import re
import subprocess

import pytest

from caffefix.commands._shared.pages import pages
from tests.support.golden import ROOT

TITLE = "What the forums say"
ANSWERS = {page.name: s.text for page in pages() for s in page.sections if s.title == TITLE}
_CLAIM = re.compile(r"`bench/forum_claims.py (\w+)`")
_ROW = re.compile(r"^\|(.*)\|$", re.M)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?|nan")
SLOW = ("base_lr", "global_stats")  # they train nets


@pytest.mark.parametrize(
    ("finding", "words"),
    [
        ("mean-in-scaled-units", ["divide the mean by 255", "subtracted"]),
        ("stale-normalizer-shift", ["shift", "transform_param"]),
        ("missing-deploy-scale", ["set_raw_scale", "set_input_scale"]),
        ("missing-input-scale", ["base_lr", "255", "power"]),
        ("ignored-filler-field", ["xavier", "std: 0.1", "gaussian"]),
        ("batch-statistics-in-test", ["use_global_stats", "other way round"]),
        ("vanishing-signal", ["base_lr", "255", "debug_info", "L2"]),
        ("exploding-signal", ["debug_info", "L2"]),
        ("missing-weight-filler", ["debug_info", "L2"]),
    ],
)
def test_wrong_advice_is_answered_where_people_look(finding: str, words: list[str]) -> None:
    page = (ROOT / "docs" / "findings" / f"{finding}.md").read_text(encoding="utf-8")
    _, _, rest = page.partition(f"## {TITLE}\n")
    answer = " ".join(rest.partition("\n## ")[0].split())
    assert not [word for word in words if word not in answer]


def quoted(text: str) -> dict[str, list[str]]:
    """The figures in the tables of a section, by the claim that measures them: the one named before."""
    found: dict[str, list[str]] = {}
    claim = ""
    for paragraph in text.split("\n\n"):
        if paragraph.startswith("|"):
            cells = [cell for row in _ROW.findall(paragraph)[2:] for cell in row.split("|")]
            figures = [n for cell in cells if "`" not in cell for n in _NUMBER.findall(cell)]
            found.setdefault(claim, []).extend(figures)
        claim = next(iter(_CLAIM.findall(paragraph)), claim)
    return found


def close(figure: str, measured: set[float], is_exact: bool) -> bool:
    """Whether a figure is one of those measured, rounded; trained nets differ a little between machines."""
    if figure == "nan":
        return any(m != m for m in measured)
    _, _, decimals = figure.partition(".")
    value, half = float(figure), 0.5000001 * 10 ** -len(decimals)
    return any(abs(m - value) <= max(half, 0 if is_exact else abs(value) / 2) for m in measured)


TABLES = [(f, claim, figures) for f, text in ANSWERS.items() for claim, figures in quoted(text).items()]


@pytest.mark.caffe
@pytest.mark.parametrize(
    ("finding", "claim", "figures"),
    [pytest.param(*row, id=row[1], marks=pytest.mark.slow if row[1] in SLOW else ()) for row in TABLES],
)
def test_the_figures_are_measured(finding: str, claim: str, figures: list[str], caffe_python: str) -> None:
    assert figures
    done = subprocess.run(
        [caffe_python, str(ROOT / "bench" / "forum_claims.py"), claim], capture_output=True, text=True, check=True
    )
    measured = {float(n) for n in _NUMBER.findall(done.stdout.partition("\n")[2])}
    assert not [f for f in figures if not close(f, measured, claim not in SLOW)], done.stdout


def test_every_claim_that_is_measured_is_quoted() -> None:
    source = (ROOT / "bench" / "forum_claims.py").read_text(encoding="utf-8")
    listed = re.search(r"for f in \((.*?)\)", source)
    assert listed is not None
    assert sorted(claim for _, claim, _ in TABLES) == sorted(listed[1].split(", "))
