"""Finds the known name that a word misspells: letters left out, doubled, changed or swapped."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

_LONG = 10  # letters, from which on two slips are accepted
_LONGEST = 64  # longer names are not corrected
_SHORT = 7  # letters, below which no slip is accepted: ReLU, PReLU and SELU are near to each other


def _allowed(name: str) -> int:
    """How many slips there may be in a name."""
    return 2 if len(name) >= _LONG else 1 if len(name) >= _SHORT else 0


def nearest(word: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names nearest to a word, ignoring case; none if it has more slips than its length allows.

    A different first letter, a digit or an additional word is not a slip: ``ConvolutionFixed``, ``Pooling3D`` and
    ``ImageGtData`` are separate names. (Of 659 types that only forks register, one is near to one of BVLC's by
    these rules: ``Lstm``.)
    """
    found: dict[int, list[str]] = {}
    if len(word) > _LONGEST:
        return ()
    for name in names:
        if abs(len(name) - len(word)) > 2:
            continue
        slips = _slips(word.lower(), name.lower(), _allowed(name))
        if slips == 0 or (slips <= _allowed(name) and _is_slip(word, name)):
            found.setdefault(slips, []).append(name)
    return tuple(found[min(found)]) if found else ()


def _is_slip(word: str, name: str) -> bool:
    if word[0].lower() != name[0].lower() or not _ends_alike(word.lower(), name.lower()):
        return False
    digits, capitals = (
        [[letter for letter in text if has(letter)] for text in (word, name)] for has in (str.isdigit, str.isupper)
    )
    return digits[0] == digits[1] and (
        len(capitals[0]) == len(capitals[1]) or word in (word.lower(), word.upper())
    )


def _ends_alike(word: str, name: str) -> bool:
    """Whether a word is not a longer form of a name, such as a plural, except for a doubled last letter."""
    return not word.startswith(name) or word[len(name) :] in ("", name[-1])


@lru_cache(maxsize=1 << 12)
def _slips(word: str, name: str, most: int) -> int:
    """Letters added, left out, changed or swapped with their neighbour (Damerau); above ``most``, any larger
    number."""
    if abs(len(word) - len(name)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(name) + 1))
    for i, a in enumerate(word, 1):
        before, last, row = row, before, [i]
        for j, b in enumerate(name, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == name[j - 2] and b == word[i - 2]:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]
