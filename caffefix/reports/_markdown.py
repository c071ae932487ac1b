"""Arbitrary text as Markdown that shows exactly that text: no part of it becomes markup, a link or a mention."""

from __future__ import annotations

import re

from caffefix.reports._shared import clean

# Characters that are markup anywhere, and the beginnings of addresses, which GitHub turns into links.
_MARKUP = re.compile(r"([\\`*_\[\]<>|~$&]|:(?=/)|(?<=www)\.)", re.I)
# An HTML comment inside a mention or an issue number keeps GitHub from recognising it.
_MENTION = re.compile(r"([@#]|\bGH(?=-))", re.I)
_TICKS = re.compile("`+")


def plain(text: str) -> str:
    """Text outside code."""
    return _MENTION.sub(r"\1<!-- -->", _MARKUP.sub(r"\\\1", clean(text)))


def code(text: str, most: int = 0) -> str:
    """Text as code on one line, also in a table; at most ``most`` characters of it, if given."""
    shown = clean(text)
    if most and len(shown) > most:
        shown = shown[: most - 1] + "…"
    fence = "`" * (_longest(shown) + 1)
    pad = " " if shown[:1] in "` " or shown[-1:] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}" if shown else "(empty)"


def cell(text: str) -> str:
    """Markdown of one line as a table cell, in which bars separate cells even inside code."""
    return text.replace("|", "\\|")


def fence(text: str) -> str:
    """The fence for a code block that contains the text."""
    return "`" * max(3, _longest(text) + 1)


def _longest(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)
