"""Pages of the findings, from the fixers' docstrings and the patches' front matter."""

from __future__ import annotations

import re

from caffefix.commands._shared.page import Page, Section
from caffefix.engine.select import Selection, registered
from caffefix.findings import Applicability
from caffefix.fixers import Fixer

_HEADING = re.compile(r"^## (.*)\n", re.M)
_SAFETY = {"Safe": Applicability.SAFE, "Unsafe": Applicability.UNSAFE, "No fix": Applicability.DISPLAY}
_FIRST = re.compile(rf"({'|'.join(_SAFETY)})\b")


def pages(names: tuple[str, ...] = ()) -> list[Page]:
    """Pages of the findings with these names or matching these globs, by name; all pages if none are given.

    Raises:
        UnknownNameError: a name or glob matches no finding.
    """
    selection = Selection(select=names)
    selection.check()
    found = selection.fixers() if names else registered()  # including those that must be named to run
    return sorted(map(page_of, found), key=lambda page: page.name)


def page_of(fixer: Fixer) -> Page:
    """The page of one fixer."""
    _, *parts = _HEADING.split(fixer.page)
    sections = tuple(Section(title, text.strip("\n")) for title, text in zip(parts[::2], parts[1::2], strict=True))
    return Page(
        name=fixer.name,
        group=fixer.group,
        phase=fixer.runs_in.name.lower(),
        applicability=_applicability(sections),
        summary=fixer.summary,
        sections=sections,
        changes=fixer.changes,
        needs_family=fixer.needs_family,
        kind="patch" if fixer.is_patch else "python",
        opt_in=fixer.opt_in,
    )


def _applicability(sections: tuple[Section, ...]) -> Applicability | None:
    """What the first word of the page's "Fix safety" says about its fixes."""
    for section in sections:
        first = _FIRST.match(section.text) if section.title == "Fix safety" else None
        if first is not None:
            return _SAFETY[first[1]]
    return None
