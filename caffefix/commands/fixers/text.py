"""The catalogue of findings for a terminal: by group, with what their fixes are at best."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from caffefix.commands._shared.page import Page
from caffefix.findings import Applicability
from caffefix.fixers import GROUPS


def render(pages: Sequence[Page]) -> str:
    """A table for each group."""
    ordered = sorted(pages, key=lambda page: (GROUPS.index(page.group), page.name))
    width = max(len(page.name) for page in ordered)
    text = ""
    for group, members in groupby(ordered, key=lambda page: page.group):
        rows = (f"  {page.name:<{width}}  {_safety(page):<6}  {_about(page)}\n" for page in members)
        text += ("\n" if text else "") + f"{group}\n" + "".join(rows)
    return text


def _safety(page: Page) -> str:
    found = page.applicability
    return found.value if found in (Applicability.SAFE, Applicability.UNSAFE) else "no fix"


def _about(page: Page) -> str:
    marks = [mark for mark, holds in (("patch", page.kind == "patch"), ("by name only", page.opt_in)) if holds]
    return page.summary + (f" ({', '.join(marks)})" if marks else "")
