"""Which fixes can be made at once: each whole or not at all, and no two in one place."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence

from caffefix.engine.places import Places
from caffefix.findings import Fix
from caffefix.syntax.lowering import TextEdit, lower
from caffefix.syntax.tree import Document


def distinct(fixes: Iterable[Fix | None]) -> list[Fix]:
    """Each fix once, by identity: findings may share one."""
    return list({id(fix): fix for fix in fixes if fix is not None}.values())


def compatible(
    document: Document, fixes: Sequence[Fix], labels: Sequence[str], rewritten: Places | None = None
) -> tuple[dict[str, Fix], list[TextEdit]]:
    """The first fixes that do not overlap, each complete, and their text edits; the others wait."""
    chosen: dict[str, Fix] = {}
    taken: list[TextEdit] = []
    for label, fix in zip(labels, fixes, strict=True):
        edits = lower(document, fix.edits, label)
        if rewritten is not None and not rewritten.take(fix, edits):
            continue
        if not any(_overlaps(taken, edit) for edit in edits):
            chosen[label] = fix
            for edit in edits:
                insort(taken, edit, key=_place)
    return chosen, taken


def _place(edit: TextEdit) -> tuple[int, int]:
    return edit.start, edit.end


def _overlaps(taken: list[TextEdit], edit: TextEdit) -> bool:
    """Whether an edit overlaps one of the sorted, disjoint edits in more than a point."""
    index = bisect_left(taken, _place(edit), key=_place)
    return (index > 0 and taken[index - 1].end > edit.start) or (
        index < len(taken) and edit.end > taken[index].start
    )
