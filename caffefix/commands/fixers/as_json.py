"""The catalogue of findings as JSON; docs/json.md describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable

from caffefix.commands._shared.page import Page


def render(pages: Iterable[Page]) -> str:
    """An array with an object for each finding."""
    rows = [
        {
            "name": page.name,
            "group": page.group,
            "phase": page.phase,
            "applicability": page.applicability.value if page.applicability is not None else None,
            "kind": page.kind,
            "opt_in": page.opt_in,
            "summary": page.summary,
        }
        for page in pages
    ]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
