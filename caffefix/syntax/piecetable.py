"""A piece table: composes several passes of edits into one set of edits against the original.

Edits of the second pass address the text after the first. The table keeps this text as spans of the original and
inserted pieces, each with the label of what inserted it, so the edits against the original follow from it, and no
comparison of texts is needed.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate

from caffefix._startup.records import dataclass
from caffefix.syntax.lowering import TextEdit


@dataclass(frozen=True, slots=True)
class ComposedEdit:
    """Replace ``original[start:end]`` by ``new``, for the reasons in ``labels``."""

    start: int
    end: int
    new: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A span of the original (``inserted`` is None), or inserted text with its label."""

    start: int
    end: int
    inserted: str | None = None
    label: str = ""

    def __len__(self) -> int:
        return self.end - self.start if self.inserted is None else len(self.inserted)

    def cut(self, at: int) -> tuple[_Piece, _Piece]:
        if self.inserted is None:
            middle = self.start + at
            return _Piece(self.start, middle), _Piece(middle, self.end)
        return (
            _Piece(0, 0, self.inserted[:at], self.label),
            _Piece(0, 0, self.inserted[at:], self.label),
        )


class PieceTable:
    """A text under edit.

    Args:
        original: the text that the composed edits will refer to.
    """

    def __init__(self, original: str) -> None:
        self.original = original
        self._pieces = [_Piece(0, len(original))]
        self._starts: list[int] | None = None  # of the pieces, in the text as it is now

    def text(self) -> str:
        """The text as it is now."""
        original = self.original
        return "".join(original[p.start : p.end] if p.inserted is None else p.inserted for p in self._pieces)

    def apply(self, edits: Sequence[TextEdit]) -> None:
        """Apply edits that are sorted, disjoint, and address the text as it is now."""
        out: list[_Piece] = []
        rest = list(reversed(self._pieces))
        position = 0
        for edit in edits:
            self._take(rest, edit.start - position, out)
            out.append(_Piece(0, 0, edit.new, edit.label))
            gone: list[_Piece] = []
            self._take(rest, edit.end - edit.start, gone)
            # What an earlier pass inserted here was deleted, but its reason still counts.
            out.extend(_Piece(0, 0, "", p.label) for p in gone if p.label)
            position = edit.end
        self._pieces = list(_joined([*out, *reversed(rest)]))
        self._starts = None

    @staticmethod
    def _take(rest: list[_Piece], length: int, out: list[_Piece]) -> None:
        while length > 0:
            piece = rest.pop()
            if len(piece) > length:
                piece, after = piece.cut(length)
                rest.append(after)
            out.append(piece)
            length -= len(piece)

    def edits(self) -> list[ComposedEdit]:
        """The edits against the original that lead to the text as it is now."""
        found = []
        position, new, labels = 0, list[str](), list[str]()
        for piece in [*self._pieces, _Piece(len(self.original), len(self.original))]:
            if piece.inserted is not None:
                new.append(piece.inserted)
                labels.append(piece.label)
                continue
            if piece.start > position or any(new):
                found.append(ComposedEdit(position, piece.start, "".join(new), tuple(dict.fromkeys(labels))))
            position, new, labels = piece.end, [], []
        return found

    def labels(self, start: int, end: int) -> set[str]:
        """The labels of inserted text between two offsets of the text as it is now."""
        starts = self._offsets()
        found = set()
        index = max(bisect_right(starts, start) - 1, 0)
        while index < len(self._pieces) and starts[index] < end:
            piece = self._pieces[index]
            if piece.inserted and starts[index] + len(piece) > start:
                found.add(piece.label)
            index += 1
        return found

    def _offsets(self) -> list[int]:
        """Where the pieces begin, in the text as it is now, and where it ends."""
        if self._starts is None:
            self._starts = list(accumulate(map(len, self._pieces), initial=0))
        return self._starts

    def original_offset(self, offset: int) -> int:
        """The place in the original of an offset in the text as it is now.

        Within inserted text, this is the place of insertion.
        """
        starts = self._offsets()
        index = min(bisect_right(starts, offset), len(self._pieces)) - 1
        while index >= 0 and self._pieces[index].inserted is not None:
            index -= 1
        if index < 0:
            return 0
        piece = self._pieces[index]
        return min(piece.start + offset - starts[index], piece.end)


def _joined(pieces: list[_Piece]) -> Iterator[_Piece]:
    """Merge neighbouring spans of the original."""
    held: _Piece | None = None
    for piece in pieces:
        if piece.inserted is None and len(piece) == 0:
            continue
        if held is not None and held.inserted is None and piece.inserted is None and held.end == piece.start:
            held = _Piece(held.start, piece.end)
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held
