"""Generalises edits at some places to a pattern: names become variables, and so do values that differ.

Places with the same edit are overlaid on each other (anti-unification, Plotkin 1970): where they agree the patch
has the value, where they differ a variable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass, field
from caffefix.patching.example import Branch, Leaf, Others, Part
from caffefix.syntax.scalars import float_text, is_string, number_value, quoted, string_value

_NAMES = {"name": "N", "bottom": "B", "top": "B"}


class CannotGeneralize(Exception):
    """Places that have nothing in common."""


def laid_over(trees: Sequence[list[Part]]) -> list[Part]:
    """Several places as one, if they have the same shape.

    Raises:
        CannotGeneralize: they have different shapes.
    """
    first, *others = trees
    result = first
    for other in others:
        result = [_both(a, b) for a, b in _zip(result, other)]
    return result


def _zip(one: Sequence[Part], other: Sequence[Part]) -> Iterator[tuple[Part, Part]]:
    if len(one) != len(other):
        raise CannotGeneralize
    yield from zip(one, other, strict=True)


def _both(one: Part, other: Part) -> Part:
    if isinstance(one, Leaf) and isinstance(other, Leaf) and (one.sign, one.name) == (other.sign, other.name):
        return Leaf(one.sign, one.name, (*one.values, *other.values), one.fixed)
    if isinstance(one, Branch) and isinstance(other, Branch) and one.sign == other.sign:
        if one.name != other.name and one.sign != " ":
            raise CannotGeneralize
        name = one.name if one.name == other.name else "$P"
        return Branch(one.sign, name, [_both(a, b) for a, b in _zip(one.items, other.items)])
    if isinstance(one, Others) and isinstance(other, Others):
        return one
    raise CannotGeneralize


@dataclass
class Naming:
    """Which values are variables, and how each is written.

    Attributes:
        written: how values are written in the patch: ``$N``, or ``"conv${I}"`` where a part of a name is bound.
        used: those that are needed elsewhere than at their own place.
    """

    written: dict[tuple[str, tuple[str, ...]], str] = field(default_factory=dict)
    used: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)
    _tails: dict[str, list[str]] = field(default_factory=dict)  # of variables for ends of names
    _first: dict[tuple[str, tuple[str, ...]], int] = field(default_factory=dict)

    def bind(self, leaf: Leaf, layer: int) -> None:
        """Make variables of values that differ between places, and of names and blobs.

        Args:
            leaf: a field that is matched.
            layer: which of the patch's layers it is in: a value in two layers joins them.
        """
        where = self.key(leaf)
        if self._first.setdefault(where, layer) != layer:
            self.used.add(where)
        if where not in self.written and (leaf.name in _NAMES or len(set(leaf.values)) > 1):
            self.written[where] = "$" + self._fresh(_NAMES.get(leaf.name, leaf.name.upper()))

    @staticmethod
    def key(leaf: Leaf) -> tuple[str, tuple[str, ...]]:
        """A value with its kind: layer name, blob, other."""
        return _NAMES.get(leaf.name, ""), tuple(map(string_value, leaf.values))

    def _fresh(self, wish: str) -> str:
        name, number = wish, 1
        while name in self._names:
            number += 1
            name = f"{wish}{number}"
        self._names.add(name)
        return name

    def text(self, leaf: Leaf) -> str:
        """How a field that is matched is written."""
        return self.written.get(self.key(leaf), leaf.values[0])

    def made(self, leaf: Leaf) -> str:
        """How a value on a ``+`` line is written.

        Raises:
            CannotGeneralize: it does not follow from anything that is bound.
        """
        same = [where for where in self.written if where[1] == tuple(map(string_value, leaf.values))]
        same.sort(key=lambda where: where[0] != _NAMES.get(leaf.name, ""))
        if same and (leaf.name in _NAMES or len(set(leaf.values)) > 1):
            self.used.add(same[0])
            return self.written[same[0]]
        if all(map(is_string, leaf.values)) and (leaf.name in _NAMES or len(set(leaf.values)) > 1):
            around = self._around(leaf) or self._tail(leaf)
            if around:
                return around
        if len(set(leaf.values)) == 1:
            return leaf.values[0]
        return self._calculated(leaf)

    def _around(self, leaf: Leaf) -> str:
        """A string that contains a bound one: ``"${N}_bn"``."""
        texts = list(map(string_value, leaf.values))
        plain = [where for where, text in self.written.items() if where[0] and text.startswith("$")]
        fits = [where for where in plain if _inside(where[1], texts)]
        if not fits:
            return ""
        best = max(fits, key=lambda where: (len(where[1][0]), where[0] == _NAMES.get(leaf.name)))
        self.used.add(best)
        before, _, after = texts[0].partition(best[1][0])
        return _template(before, self.written[best][1:], after)

    def _tail(self, leaf: Leaf) -> str:
        """A string that ends like a bound one: ``"bn1"`` and ``"conv1"``, which becomes ``"conv${I}"``."""
        texts = list(map(string_value, leaf.values))
        for name, tails in self._tails.items():
            heads = {text[: -len(tail)] for text, tail in zip(texts, tails, strict=True)}
            if len(heads) == 1 and all(map(str.endswith, texts, tails)):
                return _template(heads.pop(), name, "")
        for where in sorted(self.written, key=lambda w: w[0] != "N"):
            tails = [_common_tail(a, b) for a, b in zip(where[1], texts, strict=True)]
            if not where[0] or not all(tails) or not self.written[where].startswith("$"):
                continue
            pairs = {(a[: -len(t)], b[: -len(t)]) for a, b, t in zip(where[1], texts, tails, strict=True)}
            if len(pairs) == 1 and where not in self.used:
                (old, new), name = pairs.pop(), self._fresh("I")
                self.written[where] = _template(old, name, "")
                self.used.add(where)
                self._tails[name] = tails
                return _template(new, name, "")
        return ""

    def _calculated(self, leaf: Leaf) -> str:
        """A number that follows from a bound one by one factor or one difference."""
        numbers = [number_value(value) for value in leaf.values]
        for where, written in self.written.items():
            old = [number_value(value) for value in where[1]]
            if None in numbers or None in old or not written.startswith("$"):
                continue
            pairs = [(a or 0.0, b or 0.0) for a, b in zip(old, numbers, strict=True)]
            self.used.add(where)
            if all(a for a, _ in pairs) and len({float_text(b / a) for a, b in pairs}) == 1:
                return f"{written} * {float_text(pairs[0][1] / pairs[0][0])}"
            if len({float_text(b - a) for a, b in pairs}) == 1:
                return f"{written} + {float_text(pairs[0][1] - pairs[0][0])}".replace("+ -", "- ")
            self.used.discard(where)
        raise CannotGeneralize


def _template(before: str, variable: str, after: str) -> str:
    return f"{quoted(before)[:-1]}${{{variable}}}{quoted(after)[1:]}"


def _inside(bound: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether each text is its bound one with the same text around it."""
    if not all(len(b) > 1 and b in t for b, t in zip(bound, texts, strict=True)):
        return False
    return len({tuple(t.split(b, 1)) for b, t in zip(bound, texts, strict=True)}) == 1


def _common_tail(one: str, other: str) -> str:
    """The longest common end that begins at a boundary in the name: at a number, after ``_`` or ``/``."""
    length = 0
    while length < min(len(one), len(other)) and one[-1 - length] == other[-1 - length]:
        length += 1
    tail = one[len(one) - length :]
    for start in range(len(tail)):
        at = len(one) - len(tail) + start
        joint = tail[start] in "_/.-" or (tail[start].isdigit() and at > 0 and not one[at - 1].isdigit())
        if joint and at > 0:
            return tail[start:]
    return ""
