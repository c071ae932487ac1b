"""A patch file as text: front matter, the line ``---``, body; detects files mistaken for a patch."""

from __future__ import annotations

import re

from caffefix._startup.patterns import pattern
from caffefix.patching.errors import Mistake, PatchError

LARGEST = 1 << 18  # bytes
_SEPARATOR = pattern(r"^---[ \t\r]*$", re.M)
_UNIFIED = pattern(r"^(?:diff --git |Index: |@@ -\d|--- \S[^\n]*\n\+\+\+ \S)", re.M)


def split(text: str) -> tuple[str, int]:
    """The front matter, and where the body begins.

    Args:
        text: the file, one character per byte.

    Raises:
        PatchError: it is not a patch.
    """
    if not text.strip():
        raise PatchError(0, Mistake.EMPTY)
    if "\0" in text:
        raise PatchError(text.index("\0"), Mistake.BINARY)
    if len(text) > LARGEST:
        raise PatchError(0, Mistake.TOO_LONG, size=len(text), most=LARGEST)
    unified = _UNIFIED.search(text)
    if unified is not None:
        raise PatchError(unified.start(), Mistake.UNIFIED)
    separator = _SEPARATOR.search(text)
    if separator is None:
        raise PatchError(len(text.rstrip()), Mistake.NO_SEPARATOR)
    start = min(separator.end() + 1, len(text))
    if not text[start:].strip():
        raise PatchError(separator.start(), Mistake.NO_BODY)
    return text[: separator.start()], start
