"""The first five nets: what is known to be wrong with each is found, or said not to be; the page says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.seeds import PAGE, SEEDS, ask, is_found, lay_out, page


@pytest.mark.parametrize("number", SEEDS)
def test_each_defect_is_found_or_its_absence_explained(shared: Path, tmp_path: Path, number: str) -> None:
    seed = SEEDS[number]
    lay_out(seed, tmp_path)
    told = ask(seed, tmp_path)
    for defect in seed.defects:
        if defect.found:
            assert is_found(defect, told), defect.what
        else:
            assert defect.why, defect.what
    named = {(defect.file, defect.found) for defect in seed.defects}
    unexplained = [(file, name) for file, name, _ in told.findings if (file, name) not in named]
    assert not unexplained, "a finding that is no known defect"


def test_the_page_is_what_the_tool_says_now(shared: Path) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m dev.seeds"
