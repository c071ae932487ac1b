"""Phrases that were wrong in messages, pages and docs before, with better ones: a test looks for them.

Add what you trip over: a regular expression that finds nothing right, and what to write instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BETTER = {
    r"\bof before (the|\w+ )?\d{4}": "before 2016",
    r"\b(is|are) another (one )?(at|in|for) each\b": "differs from run to run",
    r"\bin another order each time\b": "in a different order every time",
    r"\bcall so\b": "Caffe calls this",
    r"\bmay stand once\b": "may appear only once",
    r"\bstands? (there|in|at|beside|above|below|before|behind|once|alone)\b": "is, appears",
    r"(?<!there )\b(is|are) no (finding|number|name|value|field|slip|prototxt|mistake|option)s?\b": "is not a …",
    r"\blearnt\b": "learned",
    r"\bis told\b(?! (apart|to|which|about))": "is reported",
    r"\btells of\b": "reports",
    r"\bspeaks? of\b": "mentions, is about",
    r"\b(is|are|was|were) fed with\b": "receives",
    r"\blooked for for\b": "checked for in",
    r"\bas it builds\b": "while it builds",
    r"\b(is|are) meant so\b": "is intended",
    r"\b, for (it|its|they|Caffe|others|nobody) ": "because",
    r"\bin silence\b": "silently",
    r"\bwithout a word\b": "silently",
    r"\ba slip of\b": "a misspelling of",
    r"\bof a fork's\b": "of a fork",
    r"\bone more time\b": "again",
    r"\bhow comes\b": "why",
    r"\binformations\b": "information",
    r"\bdoubl[ey] negat": "say it positively",
}
_ANY = re.compile("|".join(BETTER))
_BETTER = [(re.compile(pattern), better) for pattern, better in BETTER.items()]


def complaints() -> Iterator[str]:
    """A line for each place: file, line, what is there, what to write."""
    for path in sorted(_files()):
        name = path.relative_to(ROOT).as_posix()
        for line, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if _ANY.search(text) is None:
                continue
            for pattern, better in _BETTER:
                found = pattern.search(text)
                if found is not None:
                    yield f"{name}:{line}: {found[0]!r}: write: {better}"


def _files() -> Iterator[Path]:
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "action.yml"))
    yield from (ROOT / "docs").rglob("*.md")
    yield from (ROOT / "patches").glob("*.patch")
    for folder in ("caffefix", "dev"):
        yield from (path for path in (ROOT / folder).rglob("*.py") if path.name not in _SKIPPED)


# What is generated, and this list itself.
_SKIPPED = {"_tables.py", "_index.py", "_compiled.py", "words.py"}
