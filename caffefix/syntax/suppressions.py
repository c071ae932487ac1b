"""Suppressions: comments that silence findings about a field, a message or the file.

    lr_mult: 0   # caffefix: ignore[frozen-random-layer] weights are copied from fc6
    # caffefix: ignore[missing-weight-filler, legacy-*] loaded by net surgery
    layer { … }
    # caffefix: ignore-file[legacy-v1-layers] read by a tool that knows V1 only

``ignore[…]`` covers the field that its comment belongs to (``comments.owned``) and, if that is a
message, everything in it. ``ignore-file`` goes before the first field, and without names covers everything.
The text after the bracket is the reason. A directive may follow other words in a comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from caffefix._startup.patterns import pattern
from caffefix._startup.records import dataclass
from caffefix.syntax import comments
from caffefix.syntax.comments import Comment
from caffefix.syntax.source import short
from caffefix.syntax.tree import Document, Node

# Without its colon it counts as a directive only if one follows.
_ADDRESS = pattern(r"#[ \t]*caffefix(?::|(?=[ \t]+ignore(?:-file)?[ \t]*\[))")
_DIRECTIVE = pattern(r"[ \t]*(ignore-file|ignore)(?:[ \t]*\[([^][]*)\])?(?:$|[ \t]+|(?<=\]))(.*)", re.S)
_NAME = pattern(r"[A-Za-z0-9*?!_-]+")

HOW = "write # caffefix: ignore[NAME, …] REASON"


@dataclass(frozen=True, slots=True)
class Suppression:
    """One directive.

    Attributes:
        comment: the comment it is part of.
        start: offset of its ``#`` in the document.
        text: the directive as written, up to the next one or the end of the comment.
        scope: what it covers: a field, or the root for the file; None if it covers nothing.
        names: names and globs of findings.
        reason: why; may be empty.
        trouble: why it covers nothing, and what to write instead; empty if it does.
    """

    comment: Comment
    start: int
    text: str
    scope: Node | None
    names: tuple[str, ...]
    reason: str
    trouble: str = ""

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.start + len(self.text.rstrip())

    @property
    def reach(self) -> int:
        """How much it covers: 0 nothing, 1 a field, 2 a message, 3 the file."""
        if self.scope is None:
            return 0
        return 3 if self.scope.parent is None else 1 + self.scope.is_message

    def names_matching(self, name: str) -> Iterator[str]:
        """Those of its names that mean a finding."""
        return (pattern for pattern in self.names if means(pattern, name))


def means(glob: str, name: str) -> bool:
    """Whether a name or glob (``*``, ``?``) means a finding.

    After each ``*`` the rest is matched at its first occurrence, and no earlier ``*`` is tried again: no glob
    takes longer than its length times that of the name.
    """
    if not is_glob(glob):
        return glob == name
    at = place = 0
    star, resumed = -1, 0
    while place < len(name):
        if at < len(glob) and glob[at] == "*":
            star, resumed = at, place
            at += 1
        elif at < len(glob) and glob[at] in ("?", name[place]):
            at, place = at + 1, place + 1
        elif star >= 0:
            resumed += 1
            at, place = star + 1, resumed
        else:
            return False
    return not glob[at:].strip("*")


def is_glob(name: str) -> bool:
    """Whether a name in a directive may mean several findings."""
    return "*" in name or "?" in name


class _Scope:
    """The directives that cover a field, found by the finding's name."""

    __slots__ = ("exact", "globs", "known")

    def __init__(self) -> None:
        self.exact: dict[str, list[Suppression]] = {}
        self.globs: dict[str, list[Suppression]] = {}
        self.known: dict[str, tuple[Suppression, ...]] = {}

    def add(self, suppression: Suppression) -> None:
        for name in dict.fromkeys(suppression.names):
            (self.globs if is_glob(name) else self.exact).setdefault(name, []).append(suppression)

    def silencing(self, name: str) -> tuple[Suppression, ...]:
        """The directives that silence a finding of that name, each once."""
        found = self.known.get(name)
        if found is None:
            globs = (s for glob, having in self.globs.items() if means(glob, name) for s in having)
            unique = {s.start: s for s in (*self.exact.get(name, ()), *globs)}
            found = self.known[name] = tuple(unique.values())
        return found


