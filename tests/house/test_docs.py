"""What the documentation shows is true: its commands print it, its links lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dev import examples
from tests.support.golden import ROOT


@pytest.mark.parametrize("page", [*examples.PAGES, examples.README], ids=lambda page: page.name)
def test_the_examples_are_true(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert examples.page(page) == text
    assert "\n$ caffefix " in text


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")],
                         ids=lambda page: page.name)  # fmt: skip
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_each_command_is_in_the_docs() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for package in (ROOT / "caffefix" / "commands").glob("[a-z]*/command.py"):
        name = package.parent.name.replace("_", "-")
        assert name == "repair" or f"\ncaffefix {name} " in text, name
