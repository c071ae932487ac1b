"""The page of a patch in ``caffefix explain``: like a fixer's, from the front matter, with the body as the
example."""

from __future__ import annotations

from caffefix.patching.patch import Patch
from caffefix.syntax.source import display

_SECTIONS = (
    ("What it finds", "what"),
    ("Why it matters", "why"),
    ("Example", ""),
    ("Fix safety", "safety"),
    ("When it is a false alarm", "false_alarm"),
    ("References", "reference"),
)


def page(patch: Patch) -> str:
    """The page; sections that the patch does not fill are omitted."""
    parts = [patch.front.summary]
    for heading, key in _SECTIONS:
        text = patch.front.sections.get(key, "") if key else f"```\n{body_text(patch)}\n```"
        if key == "reference":
            text = "\n".join(f"- {line}" for line in text.split("\n") if line)
        if text:
            parts.append(f"## {heading}\n\n{text}")
    return "\n\n".join(parts)


def body_text(patch: Patch) -> str:
    """The body as written in the file."""
    return display(patch.source.text[patch.body.start :]).strip("\n")
