"""Regular expressions that read a value once, whatever the expression.

Python's own expressions try all ways to match one after the other, which takes years for ``(a+)+b``. These are
automata that are in all their states at once (Thompson 1968): time is the value's length times the expression's
size, and both are bounded. Back references and look-around, which automata cannot do, are not in the grammar.
"""

from __future__ import annotations

import re
from functools import cache

from caffefix.patching.automaton import Automaton
from caffefix.patching.tables import load
from caffefix.syntax.driver import Driver, Unexpected

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

MOST_CHARACTERS = 200
MOST_STATES = 500
_TERMINALS = ("CLASS", "OPEN", "CLOSE", "BAR", "QUANTIFIER", "CHARACTER")
_ALL = frozenset(map(chr, range(256)))  # text is one character per byte
_DIGITS = frozenset("0123456789")
_CLASSES = {
    "\\d": _DIGITS,
    "\\w": frozenset(c for c in _ALL if c.isascii() and (c.isalnum() or c == "_")),
    "\\s": frozenset(" \t\r\n\f\v"),
    ".": _ALL - {"\n"},
}

# ("set", characters) | ("both", a, b) | ("either", a, b) | ("repeat", a, least, most) | ("nothing",)
_Tree: TypeAlias = "tuple[Any, ...]"


class RegexpError(ValueError):
    """An expression that is not accepted; ``at`` is where, -1 if it is too large."""

    def __init__(self, at: int, size: int = 0, what: str = "") -> None:
        super().__init__(at)
        self.at = at
        self.size = size
        self.what = what


def automaton(expression: str) -> Automaton:
    """The automaton of an expression.

    Raises:
        RegexpError: it is invalid, or too large.
    """
    if len(expression) > MOST_CHARACTERS:
        raise RegexpError(-1, len(expression), "characters")
    tree = _parse(_without_anchors(expression))
    size = _size(tree)
    if size > MOST_STATES:
        raise RegexpError(-1, size, "states")
    building = _Building()
    end = building.state()
    return Automaton(expression, building.arrows, building.free, building.compile(tree, end), end)


class _Building:
    """Compiles each part into states that lead to the given one; depth is bounded by length."""

    def __init__(self) -> None:
        self.arrows: list[tuple[frozenset[str], int]] = []
        self.free: list[tuple[int, ...]] = []

    def state(self, *free: int, reads: frozenset[str] = frozenset(), to: int = 0) -> int:
        self.arrows.append((reads, to))
        self.free.append(free)
        return len(self.arrows) - 1

    def compile(self, tree: _Tree, to: int) -> int:
        kind = tree[0]
        if kind == "nothing":
            return to
        if kind == "set":
            return self.state(reads=tree[1], to=to)
        if kind == "both":
            return self.compile(tree[1], self.compile(tree[2], to))
        if kind == "either":
            return self.state(self.compile(tree[1], to), self.compile(tree[2], to))
        _, inner, least, most = tree
        if most is None:
            loop = self.state(to)
            self.free[loop] = (to, self.compile(inner, loop))
            to = loop
        else:
            end = to
            for _ in range(most - least):
                to = self.state(end, self.compile(inner, to))
        for _ in range(least):
            to = self.compile(inner, to)
        return to


def _without_anchors(expression: str) -> str:
    """The expression without anchors: it always matches the whole value."""
    expression = expression[1:] if expression.startswith("^") else expression
    escaped = len(expression) > 1 and expression[-2] == "\\"
    return expression[:-1] if expression.endswith("$") and not escaped else expression


def _size(tree: _Tree) -> int:
    """An upper bound on the number of states."""
    if tree[0] in ("nothing", "set"):
        return 1
    if tree[0] == "repeat":
        _, inner, least, most = tree
        times: int = least + 1 if most is None else most
        return min(_size(inner) + 1, 1 << 20) * max(times, 1)
    return 1 + _size(tree[1]) + _size(tree[2])


class _Token:
    __slots__ = ("start", "text", "type")

    def __init__(self, type: str, text: str, start: int) -> None:
        self.type = type
        self.text = text
        self.start = start


def _parse(expression: str) -> _Tree:
    scanner, driver = _tools()
    tokens = []
    at = 0
    while at < len(expression):
        match = scanner.match(expression, at)
        if match is None:
            raise RegexpError(at)
        tokens.append(_Token(match.lastgroup or "", match.group(), at))
        at = match.end()
    try:
        return driver.parse(tokens)  # type: ignore[no-any-return]
    except Unexpected as error:
        raise RegexpError(error.token.start if error.token is not None else len(expression)) from None


def _repeated(children: list[Any]) -> _Tree:
    inner, token = children
    usual = {"*": (0, None), "+": (1, None), "?": (0, 1)}
    if token.text in usual:
        return ("repeat", inner, *usual[token.text])
    low, comma, high = token.text[1:-1].partition(",")
    least, most = int(low), int(high) if high else (None if comma else int(low))
    if most is not None and most < least:
        raise RegexpError(token.start)
    return ("repeat", inner, least, most)


def _class(token: _Token) -> _Tree:
    text = token.text
    if text in _CLASSES:
        return ("set", _CLASSES[text])
    negative = text.startswith("[^")
    found: set[str] = set()
    parts = re.findall(r"\\.|.", text[2 if negative else 1 : -1], re.S)
    at = 0
    while at < len(parts):
        if parts[at] in _CLASSES and parts[at] != ".":
            found |= _CLASSES[parts[at]]
            at += 1
        elif at + 2 < len(parts) and parts[at + 1] == "-":
            found.update(map(chr, range(ord(parts[at][-1]), ord(parts[at + 2][-1]) + 1)))
            at += 3
        else:
            found.add(parts[at][-1])
            at += 1
    return ("set", _ALL - found if negative else frozenset(found))


_REDUCTIONS: dict[str, Any] = {
    "same": lambda c: c[0],
    "second": lambda c: c[1],
    "nothing": lambda c: ("nothing",),
    "then": lambda c: ("both", *c),
    "either": lambda c: ("either", c[0], c[2]),
    "repeated": _repeated,
    "character": lambda c: ("set", frozenset(c[0].text[-1])),
    "class": lambda c: _class(c[0]),
}


@cache
def _tools() -> tuple[re.Pattern[str], Driver]:
    tables = load()
    scanner = re.compile("|".join(f"(?P<{name}>{tables.terminals[name]})" for name in _TERMINALS))
    return scanner, Driver(tables, "regexp", _REDUCTIONS)
