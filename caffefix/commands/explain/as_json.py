"""Pages of findings as one JSON object; docs/json.md describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from caffefix.commands._shared.page import Page

VERSION = 1


def render(pages: Iterable[Page]) -> str:
    """The object."""
    data = {"version": VERSION, "findings": [_page(page) for page in pages]}
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _page(page: Page) -> dict[str, Any]:
    return {
        "name": page.name,
        "group": page.group,
        "phase": page.phase,
        "applicability": page.applicability.value if page.applicability is not None else None,
        "summary": page.summary,
        "changes": list(page.changes),
        "needs_family": page.needs_family,
        "kind": page.kind,
        "opt_in": page.opt_in,
        "sections": {section.title: section.text for section in page.sections},
    }
