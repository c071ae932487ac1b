"""The text of a repair, fix by fix, for tools that show or apply fixes one by one.

The edits of several turns are composed before they are separated, so they refer to the original.
Fixes that share an edit, directly or through others, are one fix: applying only a part of them could leave
a brace without its partner.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from caffefix.results import Diagnostic, LineChange, Replacement, TextFix
from caffefix.syntax.piecetable import ComposedEdit
from caffefix.syntax.source import Source

# A change of more lines is too long for a review suggestion.
_MOST_LINES = 100


def text_fixes(
    source: Source,
    edits: Sequence[ComposedEdit],
    findings: Sequence[Diagnostic],
    fixed: Mapping[str, Sequence[Diagnostic]],
) -> Iterator[TextFix]:
    """The fixes of a file, in the order of the findings that they belong to.

    Args:
        source: the original.
        edits: the whole repair; their labels name the fixes that made them.
        findings: of the file.
        fixed: the findings of each label.
    """
    if not all(map(_is_text, (edit.new for edit in edits))):
        return  # reports that show fixes cannot represent text that is not UTF-8
    found = [*separate(edits, findings, fixed)]
    lines = _lines(source.text, {members[0]: mine for members, mine in found})
    for members, mine in found:
        changes = tuple(_replacement(source, edit) for edit in mine)
        at = lines.get(members[0])
        yield TextFix(members, changes, _line_change(source, *at) if at is not None else None)


def separate(
    edits: Sequence[ComposedEdit], findings: Sequence[Diagnostic], fixed: Mapping[str, Sequence[Diagnostic]]
) -> Iterator[tuple[tuple[int, ...], list[ComposedEdit]]]:
    """The fixes of a repair: indexes of the findings, in order, and the edits that belong to these alone.

    Args:
        edits: the whole repair; their labels name the fixes that made them.
        findings: of the file.
        fixed: the findings of each label.
    """
    order = {finding: index for index, finding in enumerate(findings)}
    owned = [sorted({order[d] for label in e.labels for d in fixed.get(label, ()) if d in order}) for e in edits]
    groups = _joined(owned)
    members: dict[int, list[int]] = {}
    for index in sorted(groups):
        members.setdefault(groups[index], []).append(index)
    mine: dict[int, list[ComposedEdit]] = {}
    for edit, owners in zip(edits, owned, strict=True):
        if owners:
            mine.setdefault(groups[owners[0]], []).append(edit)
    yield from ((tuple(members[first]), mine[first]) for first in sorted(mine))


def _joined(owned: Iterable[Sequence[int]]) -> dict[int, int]:
    """The first finding of each finding's group: findings that share an edit are in one group."""
    parent: dict[int, int] = {}

    def root(index: int) -> int:
        parent.setdefault(index, index)
        while parent[index] != index:
            parent[index] = index = parent[parent[index]]
        return index

    for owners in owned:
        for one, other in pairwise(owners):
            low, high = sorted((root(one), root(other)))
            parent[high] = low
        if owners:
            root(owners[0])
    return {index: root(index) for index in list(parent)}


def _replacement(source: Source, edit: ComposedEdit) -> Replacement:
    first, last = source.position(edit.start), source.position(edit.end)
    return Replacement(first.line, first.column, last.line, last.column, _decoded(edit.new))


def _lines(text: str, groups: Mapping[int, Sequence[ComposedEdit]]) -> dict[int, tuple[int, int, str]]:
    """The whole lines that groups change, as (start, end, new), where they are few and do not overlap another's.

    Where two overlap, the smaller change is kept: the other one would undo it.
    """
    spans = {index: _span(text, edits) for index, edits in groups.items()}
    kept: dict[int, tuple[int, int, str]] = {}
    for index in sorted(spans, key=lambda i: spans[i][1] - spans[i][0]):
        start, end = spans[index]
        clear = not any(start < other[1] and other[0] < end for other in kept.values())
        if start < end and clear and text.count("\n", start, end) <= _MOST_LINES:
            new = _spliced(text, groups[index], start, end)
            if new != "\n" and _is_text(new):  # a single blank line would look like no lines
                kept[index] = start, end, new
    return kept


def _span(text: str, edits: Sequence[ComposedEdit]) -> tuple[int, int]:
    """The lines that edits touch; if the edits only insert lines, the line before is included.

    A text without lines has an empty span.
    """
    start = text.rfind("\n", 0, edits[0].start) + 1
    last = edits[-1]
    end = last.end
    at_line_start = end == 0 or text[end - 1] == "\n"
    if not (at_line_start and (last.new.endswith("\n") if last.new else last.start < end)):
        end = _line_end(text, end)
    if start == end and start > 0:
        start = text.rfind("\n", 0, start - 1) + 1
    elif start == end:
        end = _line_end(text, end)
    return start, end


def _line_end(text: str, offset: int) -> int:
    at = text.find("\n", offset)
    return len(text) if at < 0 else at + 1


def _spliced(text: str, edits: Sequence[ComposedEdit], start: int, end: int) -> str:
    parts, position = [], start
    for edit in edits:
        parts += [text[position : edit.start], edit.new]
        position = edit.end
    return "".join([*parts, text[position:end]])


def _line_change(source: Source, start: int, end: int, new: str) -> LineChange:
    body = new[:-1] if new.endswith("\n") else new
    return LineChange(source.position(start).line, source.position(end - 1).line, _decoded(body))


def _is_text(new: str) -> bool:
    try:
        _decoded(new)
    except UnicodeDecodeError:
        return False
    return True


def _decoded(text: str) -> str:
    return text.encode("latin-1").decode("utf-8")
