"""Red layer: nodes with identity and position over the green pieces, created on demand.

A ``Node`` is a field of the file: a scalar, a message or a list. It knows its parent and its
index there; its offset is computed on demand. Queries about many fields use the green layer (``scalar``, ``has``)
and create no nodes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate

from caffefix.syntax.green import Block, Bracket, Field, Green, Trivia, measure, printed
from caffefix.syntax.scalars import string_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Document:
    """A parsed file.

    Attributes:
        text: the file, one character per byte (Latin-1).
        root: a message without brackets that holds the top-level fields.
    """

    __slots__ = ("memory", "root", "styles", "text", "unit_and_shapes")

    def __init__(self, text: str, items: list[Green]) -> None:
        self.text = text
        self.unit_and_shapes: tuple[str, dict[str, bool]] | None = None  # style.habits remembers here,
        self.styles: dict[int, Any] = {}  # and style.style_in there, by the id of the message's node
        self.memory: dict[str, Any] = {}  # what higher layers have found out about the whole file
        self.root = Node(None, 0, Block(Bracket("OPEN", ""), items, Bracket("CLOSE", "")))

    def print(self) -> str:
        """The text of the tree; equals ``text`` byte for byte."""
        parts = []
        for item in self.root.block.items:
            text = printed(item) if isinstance(item, Block) else item.text
            parts.append(text)
        return "".join(parts)


class Node:
    """A field of a document, with its place.

    Attributes:
        parent: the message or list that holds it; None for the root.
        index: its position among the parent's items (trivia count).
        green: the piece or block it stands for.
    """

    __slots__ = ("_nodes", "_starts", "green", "index", "parent")

    def __init__(self, parent: Node | None, index: int, green: Field | Block) -> None:
        self.parent = parent
        self.index = index
        self.green = green
        self._nodes: list[Node | None] | None = None
        self._starts: list[int] | None = None

    def __repr__(self) -> str:
        return f"<Node {self.name} at {self.offset}>"

    # ---- what it is

    @property
    def name(self) -> str:
        return self.green.name

    @property
    def is_message(self) -> bool:
        return isinstance(self.green, Block) and self.green.kind != "["

    @property
    def is_list(self) -> bool:
        return isinstance(self.green, Block) and self.green.kind == "["

    @property
    def in_list(self) -> bool:
        """Whether it is an element of a ``[…]`` list."""
        return self.parent is not None and self.parent.is_list

    @property
    def value(self) -> str:
        """A scalar's value as written; empty for messages and lists."""
        return self.green.value if isinstance(self.green, Field) else ""

    @property
    def block(self) -> Block:
        """The green block of a message or list."""
        assert isinstance(self.green, Block), self.green
        return self.green

    # ---- where it is

    @property
    def offset(self) -> int:
        """Offset of the first character of its piece, leading blanks included."""
        chain = []
        node: Node | None = self
        while node is not None and node.parent is not None:
            chain.append(node)
            node = node.parent
        # From the outside: measuring a message measures everything in it.
        return sum(child.parent._item_starts()[child.index] for child in reversed(chain) if child.parent)

    @property
    def end(self) -> int:
        """Offset after its last character, including trailing comment and line end."""
        return self.offset + self.size

    @property
    def size(self) -> int:
        return measure(self.green) if isinstance(self.green, Block) else len(self.green.text)

    @property
    def start(self) -> int:
        """Offset of its first character that is not blank: the name, or a list element's value."""
        text = self.green.text if isinstance(self.green, Field) else self.green.open.text
        return self.offset + len(text) - len(text.lstrip(" \t\r\f\v\n"))

    @property
    def stop(self) -> int:
        """Offset after its last character that is neither trivia nor separator."""
        if isinstance(self.green, Field):
            return self.offset + self.green.at + len(self.green.value)
        if self.parent is None:
            return self.end
        close = self.green.close.text
        return self.end - len(close) + close.index({"{": "}", "<": ">", "[": "]"}[self.green.kind]) + 1

    def item_offset(self, index: int) -> int:
        """Offset of the item at that index, including trivia; ``len(items)`` is where it closes."""
        return self.offset + self._item_starts()[index]

    def _item_starts(self) -> list[int]:
        if self._starts is None:
            block = self.block
            sizes = (measure(i) if isinstance(i, Block) else len(i.text) for i in block.items)
            self._starts = list(accumulate(sizes, initial=len(block.open.text)))
        return self._starts

    # ---- what it holds

    def child(self, index: int) -> Node:
        """The node of the item at that index; always the same one."""
        if self._nodes is None:
            self._nodes = [None] * len(self.block.items)
        node = self._nodes[index]
        if node is None:
            green = self.block.items[index]
            assert not isinstance(green, Trivia), "trivia has no node"
            node = self._nodes[index] = Node(self, index, green)
        return node

    def children(self) -> Iterator[Node]:
        """Fields in file order; a list is one child."""
        if isinstance(self.green, Block):
            for index, item in enumerate(self.green.items):
                if item.type != "TRIVIA":
                    yield self.child(index)

    def fields(self, name: str) -> Iterator[Node]:
        """Fields of that name, list elements one by one, as protobuf sees them."""
        if isinstance(self.green, Block):
            for index in self.green.places().get(name, ()):
                node = self.child(index)
                if node.is_list:
                    yield from node.children()
                else:
                    yield node

    def field(self, name: str) -> Node | None:
        """The first field of that name."""
        return next(self.fields(name), None)

    def has(self, name: str) -> bool:
        return name in self.block.places()

    def names(self) -> set[str]:
        """Names of its fields."""
        return self.block.places().keys() - {Trivia.name}

    def scalars(self, name: str) -> list[str]:
        """Values, as written, of the scalars of that name."""
        found: list[str] = []
        block = self.green
        if not isinstance(block, Block) or name not in (places := block.places()):
            return found
        for index in places[name]:
            item = block.items[index]
            if isinstance(item, Field):
                found.append(item.value)
            elif isinstance(item, Block) and item.kind == "[":
                found.extend(e.value for e in item.items if isinstance(e, Field))
        return found

    def scalar(self, name: str) -> str | None:
        """Value, as written, of the first scalar of that name."""
        block = self.green
        if isinstance(block, Block):
            for index in block.places().get(name, ()):
                item = block.items[index]
                if isinstance(item, Field):
                    return item.value
                if isinstance(item, Block) and item.kind == "[":
                    for element in item.items:
                        if isinstance(element, Field):
                            return element.value
        return None

    def string(self, name: str) -> str | None:
        """Value of the first scalar of that name, unquoted if it is a string."""
        value = self.scalar(name)
        return None if value is None else string_value(value)

    def strings(self, name: str) -> list[str]:
        return [string_value(value) for value in self.scalars(name)]

    def message(self, *path: str) -> Node | None:
        """The message at a path of names, the first of each name."""
        node: Node | None = self
        for name in path:
            node = node._message(name) if node is not None else None
        return node

    def _message(self, name: str) -> Node | None:
        block = self.green
        if isinstance(block, Block):
            for index in block.places().get(name, ()):
                child = self.child(index)
                if child.is_message:
                    return child
                if child.is_list:
                    for element in child.children():
                        if element.is_message:
                            return element
        return None

    def ancestors(self) -> Iterator[Node]:
        """Its parents, nearest first, the root excluded."""
        node = self.parent
        while node is not None and node.parent is not None:
            yield node
            node = node.parent


def descend(node: Node) -> Iterator[Node]:
    """The node's descendants in file order, without recursion."""
    stack = [node.children()]
    while stack:
        for child in stack[-1]:
            yield child
            stack.append(child.children())
            break
        else:
            stack.pop()
