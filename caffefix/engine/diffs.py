"""The diffs of a repair: names of edits and hunks, and what the unsafe fixes that were left out would change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from caffefix._startup.records import replace
from caffefix.engine.compatible import compatible, distinct
from caffefix.findings import Applicability, Finding, Severity
from caffefix.syntax.piecetable import ComposedEdit, PieceTable
from caffefix.syntax.scalars import is_string
from caffefix.syntax.tree import Document

# Separates a finding's name from the number of its fix in the label of an edit.
NUMBER = "#"
# Maximum number of diffs of unapplied unsafe fixes; more than one is needed only where fixes overlap.
_PREVIEWS = 4


def unsafe_diffs(document: Document, left: Iterable[Finding], path: str) -> Iterator[bytes]:
    """What the unsafe fixes that were left out would change, except those of notes.

    One diff contains all that do not overlap: a diff for each would repeat a line as often as there are
    fixes in it. Those that overlap are in a further diff or, after a few of these, only in the messages.
    """
    told = [f for f in left if f.severity is not Severity.INFO]
    names = {id(f.fix): f.name for f in told}
    fixes = [fix for fix in distinct(f.fix for f in told) if fix.applicability is Applicability.UNSAFE]
    for _ in range(_PREVIEWS):
        if not fixes:
            return
        from caffefix.syntax.diff import unified

        labels = [f"{names[id(fix)]}{NUMBER}{index}" for index, fix in enumerate(fixes)]
        chosen, text_edits = compatible(document, fixes, labels)
        table = PieceTable(document.text)
        table.apply(text_edits)
        title = Titles(document)
        edits = named(table.edits())
        diff = unified(in_diffs(path), document.text, edits, title)
        if diff:
            yield diff.encode("latin-1")
        fixes = [fix for label, fix in zip(labels, fixes, strict=True) if label not in chosen]


def named(edits: Iterable[ComposedEdit]) -> list[ComposedEdit]:
    """The edits with only the names of findings as labels."""
    return [
        replace(edit, labels=tuple(dict.fromkeys(label.partition(NUMBER)[0] for label in edit.labels)))
        for edit in edits
    ]


def in_diffs(path: str) -> str:
    """A path as it is written in a diff: one character per byte."""
    return path.encode("utf-8", "surrogateescape").decode("latin-1")


class Titles:
    """What to call an offset in a hunk's header: ``layer "conv1"``."""

    def __init__(self, document: Document) -> None:
        self._root = document.root
        self._children = list(document.root.children())

    def __call__(self, offset: int) -> str:
        """Name of the top-level message at an offset, with its ``name:`` if it has one."""
        low, high = 0, len(self._children)
        while low < high:
            middle = (low + high) // 2
            if self._children[middle].end <= offset:
                low = middle + 1
            else:
                high = middle
        if low == len(self._children) or not self._children[low].is_message:
            return ""
        node = self._children[low]
        name = node.scalar("name")
        return f"{node.name} {name}" if name is not None and is_string(name) and "\n" not in name else node.name
