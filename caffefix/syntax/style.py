"""The style of a place, taken from its neighbours, so that inserted text fits in."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from functools import lru_cache
from itertools import islice

from caffefix._startup.patterns import pattern
from caffefix._startup.records import dataclass, replace
from caffefix.syntax.green import Block, Field, walk
from caffefix.syntax.scalars import is_string
from caffefix.syntax.tree import Document, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array

_BLANKS = " \t\f\v"
_LINE_END = pattern("\n")
_INDENT = pattern("[ \t\f\v]{0,1024}")


@dataclass(frozen=True, slots=True)
class Style:
    """How fields are written at a place.

    Attributes:
        indent: blanks before a field that begins a line.
        unit: the additional indent of one level.
        newline: ``\\n`` or ``\\r\\n``.
        colon: the text between name and value: ``": "``.
        brace: the text between name and ``{``: ``" "``, ``""``, ``": "`` or a line end.
        quote: ``"`` or ``'``.
    """

    indent: str = ""
    unit: str = "  "
    newline: str = "\n"
    colon: str = ": "
    brace: str = " "
    quote: str = '"'

    def deeper(self) -> Style:
        """The style one level down."""
        return replace(self, indent=self.indent + self.unit)


_NEAR = 1 << 10  # characters; most lines are shorter


@lru_cache(2)  # documents are processed one after the other; the previous one may still be needed
def _line_ends(text: str) -> array[int]:
    from array import array  # only where a line is long

    return array("Q", (match.start() for match in _LINE_END.finditer(text)))


def _line_start(text: str, offset: int) -> int:
    """Where the line of ``offset`` begins; a line that holds a whole net is not searched again for each edit."""
    near = text.rfind("\n", max(0, offset - _NEAR), offset)
    if near >= 0 or offset <= _NEAR:
        return near + 1
    ends = _line_ends(text)
    index = bisect_left(ends, offset)
    return ends[index - 1] + 1 if index else 0


def _line_end(text: str, offset: int) -> int:
    """The offset of the line's end; -1 if it has none."""
    near = text.find("\n", offset, offset + _NEAR)
    if near >= 0 or offset + _NEAR >= len(text):
        return near
    ends = _line_ends(text)
    index = bisect_left(ends, offset)
    return ends[index] if index < len(ends) else -1


def indent_at(text: str, offset: int) -> str:
    """The blanks that begin the line of ``offset``; only the first of very many, which nobody would repeat."""
    match = _INDENT.match(text, _line_start(text, offset))
    assert match is not None  # it may be empty
    return match.group()


def begins_line(text: str, offset: int) -> bool:
    """Whether there are only blanks between ``offset`` and the start of its line."""
    while offset > 0 and text[offset - 1] in _BLANKS:
        offset -= 1
    return offset == 0 or text[offset - 1] == "\n"


def style_in(document: Document, message: Node) -> Style:
    """The style of fields directly in a message (the root for top-level fields)."""
    style = document.styles.get(id(message))
    if style is None:
        style = document.styles[id(message)] = _style(document, message)
    return style


_NEAR = 64  # neighbours that are consulted


def _style(document: Document, message: Node) -> Style:
    unit, _ = habits(document)
    text = document.text
    children = list(islice(message.children(), _NEAR))
    indent = None
    for child in children:
        if begins_line(text, child.start):
            indent = indent_at(text, child.start)
            break
    if indent is None:
        indent = "" if message.parent is None else indent_at(text, message.start) + unit
    elif message.parent is not None:
        outer = indent_at(text, message.start)
        if indent.startswith(outer) and len(indent) > len(outer):
            unit = indent[len(outer) :]
    return Style(
        indent=indent,
        unit=unit,
        newline=newline_at(text, message.offset),
        colon=_colon(children),
        brace=_brace(message, children),
        quote=_quote(message),
    )


def habits(document: Document) -> tuple[str, dict[str, bool]]:
    """The file's most common step of indentation, and whether it writes messages of a name on one line.

    Both are derived from the first thousand fields, each name from its first example, and stored with the
    document.
    """
    if document.unit_and_shapes is None:
        document.unit_and_shapes = _habits(document)
    return document.unit_and_shapes


_ENOUGH = 1000


def _habits(document: Document) -> tuple[str, dict[str, bool]]:
    steps: Counter[str] = Counter()
    one_line: dict[str, bool] = {}
    indents = [""]
    events = ((i, d) for i, d, entering in walk(document.root.block) if entering and d and i.type != "TRIVIA")
    for item, depth in islice(events, _ENOUGH):
        if isinstance(item, Block) and item.items:
            one_line.setdefault(item.name, is_one_line(item))
        text = item.open.text if isinstance(item, Block) else item.text
        lead = text[: len(text) - len(text.lstrip(_BLANKS))]
        outer = indents[depth - 1] if depth <= len(indents) else ""
        if depth > 1 and len(lead) > len(outer) and lead.startswith(outer):
            steps[lead[len(outer) :]] += 1
        del indents[depth:]
        indents.append(lead)
    return steps.most_common(1)[0][0] if steps else "  ", one_line


def newline_at(text: str, offset: int) -> str:
    """The line end of the line of ``offset``, or else of the line before it."""
    near = _line_end(text, offset)
    if near < 0:
        near = _line_start(text, offset) - 1
    return "\r\n" if near > 0 and text[near - 1] == "\r" else "\n"


_HEAD = pattern(r"\s*[A-Za-z_][A-Za-z0-9_]*(?P<colon>[ \t]*:[ \t]*)")


def _colon(children: list[Node]) -> str:
    for child in children:
        if isinstance(child.green, Field) and not child.in_list:
            match = _HEAD.match(child.green.text)
            if match:
                return match["colon"]
    return ": "


_OPENING = pattern(r"\s*[A-Za-z_][A-Za-z0-9_]*(?P<brace>[ \t]*:?[ \t]*|[ \t]*:?[ \t]*\r?\n[ \t]*)\{")


def _brace(message: Node, children: list[Node]) -> str:
    """How messages open here: like the first one inside, or like the message itself."""
    for example in [*(c for c in children if c.is_message), message]:
        match = _OPENING.match(example.block.open.text)
        if match:
            brace = match["brace"]
            return "\n" if "\n" in brace else brace
    return " "


def _quote(message: Node) -> str:
    for node in (message, message.parent):
        for child in islice(node.children(), _NEAR) if node is not None else ():
            if is_string(child.value):
                return child.value[0]
    return '"'


def is_one_line(block: Block) -> bool:
    """Whether a message is on one line: ``param { lr_mult: 1 }``."""
    inner = (i.text for i in block.items if not isinstance(i, Block))
    return "\n" not in block.open.text and not any("\n" in text for text in inner)
