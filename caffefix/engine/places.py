"""Places of the original that were rewritten, for patches that rewrite each place once per run."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

from caffefix._startup.records import dataclass, field
from caffefix.findings import Fix
from caffefix.syntax.lowering import TextEdit
from caffefix.syntax.piecetable import PieceTable

_Span = tuple[int, int]


@dataclass(slots=True)
class Places:
    """What has been rewritten so far, as spans of the original.

    Attributes:
        table: maps a place in the current text to one in the original.
    """

    table: PieceTable
    _spans: dict[str, list[_Span]] = field(default_factory=dict)  # by finding; sorted and disjoint
    _spent: dict[int, Fix] = field(default_factory=dict)  # by identity; kept so no other fix gets the same one

    def take(self, fix: Fix, edits: Sequence[TextEdit]) -> bool:
        """Whether a fix is at places that its finding has not yet rewritten; these then count as rewritten."""
        spans = [(self.table.original_offset(e.start), self.table.original_offset(e.end)) for e in edits]
        taken = self._spans.setdefault(edits[0].label.partition("#")[0], []) if edits else []
        if any(_meets(taken, span) for span in spans):
            self._spent[id(fix)] = fix
            return False
        for span in spans:
            insort(taken, span)
        return True

    def holds(self, fix: Fix | None) -> bool:
        """Whether a fix was not applied because its places had already been rewritten."""
        return self._spent.get(id(fix)) is fix is not None


def _meets(taken: list[_Span], span: _Span) -> bool:
    index = bisect_left(taken, span)
    return any(_touch(other, span) for other in taken[max(index - 1, 0) : index + 1])


def _touch(one: _Span, other: _Span) -> bool:
    start, end = max(one[0], other[0]), min(one[1], other[1])
    return start < end or (start == end and (one[0] == one[1] or other[0] == other[1]))
