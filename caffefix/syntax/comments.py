"""Which comment belongs to which field: one query, in one place.

A comment on the line of a field belongs to that field (to the last one that ends there). A
whole-line comment belongs to the field after it, unless a blank line parts them; then, and at
the end of a message, it belongs to the message around it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from caffefix.syntax.green import Block, Field, Green, pieces, walk
from caffefix.syntax.tree import Document, Node

_COMMENT = re.compile(r"""#[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""")


def is_comment(item: Green) -> bool:
    """Whether an item is a whole-line comment."""
    return item.type == "TRIVIA" and "#" in item.text  # type: ignore[union-attr]


def in_text(text: str) -> list[str]:
    """Comments in the text of pieces, without their line ends."""
    if "#" not in text:
        return []
    return [m.group().rstrip("\r") for m in _COMMENT.finditer(text) if m.group()[0] == "#"]


def owned(document: Document) -> Iterator[tuple[str, Node]]:
    """Each comment of a document, and the field it belongs to (the root for none), in file order
    within each message."""
    if "#" not in document.text:
        return
    root = document.root
    path = [root]
    pending: list[list[str]] = [[]]
    counters = [-1]
    for item, _, entering in walk(root.block):
        if item is root.block:
            continue
        if isinstance(item, Block) and not entering:
            node = path.pop()
            counters.pop()
            for text in (*pending.pop(), *in_text(item.close.text)):
                yield text, node
            continue
        counters[-1] += 1
        if isinstance(item, Field | Block):
            node = path[-1].child(counters[-1])
            for text in (*pending[-1], *in_text(item.text if isinstance(item, Field) else item.open.text)):
                yield text, node
            pending[-1].clear()
            if isinstance(item, Block):
                path.append(node)
                pending.append([])
                counters.append(-1)
        elif is_comment(item):
            pending[-1].append(item.text.strip(" \t\r\f\v\n"))
        else:
            for text in pending[-1]:
                yield text, path[-1]
            pending[-1].clear()
    for text in pending[-1]:
        yield text, root


def of(node: Node) -> list[str]:
    """The comments that belong to a node, those inside a message not counted."""
    assert node.parent is not None
    items = node.parent.block.items
    texts = [items[i].text.strip(" \t\r\f\v\n") for i in range(first_owned(node), node.index)]  # type: ignore[union-attr]
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
    """Index, in the parent, of the first whole-line comment that belongs to the node, else its own."""
    assert node.parent is not None
    items = node.parent.block.items
    index = node.index
    while index > 0 and is_comment(items[index - 1]):
        index -= 1
    return index
