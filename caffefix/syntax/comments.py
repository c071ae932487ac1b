"""Which comment belongs to which field: one query, in one place.

A comment on the line of a field belongs to that field (to the last one that ends there). A
whole-line comment belongs to the field after it, unless a blank line separates them; then, and at
the end of a message, it belongs to the message around it. A whole-line comment that is a directive about the file
(``# caffefix: ignore-file``) separates like a blank line, and belongs to the file: it must not move with the field
that happens to follow.
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.patterns import pattern
from caffefix._startup.records import dataclass
from caffefix.syntax.green import Block, Field, Green, pieces, walk
from caffefix.syntax.tree import Document, Node

_COMMENT = pattern(r"""#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""")
_BLANKS = " \t\r\f\v\n"
_OF_FILE = pattern(r"#[ \t]*caffefix:[ \t]*ignore-file\b")
_OF_FIELD = pattern(r"#[ \t]*caffefix(?::[ \t]*|[ \t]+)ignore[ \t]*\[")


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment and its place.

    Attributes:
        text: from ``#`` to the end of the line, without trailing blanks.
        start: offset of the ``#``.
        owner: the field it belongs to; the root if none.
        whole_line: whether it is alone on its line.
    """

    text: str
    start: int
    owner: Node
    whole_line: bool

    @property
    def end(self) -> int:
        """Offset after its last character."""
        return self.start + len(self.text)


def is_comment(item: Green) -> bool:
    """Whether an item is a whole-line comment."""
    return item.type == "TRIVIA" and "#" in item.text  # type: ignore[union-attr]


def is_of_file(text: str) -> bool:
    """Whether a whole-line comment is a directive about the file."""
    return _OF_FILE.search(text) is not None


def is_of_field(text: str) -> bool:
    """Whether a comment suppresses findings for its owner, with no words before the directive."""
    return _OF_FIELD.match(text) is not None


def in_text(text: str) -> list[str]:
    """Comments in the text of pieces, without line ends and the blanks before them."""
    return [comment for comment, _ in _in_text(text)]


def _in_text(text: str) -> list[tuple[str, int]]:
    if "#" not in text:
        return []
    return [(m.group().rstrip(_BLANKS), m.start()) for m in _COMMENT.finditer(text) if m.group()[0] == "#"]


def owned(document: Document) -> Iterator[Comment]:
    """Each comment of a document with its owner, in file order within each message."""
    if "#" not in document.text:
        return
    root = document.root
    path = [root]
    pending: list[list[tuple[str, int]]] = [[]]  # whole-line comments whose owner comes later
    counters = [-1]
    at = 0  # offset of the piece

    def beside(text: str, node: Node) -> Iterator[Comment]:
        for comment, start in pending[-1]:
            yield Comment(comment, start, node, True)
        pending[-1].clear()
        for comment, start in _in_text(text):
            yield Comment(comment, at + start, node, False)

    for item, _, entering in walk(root.block):
        if item is root.block:
            continue
        if isinstance(item, Block) and not entering:
            node = path.pop()
            counters.pop()
            yield from beside(item.close.text, node)
            pending.pop()
            at += len(item.close.text)
            continue
        counters[-1] += 1
        text = item.open.text if isinstance(item, Block) else item.text
        if isinstance(item, Field | Block):
            node = path[-1].child(counters[-1])
            yield from beside(text, node)
            if isinstance(item, Block):
                path.append(node)
                pending.append([])
                counters.append(-1)
        elif is_comment(item):
            pending[-1].append((text.strip(_BLANKS), at + text.index("#")))
            if is_of_file(text):
                yield from beside("", root)
        else:
            yield from beside("", path[-1])
        at += len(text)
    yield from beside("", root)


def of(node: Node) -> list[str]:
    """The comments that belong to a node, those inside a message not counted."""
    assert node.parent is not None
    items = node.parent.block.items
    texts = [items[i].text.strip(_BLANKS) for i in range(first_owned(node), node.index)]  # type: ignore[union-attr]
    green = node.green
    return texts + (
        in_text(green.text) if isinstance(green, Field) else in_text(green.open.text) + in_text(green.close.text)
    )


def inside(node: Node) -> list[str]:
    """The comments in a node's own text, from its name to the end of its last line."""
    green = node.green
    parts = pieces(green) if isinstance(green, Block) else iter((green,))
    return [text for piece in parts for text in in_text(piece.text)]


def first_owned(node: Node) -> int:
    """Index, in the parent, of the first whole-line comment that belongs to the node, or the node's own index."""
    assert node.parent is not None
    items = node.parent.block.items
    index = node.index
    while index > 0 and is_comment(items[index - 1]) and not is_of_file(items[index - 1].text):  # type: ignore[union-attr]
        index -= 1
    return index
