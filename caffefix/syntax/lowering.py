"""Lowering: from edits on nodes to disjoint spans of text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from caffefix._startup.patterns import pattern
from caffefix._startup.records import dataclass
from caffefix.syntax import comments
from caffefix.syntax.edits import (
    After,
    Before,
    Delete,
    Edit,
    EditError,
    First,
    Insert,
    Kept,
    Last,
    New,
    NewField,
    NewMessage,
    Place,
    Remark,
    Rename,
    Replace,
    Respell,
    Reword,
    Unwrap,
    kept,
)
from caffefix.syntax.green import Field
from caffefix.syntax.scalars import quoted
from caffefix.syntax.style import (
    Style,
    begins_line,
    habits,
    indent_at,
    newline_at,
    style_in,
)
from caffefix.syntax.tree import Document, Node


@dataclass(frozen=True, slots=True)
class TextEdit:
    """Replace ``text[start:end]`` by ``new``; ``label`` says why (a finding's name)."""

    start: int
    end: int
    new: str
    label: str = ""


def apply(text: str, edits: Sequence[TextEdit]) -> str:
    """The text with sorted, disjoint edits applied. The only place where text is spliced."""
    parts = []
    position = 0
    for edit in edits:
        if edit.start < position:
            raise EditError(f"edits overlap at offset {edit.start}")
        parts.append(text[position : edit.start])
        parts.append(edit.new)
        position = edit.end
    parts.append(text[position:])
    return "".join(parts)


def lower(document: Document, edits: Sequence[Edit], label: str = "") -> list[TextEdit]:
    """Text edits, sorted and disjoint, that make all edits at once.

    Raises:
        EditError: the edits contradict each other or do not fit their nodes.
    """
    lowering = _Lowering(document)
    moving: list[Edit] = []
    for edit in edits:
        if any(True for _ in kept(edit)):
            moving.append(edit)
        else:
            lowering.simple(edit)
    # A moved field takes the edits inside it along, so the smallest go first.
    for edit in sorted(moving, key=lambda e: max(k.node.size for k in kept(e))):
        lowering.insert(edit)  # type: ignore[arg-type]
    spans = _merged(document.text, sorted(lowering.spans(), key=lambda s: (s[0], s[1])))
    position = 0
    for start, end, _ in spans:
        if start < position:
            raise EditError(f"two edits meet in {_quote(document.text, start)}")
        position = end
    return [TextEdit(start, end, new, label) for start, end, new in spans]


def _quote(text: str, offset: int) -> str:
    start = text.rfind("\n", 0, offset) + 1
    return f"line {text.count(chr(10), 0, offset) + 1}: {text[start : start + 60].split(chr(10))[0].strip()!r}"


def _merged(text: str, spans: list[_Span]) -> list[_Span]:
    """Adjacent deletions as one; a deletion that leaves only the blanks of a line takes the line."""
    out: list[_Span] = []
    for span in spans:
        if out and span[2] == "" == out[-1][2] and out[-1][0] < out[-1][1] and span[0] <= out[-1][1]:
            out[-1] = (out[-1][0], max(out[-1][1], span[1]), "")
        else:
            out.append(span)
    return [_whole_line(text, span, out[i + 1 : i + 2]) for i, span in enumerate(out)]


def _whole_line(text: str, span: _Span, after: list[_Span]) -> _Span:
    start, end, new = span
    if new or start == end:
        return span
    stop = end
    while text[stop : stop + 1] in _BLANKS and stop < len(text):
        stop += 1
    if text[stop : stop + 1] != "\n" or text[end - 1] == "\n":
        return span
    if not begins_line(text, start) or (after and after[0][0] <= stop):
        return span
    return text.rfind("\n", 0, start) + 1, stop + 1, ""


_BLANKS = " \t\r\f\v"
_Span = tuple[int, int, str]
_BUCKET = 1 << 10  # characters; spans are looked up by where they start


class _Lowering:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.text = document.text
        self._buckets: defaultdict[int, list[_Span]] = defaultdict(list)

    def spans(self) -> Iterator[_Span]:
        for bucket in self._buckets.values():
            yield from bucket

    def _span(self, start: int, end: int, new: str) -> None:
        self._buckets[start // _BUCKET].append((start, end, new))

    def simple(self, edit: Edit) -> None:
        if isinstance(edit, Replace):
            self._replace(edit.node, edit.value)
        elif isinstance(edit, Rename):
            self._rename(edit.node, edit.name)
        elif isinstance(edit, Delete):
            self._delete(edit)
        elif isinstance(edit, Unwrap):
            self._unwrap(edit.node)
        elif isinstance(edit, Reword):
            self._reword(edit.comment, edit.text)
        elif isinstance(edit, Remark):
            self._remark(edit.node, edit.text)
        elif isinstance(edit, Respell):
            self._span(edit.start, edit.end, edit.text)
        else:
            self.insert(edit)

    # ---- verbs

    def _replace(self, node: Node, value: str) -> None:
        if not isinstance(node.green, Field):
            raise EditError(f"{node.name} is a message: it has no value to replace")
        start = node.offset + node.green.at
        inside = comments.in_text(node.green.value)
        if inside:  # between adjacent strings: the comments go above the field
            if not begins_line(self.text, node.start):
                raise EditError(f"the value of {node.name} has comments inside; write it as one string first")
            indent, eol = indent_at(self.text, node.start), newline_at(self.text, node.start)
            above = node.start - len(indent)
            self._span(above, above, "".join(f"{indent}{text}{eol}" for text in inside))
        self._span(start, start + len(node.green.value), value)

    def _rename(self, node: Node, name: str) -> None:
        if node.in_list:
            raise EditError(f"an element of the list {node.name} has no name of its own")
        self._span(node.start, node.start + len(node.name), name)

    def _delete(self, edit: Delete) -> None:
        node = edit.node
        if node.in_list:
            raise EditError(f"an element of the list {node.name} cannot be deleted alone")
        lead, (start, end) = _extent(self.text, node)
        left = ""
        if edit.comments:
            indent = indent_at(self.text, node.start)
            inner = comments.in_text(self.text[node.offset : node.end])
            if not edit.suppressions:
                inner = [text for text in inner if not comments.is_of_field(text)]
                self._unsuppress(node)
            if inner and start != node.offset:  # others are on the line: its comment stays after them
                if comments.in_text(self.text[node.start : node.stop]):
                    raise EditError(f"{node.name} shares its line with other fields; its comments have no place")
                end = _core_end(self.text, node)
            else:
                left = "".join(f"{indent}{text}{newline_at(self.text, node.start)}" for text in inner)
        elif lead is not None:
            self._span(lead[0], lead[1], "")
        self._span(start, end, left)

    def _unsuppress(self, node: Node) -> None:
        """Delete the suppressions on lines above a field."""
        assert node.parent is not None
        for index in range(comments.first_owned(node), node.index):
            start, end = node.parent.item_offset(index), node.parent.item_offset(index + 1)
            if comments.is_of_field(self.text[start:end].strip()):
                self._span(start, end, "")

    def _unwrap(self, node: Node) -> None:
        if not node.is_message or node.in_list:
            raise EditError(f"{node.name} is not a message that can be unwrapped")
        block = node.block
        inner, stop = node.item_offset(0), node.item_offset(len(block.items))
        outer = indent_at(self.text, node.start)
        for start, bracket in ((node.offset, block.open), (stop, block.close)):
            end = start + len(bracket.text)
            eol = newline_at(self.text, node.start)
            left = "".join(f"{outer}{c}{eol}" for c in comments.in_text(bracket.text))
            whole = begins_line(self.text, start) and bracket.text.endswith("\n")
            lead = len(bracket.text) - len(bracket.text.lstrip(" \t"))
            if whole or not left:
                newline = "" if whole or not bracket.text.endswith("\n") else eol
                self._span(start if whole else start + lead, end, left or newline)
            elif len(said := comments.in_text(bracket.text)) == 1 and bracket.text.rstrip().endswith(said[0]):
                # Others are on the line: the comment, which ends the bracket's text, stays after them.
                self._span(start + lead, start + bracket.text.index("#"), "")
            else:
                raise EditError(f"{node.name} shares its line with other fields; its comments have no place")
        children = list(node.children())
        first = next((c for c in children if begins_line(self.text, c.start)), None)
        deeper = indent_at(self.text, first.start) if first is not None else outer
        if deeper != outer and deeper.startswith(outer):
            start = inner if self.text[inner - 1 : inner] == "\n" else self.text.find("\n", inner) + 1
            while 0 < start < stop:
                if self.text.startswith(deeper, start):
                    self._span(start + len(outer), start + len(deeper), "")
                start = self.text.find("\n", start) + 1

    # ---- comments

    def _reword(self, comment: comments.Comment, new: str) -> None:
        start, end = comment.start, comment.end
        if not new:
            while start > 0 and self.text[start - 1] in _BLANKS:
                start -= 1
            if comment.whole_line:
                stop = self.text.find("\n", end)
                end = len(self.text) if stop < 0 else stop + 1
                new = newline_at(self.text, start) if self._parts(comment) else ""
        elif new.startswith(comment.text[: len(new)]):
            start, new = start + len(new), ""  # a part at the end is deleted
        self._span(start, end, new)

    def _parts(self, comment: comments.Comment) -> bool:
        """Whether a comment separates the one above it from the field below: then its line stays, blank."""
        end = self.text.rfind("\n", 0, comment.start)
        above = self.text[self.text.rfind("\n", 0, max(end, 0)) + 1 : max(end, 0)]
        return comments.is_of_file(comment.text) and above.lstrip().startswith("#")

    def _remark(self, node: Node, text: str) -> None:
        if node.parent is None:
            first = next(node.children(), None)
            if first is None:
                raise EditError("a file without fields has no place for a comment")
            start = node.item_offset(comments.first_owned(first))
            indent = ""
        elif begins_line(self.text, node.start):
            indent = indent_at(self.text, node.start)
            start = self.text.rfind("\n", 0, node.start) + 1
        else:
            raise EditError(f"{node.name} does not begin a line: a comment above it would belong to another field")
        self._span(start, start, f"{indent}{text}{newline_at(self.text, start)}")

    # ---- insertion

    def insert(self, edit: Insert) -> None:
        offset, style, inline = self._place(edit.place)
        parts = [self._render(item, style, inline) for item in edit.items]
        if not parts:
            return
        end = offset
        bare = [item.node for item in kept(edit) if item.bare]
        moved = [item.node for item in kept(edit)]
        if not inline and isinstance(edit.place, Before) and edit.place.node in bare:
            offset = end = edit.place.node.offset  # below the comments that stay
        if inline:
            new = " ".join(parts)
            if isinstance(edit.place, Before) and edit.place.node in moved:
                moved.remove(edit.place.node)  # what is around it on its line stays there
                end = _core_end(self.text, edit.place.node)
            before, after = self.text[offset - 1 : offset], self.text[end : end + 1]
            if before and before not in " \t\n":
                new = " " + new
            if after and after not in " \t\r\n":
                new += " "
        else:
            new = style.newline.join(parts) + style.newline
            if offset and self.text[offset - 1] != "\n":  # the file's last line has no end
                new = style.newline + new[: -len(style.newline)]
        for node in moved:
            self._remove(node, leave_comment=inline, bare=node in bare)
        self._span(offset, end, new)

    def _place(self, place: Place) -> tuple[int, Style, bool]:
        """Offset of a place, the style there, and whether to write on the existing line."""
        node = place.node
        if isinstance(place, First | Last):
            if node.is_list or isinstance(node.green, Field):
                raise EditError(f"{node.name} is not a message: nothing can be inserted into it")
            children = list(node.children()) if isinstance(place, Last) else []
            if children:
                return self._place(After(children[-1]))
            style = style_in(self.document, node)
            inline = node.parent is not None and not node.block.open.text.endswith("\n")
            return node.item_offset(0), style, inline
        parent = node.parent
        if parent is None or parent.is_list:
            raise EditError(f"nothing can be inserted next to {node.name or 'the root'}")
        style = style_in(self.document, parent)
        if isinstance(place, Before):
            if not begins_line(self.text, node.start):
                return node.offset, style, True
            return parent.item_offset(comments.first_owned(node)), style, False
        end = node.end
        ends_line = self.text[end - 1 : end] == "\n" or end == len(self.text)
        return end, style, not ends_line

    def _fits_one_line(self, item: NewMessage) -> bool:
        """Whether the file writes messages of that name on one line, and this one can be written the same way."""
        _, one_line = habits(self.document)
        return one_line.get(item.name, False) and all(isinstance(i, NewField) for i in item.items)

    def _remove(self, node: Node, *, leave_comment: bool, bare: bool) -> None:
        lead, (start, end) = _extent(self.text, node)
        if lead is not None and not bare:
            self._span(lead[0], lead[1], "")
        if leave_comment and comments.in_text(self.text[node.stop : node.end]):
            end = _core_end(self.text, node)
        self._span(start, end, "")

    # ---- rendering

    def _render(self, item: New, style: Style, inline: bool) -> str:
        """An item as text without a last line end; first line indented unless inline."""
        lead = "" if inline else style.indent
        if isinstance(item, NewField):
            value = quoted(item.value, style.quote) if item.string else item.value
            return f"{lead}{item.name}{style.colon}{value}"
        if isinstance(item, Kept):
            return self._kept(item, style, inline)
        if inline or self._fits_one_line(item):
            body = " ".join(["", *(self._render(i, style, True) for i in item.items), ""])
            return f"{lead}{item.name}{_one_line(style.brace)}{{{body if item.items else ''}}}"
        brace = style.newline + style.indent if style.brace == "\n" else style.brace
        lines = [f"{lead}{item.name}{brace}{{"]
        lines += [self._render(i, style.deeper(), False) for i in item.items]
        lines.append(f"{style.indent}}}")
        return style.newline.join(lines)

    def _kept(self, item: Kept, style: Style, inline: bool) -> str:
        node = item.node
        if item.name is not None:
            self._rename(node, item.name)
        parent = node.parent
        assert parent is not None
        above = range(node.index if item.bare else comments.first_owned(node), node.index)
        owned = [parent.block.items[i].text.strip(" \t\r\f\v\n") for i in above]  # type: ignore[union-attr]
        if inline:
            body = self._taken(node.start, node.stop)
            alone = begins_line(self.text, node.start) and comments.in_text(self.text[node.stop : node.end])
            if owned or alone or "\n" in body:
                raise EditError(
                    f"{_quote(self.text, node.start)}: it has a comment or several lines, and would have to share "
                    "a line with other fields; give each field there a line of its own, and run again"
                )
            return body
        body = self._taken(node.start, node.end).rstrip(" \t\r\f\v\n")
        old = indent_at(self.text, node.start)
        lines = body.split("\n")
        for index in range(1, len(lines)):
            if lines[index].startswith(old):
                lines[index] = style.indent + lines[index][len(old) :]
        lines[0] = style.indent + lines[0]
        return style.newline.join([style.indent + c for c in owned] + ["\n".join(lines)])

    def _taken(self, start: int, end: int) -> str:
        """The text of a span with the edits inside it made, which are thereby used up."""
        inside: list[TextEdit] = []
        for key in range(start // _BUCKET, end // _BUCKET + 1):
            left = []
            for span in self._buckets.get(key, ()):
                at_edge = span[0] == span[1] and span[0] in (start, end)
                if start <= span[0] and span[1] <= end and not at_edge:
                    inside.append(TextEdit(span[0] - start, span[1] - start, span[2]))
                else:
                    left.append(span)
            if key in self._buckets:
                self._buckets[key] = left
        return apply(self.text[start:end], sorted(inside, key=lambda e: (e.start, e.end)))


def _extent(text: str, node: Node) -> tuple[tuple[int, int] | None, tuple[int, int]]:
    """Spans to delete with a field: its whole-line comments, if any, and itself.

    A field that has its line to itself takes the line; one that shares it leaves the line's
    indentation and line end.
    """
    assert node.parent is not None
    begins = begins_line(text, node.start)
    ends = text[node.end - 1 : node.end] == "\n" or node.end == len(text)
    first = comments.first_owned(node)
    lead = None
    if first != node.index:
        lead = (node.parent.item_offset(first), node.offset)
    if begins and ends:
        return lead, (node.offset, node.end)
    if begins:
        return lead, (node.start, node.end)
    if ends:
        start = node.start
        while text[start - 1] in " \t":
            start -= 1
        end = node.end
        while text[end - 1] in "\r\n":
            end -= 1
        return lead, (start, end)
    return lead, (node.start, node.end)


_SEPARATOR = pattern(r"[ \t\r\f\v]*[,;]")


def _core_end(text: str, node: Node) -> int:
    """Offset after a field and its separator, before its same-line comment."""
    match = _SEPARATOR.match(text, node.stop, node.end)
    return match.end() if match else node.stop


def _one_line(brace: str) -> str:
    return " " if brace == "\n" else brace
