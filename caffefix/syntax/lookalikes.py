"""Characters that look like prototxt's own but are not: the text is read as if they were.

Word processors, web pages and Chinese keyboards produce them. A byte-order mark and blanks that are not ASCII
blanks stand for nothing or a blank, full-width punctuation for ASCII's, a pair of typographic quotes for a pair of
``"``. In strings and comments nothing is changed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from caffefix._startup.records import dataclass


@dataclass(frozen=True, slots=True)
class Lookalike:
    """A stretch of a text, and what it stands for.

    Attributes:
        start, end: where, in bytes.
        meant: the ASCII character; empty for a byte-order mark.
        shown: its name for people.
        opens: whether a string begins after it.
    """

    start: int
    end: int
    meant: str
    shown: str
    opens: bool = False


def _bytes(character: str) -> str:
    return character.encode("utf-8").decode("latin-1")


_BLANKS = "\u00a0\u2002\u2003\u2007\u2009\u200b\u202f\u3000"
_PUNCTUATION = dict(zip("：；，｛｝［］＜＞－", ":;,{}[]<>-", strict=True))

_MEANT = {
    _bytes("\ufeff"): ("", "byte-order mark"),
    **{_bytes(c): (" ", f"blank U+{ord(c):04X}") for c in _BLANKS},
    **{_bytes(c): (meant, f"full-width {meant}") for c, meant in _PUNCTUATION.items()},
}
_QUOTE = "typographic quote"
_OPEN, _CLOSE = (f"(?:{'|'.join(map(_bytes, quotes))})" for quotes in ("“”„＂", "“”＂"))

_SCANNER = re.compile(
    rf"""#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'"""
    rf"""|(?P<quoted>(?P<open>{_OPEN})[^"\\\n\x80-\xff]*(?P<close>{_CLOSE}))"""
    rf"""|(?P<one>{"|".join(map(re.escape, _MEANT))})"""
)


def lookalikes(text: str) -> list[Lookalike]:
    """The characters of a text that only look like prototxt, outside strings and comments.

    Args:
        text: the file, one character per byte.
    """
    found = []
    for match in _SCANNER.finditer(text):
        if match["one"]:
            found.append(Lookalike(match.start(), match.end(), *_MEANT[match["one"]]))
        elif match["quoted"]:
            found.append(Lookalike(*match.span("open"), '"', _QUOTE, opens=True))
            found.append(Lookalike(*match.span("close"), '"', _QUOTE))
    return found


def as_meant(text: str, found: Sequence[Lookalike]) -> str:
    """The text as intended, place for place: blanks pad shorter replacements, outside strings."""
    parts = []
    position = 0
    for one in found:
        width = one.end - one.start
        meant = one.meant.rjust(width) if one.opens else one.meant.ljust(width)
        parts += [text[position : one.start], meant]
        position = one.end
    return "".join((*parts, text[position:]))