class Suppressions:
    """The directives of a document, in file order."""

    def __init__(self, document: Document) -> None:
        self.all: tuple[Suppression, ...] = ()
        if "caffefix" in document.text:
            head = _head(document)
            found = (s for comment in comments.owned(document) for s in _directives(comment, head))
            self.all = tuple(sorted(found, key=lambda s: s.start))
        self._scopes: dict[int, _Scope] = {}
        for suppression in self.all:
            if suppression.scope is not None:
                self._scopes.setdefault(id(suppression.scope), _Scope()).add(suppression)

    def covers(self, name: str, node: Node) -> bool:
        """Whether a directive silences a finding of a name at a node."""
        return any(scope.silencing(name) for scope in self._around(node))

    def silencing(self, findings: Iterable[tuple[str, Node]]) -> Iterator[tuple[Suppression, str]]:
        """The directives that silence one of these findings, each with those of its names that do."""
        met: set[tuple[int, str]] = set()
        for name, node in findings:
            for scope in self._around(node):
                if (id(scope), name) in met:
                    continue
                met.add((id(scope), name))
                for suppression in scope.silencing(name):
                    yield from ((suppression, pattern) for pattern in suppression.names_matching(name))

    def _around(self, node: Node) -> Iterator[_Scope]:
        """What covers a node: directives at the node, at those around it, at the file."""
        at: Node | None = node if self._scopes else None
        while at is not None:
            scope = self._scopes.get(id(at))
            if scope is not None:
                yield scope
            at = at.parent


def _head(document: Document) -> int:
    """Offset of the first field's line."""
    first = next(document.root.children(), None)
    return len(document.text) if first is None else first.offset


def _directives(comment: Comment, head: int) -> Iterator[Suppression]:
    places = [match.span() for match in _ADDRESS.finditer(comment.text)]
    ends = [*(start for start, _ in places[1:]), len(comment.text)]
    torn = "\r" in comment.text.rstrip()
    for (start, behind), end in zip(places, ends, strict=False):
        yield _directive(comment, start, comment.text[behind:end], comment.text[start:end], head=head, torn=torn)


def _directive(comment: Comment, at: int, words: str, text: str, head: int, torn: bool) -> Suppression:
    def wrong(trouble: str) -> Suppression:
        return Suppression(
            comment=comment, start=comment.start + at, text=text, scope=None, names=(), reason="", trouble=trouble
        )

    if torn:
        return wrong("its comment contains a carriage return, but to Caffe it continues to the line feed")
    match = _DIRECTIVE.match(words)
    if match is None:
        return wrong(f'"{short(text.strip())}" is not understood; {HOW}')
    verb, listed, reason = match.groups()
    names = tuple(name.strip() for name in listed.split(",")) if listed is not None else ()
    if any(not _NAME.fullmatch(name) for name in names):
        return wrong(f'the names in "{short(text.strip())}" are not understood; {HOW}')
    scope: Node | None = comment.owner
    if verb == "ignore-file":
        if comment.start >= head or not comment.whole_line:
            return wrong("ignore-file counts only before the first field of a file")
        names = names or ("*",)
        while scope is not None and scope.parent is not None:
            scope = scope.parent
    elif not names:
        return wrong(f"it names no finding; {HOW}")
    elif comment.owner.parent is None:
        return wrong("it belongs to no field; put it on the line of a field or right above, or write ignore-file")
    return Suppression(
        comment=comment, start=comment.start + at, text=text, scope=scope, names=names, reason=reason.strip()
    )


def written(names: tuple[str, ...], reason: str, *, file: bool = False) -> str:
    """A directive as text."""
    verb = "ignore-file" if file else "ignore"
    return f"# caffefix: {verb}[{', '.join(names)}] {reason}".rstrip()
