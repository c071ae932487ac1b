"""Rules in git's syntax (gitignore(5), wildmatch.c), matched in bounded time whatever the rule.

A path is matched name by name. Within a name, what follows a ``*`` is matched at its first occurrence, and no
earlier ``*`` is tried again; likewise with ``**`` among names. For each rule and path this costs at most the
length of the one times that of the other, where a plain regular expression would try all ways to divide the path.
Text is one character per byte, because git compares bytes.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

# A fixed character, "?", or a class; STAR and SLASH come between these.
_STAR, _SLASH = "*", "/"
_PRINTED = string.ascii_letters + string.digits + string.punctuation
_CLASSES = {
    "alnum": string.ascii_letters + string.digits,
    "alpha": string.ascii_letters,
    "blank": " \t",
    "cntrl": "".join(map(chr, (*range(32), 127))),
    "digit": string.digits,
    "graph": _PRINTED,
    "lower": string.ascii_lowercase,
    "print": _PRINTED + " ",
    "punct": string.punctuation,
    "space": " \t\n\r\f\v",
    "upper": string.ascii_uppercase,
    "xdigit": string.hexdigits,
}
# The maximum length of a name in bytes: a rule that requires more matches nothing.
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class _Token:
    """One character of a rule, as a regular expression; ``special`` is ``*`` or ``/``, or empty."""

    expression: str
    special: str = ""
    plain: str = ""


@dataclass(slots=True)
class _Name:
    """A pattern for one name of a path: how the name begins and ends, and what is in between."""

    head: str
    tail: str
    tokens: tuple[_Token, ...]
    is_exact: bool
    is_simple: bool
    _match: re.Pattern[str] | None = None

    def fits(self, name: str) -> bool:
        if self.is_exact:
            return name == self.head
        if len(name) < len(self.head) + len(self.tail) or not (
            name.startswith(self.head) and name.endswith(self.tail)
        ):
            return False
        if self.is_simple:
            return True
        if self._match is None:
            self._match = re.compile(_expression(self.tokens), re.DOTALL)
        return self._match.match(name) is not None


# None is ``**``: any number of names.
_Path: TypeAlias = "tuple[_Name | None, ...]"


@dataclass(frozen=True, slots=True)
class Rule:
    """One line.

    Attributes:
        ignores: whether matching entries are skipped; otherwise they are included again.
        folders: whether it matches only folders.
        anywhere: whether it matches the last name only.
        path: the patterns for the names.
    """

    ignores: bool
    folders: bool
    anywhere: bool
    path: _Path

    def means(self, names: Sequence[str], is_folder: bool) -> bool:
        """Whether it matches the entry with that path, relative to the folder that the rules are for."""
        if self.folders and not is_folder:
            return False
        if self.anywhere:
            return self.path[0] is None or self.path[0].fits(names[-1])
        return _fits(self.path, names)


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of a file; the last one that matches decides."""

    rules: tuple[Rule, ...] = ()

    def verdict(self, names: Sequence[str], is_folder: bool) -> bool | None:
        """Whether an entry is skipped; None if no rule matches it."""
        for rule in reversed(self.rules):
            if rule.means(names, is_folder):
                return rule.ignores
        return None


def rules(data: bytes) -> Rules:
    """The rules in a file; a line that is not a pattern is skipped, as in git."""
    lines = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1").split("\n")
    return Rules(tuple(rule for line in lines if (rule := _rule(line.removesuffix("\r"))) is not None))


def _rule(line: str) -> Rule | None:
    if line.startswith("#"):
        return None
    line = _without_blanks(line)
    negated = line.startswith("!")
    line = line[negated:]
    folders = line.endswith("/")
    line = line[: len(line) - folders]
    if not line:
        return None
    anywhere = "/" not in line
    try:
        path = _path(list(_tokens(line.removeprefix("/"))), anywhere)
    except ValueError:
        return None
    return None if path is None else Rule(not negated, folders, anywhere, path)


def _without_blanks(line: str) -> str:
    """A line without the blanks at its end, except for one after a backslash."""
    bare = line.rstrip(" ")
    escapes = len(bare) - len(bare.rstrip("\\"))
    return line[: len(bare) + 1] if escapes % 2 and len(bare) < len(line) else bare


# ---------------------------------------------------------------- reading a rule


