"""Text of anyone's as Markdown that says just that text: nothing in it is markup, a link or a mention."""

from __future__ import annotations

import re

from caffefix.reports._shared import clean

# What is markup wherever it stands; and the beginnings of addresses, which GitHub makes links of.
_MARKUP = re.compile(r"([\\`*_\[\]<>|~$&]|:(?=/)|(?<=www)\.)", re.I)
# A comment in a mention, or in the number of an issue, keeps it from being one.
_MENTION = re.compile(r"([@#]|\bGH(?=-))", re.I)
_TICKS = re.compile("`+")


def plain(text: str) -> str:
    """Text outside of code."""
    return _MENTION.sub(r"\1<!-- -->", _MARKUP.sub(r"\\\1", clean(text)))


def code(text: str, most: int = 0) -> str:
    """Text as code on one line, also in a table; at most that many characters of it, if that is said."""
    shown = clean(text)
    if most and len(shown) > most:
        shown = shown[: most - 1] + "…"
    fence = "`" * (_longest(shown) + 1)
    pad = " " if shown[:1] in "` " or shown[-1:] in "` " else ""
    return f"{fence}{pad}{shown}{pad}{fence}" if shown else "(empty)"


def cell(text: str) -> str:
    """Markdown of one line as a cell of a table, which takes bars for its own, even in code."""
    return text.replace("|", "\\|")


def fence(text: str) -> str:
    """What a block of code that holds the text is fenced with."""
    return "`" * max(3, _longest(text) + 1)


def _longest(text: str) -> int:
    return max(map(len, _TICKS.findall(text)), default=0)
