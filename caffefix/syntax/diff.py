"""Unified diffs directly from edits: no texts are compared, so the cost is that of the edits."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from caffefix._startup.records import dataclass
from caffefix.syntax.piecetable import ComposedEdit

CONTEXT = 3


def header(path: str) -> str:
    """The two lines that every diff begins with.

    Args:
        path: the file's name, relative, with ``/``, its bytes one character each.
    """
    return f"--- {_quoted_name('a/' + path)}\n+++ {_quoted_name('b/' + path)}\n"


@dataclass(frozen=True, slots=True)
class _Change:
    """Removed and added lines, at an offset of the original."""

    start: int
    end: int
    new: str
    labels: tuple[str, ...]


def unified(path: str, text: str, edits: Sequence[ComposedEdit], context: Callable[[int], str]) -> str:
    """The diff in the form that ``git apply`` and ``patch`` accept; empty if nothing changes.

    Args:
        path: the file's name in the headers, relative, with ``/``.
        text: the original, one character per byte.
        edits: sorted and disjoint.
        context: what to call the place of an offset in a hunk's header (``layer "conv1"``).
    """
    changes = [c for c in _line_changes(text, edits) if c.start < c.end or c.new]
    if not changes:
        return ""
    out = [header(path)]
    line, position, shift = 1, 0, 0  # number and offset of a line known so far; new minus old lines
    for hunk in _hunks(text, changes):
        start, before = hunk[0].start, 0
        while before < CONTEXT and start > 0:
            start = text.rfind("\n", 0, start - 1) + 1
            before += 1
        line += text.count("\n", position, start)
        position = start
        body: list[str] = []
        old = new = 0
        at = start
        for change in hunk:
            kept = _lines(text[at : change.start])
            gone, come = _lines(text[change.start : change.end]), _lines(change.new)
            body += [" " + x for x in kept] + ["-" + x for x in gone] + ["+" + x for x in come]
            old += len(kept) + len(gone)
            new += len(kept) + len(come)
            at = change.end
        tail = _lines(text[at : _forward(text, at, CONTEXT)])
        body += [" " + x for x in tail]
        old += len(tail)
        new += len(tail)
        labels = list(dict.fromkeys(label for change in hunk for label in change.labels))
        out.append(_header(line, old, line + shift, new, place=context(hunk[0].start), labels=labels))
        out += [x if x.endswith("\n") else x + "\n\\ No newline at end of file\n" for x in body]
        shift += new - old
    return "".join(out)


def _line_changes(text: str, edits: Sequence[ComposedEdit]) -> list[_Change]:
    """Edits widened to whole lines, those that meet on a line joined, common lines trimmed."""
    changes: list[_Change] = []
    group: list[ComposedEdit] = []
    start = end = 0
    for edit in edits:
        if not group or edit.start >= end:
            begin = text.rfind("\n", 0, edit.start) + 1
            if group and begin > end:
                changes.append(_trimmed(text, group, start, end))
                group = []
            if not group:
                start = begin
            end = max(end, _line_end(text, begin, edit))
        elif edit.end >= end:
            end = max(end, _line_end(text, start, edit))
        group.append(edit)
    if group:
        changes.append(_trimmed(text, group, start, end))
    return changes


def _line_end(text: str, start: int, edit: ComposedEdit) -> int:
    """Where the lines that an edit touches end.

    An edit that itself ends where a line ends does not touch the next line.
    """
    before_ends = edit.new.endswith("\n") if edit.new else edit.start == start
    at_line_start = edit.end == 0 or text[edit.end - 1] == "\n"
    if at_line_start and before_ends:
        return edit.end
    at = text.find("\n", edit.end)
    return len(text) if at < 0 else at + 1


def _trimmed(text: str, group: list[ComposedEdit], start: int, end: int) -> _Change:
    """The change that edits make to the lines between two offsets."""
    parts, position = [], start
    for edit in group:
        parts += [text[position : edit.start], edit.new]
        position = edit.end
    parts.append(text[position:end])
    old, new = _lines(text[start:end]), _lines("".join(parts))
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    start += sum(map(len, old[:head]))
    end -= sum(map(len, old[len(old) - tail :]))
    labels = tuple(dict.fromkeys(label for edit in group for label in edit.labels if label))
    return _Change(start, end, "".join(new[head : len(new) - tail]), labels)


def _hunks(text: str, changes: list[_Change]) -> list[list[_Change]]:
    """Changes whose context would overlap go into one hunk."""
    hunks = [[changes[0]]]
    for change in changes[1:]:
        if _forward(text, hunks[-1][-1].end, 2 * CONTEXT) >= change.start:
            hunks[-1].append(change)
        else:
            hunks.append([change])
    return hunks


def _forward(text: str, offset: int, lines: int) -> int:
    """The offset some lines further on."""
    for _ in range(lines):
        at = text.find("\n", offset)
        if at < 0:
            return len(text)
        offset = at + 1
    return offset


def _lines(text: str) -> list[str]:
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def _header(old_line: int, old: int, new_line: int, new: int, place: str, labels: list[str]) -> str:
    why = f" [{labels[0]}{f' +{len(labels) - 1}' if len(labels) > 1 else ''}]" if labels else ""
    title = f"{' ' if place else ''}{place}{why}"
    # An empty side is numbered by the line before it, as diff and git do.
    return f"@@ -{old_line - (not old)},{old} +{new_line - (not new)},{new} @@{title}\n"


_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def _quoted_name(name: str) -> str:
    """A name as git writes it: quoted if it has unusual characters, followed by a tab if it has blanks."""
    if any(c in _ESCAPES or c < " " or c == "\x7f" for c in name):
        return '"' + "".join(_ESCAPES.get(c, c if c >= " " else f"\\{ord(c):03o}") for c in name) + '"'
    return name + "\t" if " " in name else name