def _tokens(line: str) -> Iterator[_Token]:
    """The characters of a rule.

    Raises:
        ValueError: it ends in the middle of one; in git such a rule matches nothing.
    """
    at = 0
    while at < len(line):
        char = line[at]
        at += 1
        if char in (_STAR, _SLASH):
            yield _Token("", char)
        elif char == "?":
            yield _Token(".")
        elif char == "[":
            at, expression = _class(line, at)
            yield _Token(expression)
        else:
            if char == "\\":
                if at == len(line):
                    raise ValueError(line)
                char = line[at]
                at += 1
            yield _Token("", _SLASH) if char == _SLASH else _Token(re.escape(char), "", char)


def _class(line: str, at: int) -> tuple[int, str]:
    """The offset after a class in brackets, and its regular expression, by git's rules."""
    negated = line[at : at + 1] in ("!", "^") and at < len(line)
    at += negated
    parts: list[str] = []
    before = ""  # what a range may begin with
    first = True
    while True:
        char = line[at : at + 1]
        if not char:
            raise ValueError(line)
        if char == "]" and not first:
            break
        first = False
        at += 1
        if char == "[" and line[at : at + 1] == ":" and (end := line.find("]", at + 1)) > 0:
            if line[end - 1] == ":" and end - 1 > at:
                parts += [re.escape(c) for c in _CLASSES.get(line[at + 1 : end - 1]) or _unknown(line)]
                at, before = end + 1, ""
                continue
        if char == "-" and before and line[at : at + 1] not in ("", "]"):
            at, last = _escaped(line, at)
            if before <= last:
                parts.append(f"{re.escape(before)}-{re.escape(last)}")
            before = ""
            continue
        if char == "\\":
            at, char = _escaped(line, at - 1)
        parts.append(re.escape(char))
        before = char
    inside = "".join(parts)
    if negated:
        return at + 1, f"[^/{inside}]"
    return at + 1, f"[{inside}]" if inside else "(?!)"


def _escaped(line: str, at: int) -> tuple[int, str]:
    """The offset after a character that may be escaped with a backslash, and the character."""
    at += line[at] == "\\"
    if at >= len(line):
        raise ValueError(line)
    return at + 1, line[at]


def _unknown(line: str) -> str:
    raise ValueError(line)


def _path(tokens: list[_Token], anywhere: bool) -> _Path | None:
    """The patterns for the names; None if no name can match."""
    names: list[_Name | None] = []
    part: list[_Token] = []
    for token in (*tokens, _Token("", _SLASH)):
        if token.special != _SLASH:
            part.append(token)
            continue
        if len(part) > 1 and all(t.special == _STAR for t in part) and not anywhere:
            names.append(None)
        elif not part or sum(not t.special for t in part) > _LONGEST:
            return None
        else:
            names.append(_name(part))
        part = []
    if names[-1] is None:  # everything in a folder, but not the folder itself
        names.insert(-1, _name([_Token("", _STAR)]))
    return tuple(names)


def _name(tokens: list[_Token]) -> _Name:
    kept = [t for i, t in enumerate(tokens) if t.special != _STAR or not i or tokens[i - 1].special != _STAR]
    head, tail = _plain(kept), _plain(kept[::-1])[::-1]
    exact = len(head) == len(kept)
    simple = not exact and len(head) + len(tail) + 1 == len(kept) and kept[len(head)].special == _STAR
    return _Name(head, "" if exact else tail, tuple(kept), exact, simple)


def _plain(tokens: list[_Token]) -> str:
    """The fixed characters at the start."""
    found = []
    for token in tokens:
        if not token.plain:
            break
        found.append(token.plain)
    return "".join(found)


# ---------------------------------------------------------------- matching


def _expression(tokens: Sequence[_Token]) -> str:
    """A name as a regular expression: what follows a star is matched once, without backtracking."""
    chunks = [""]
    for token in tokens:
        if token.special:
            chunks.append("")
        else:
            chunks[-1] += token.expression
    first, *middle = chunks
    if not middle:
        return f"{first}\\Z"
    last = middle.pop()
    found = "".join(f"(?=(?P<g{i}>.*?{chunk}))(?P=g{i})" for i, chunk in enumerate(middle))
    return f"{first}{found}.*{last}\\Z"


def _fits(path: _Path, names: Sequence[str]) -> bool:
    """Whether all names match; after each ``**`` the rest is matched at its first occurrence."""
    at = place = 0
    star, resumed = -1, 0
    while place < len(names):
        wanted = path[at] if at < len(path) else None
        if at < len(path) and wanted is None:
            star, resumed = at, place
            at += 1
        elif wanted is not None and wanted.fits(names[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resumed += 1
            at, place = star + 1, resumed
        else:
            return False
    return all(wanted is None for wanted in path[at:])
