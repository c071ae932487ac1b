"""Green layer: the pieces a file consists of, without positions.

A piece is a stretch of text with its trivia (the blanks, comment and line end around it on its line). Pieces know
no position and are never changed once parsed, so the line memo shares them between lines and between files.
Concatenated, they are the file.

They are plain slotted objects rather than frozen dataclasses, which take three times as long to create, and
parsing mostly creates these.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from caffefix._startup.patterns import pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


class Trivia:
    """A blank line or a whole-line comment: ``# the stem``."""

    __slots__ = ("text",)
    type = "TRIVIA"
    name = "#"  # no field has this name

    def __init__(self, text: str) -> None:
        self.text = text


class Field:
    """One scalar field with its trivia: ``  stride: 2  # halves the map``.

    Attributes:
        text: the whole piece.
        name: the field's name; in a list element, the list's name.
        value: the value as written (``"a" "b"``, ``- 1``, ``MAX``).
        at: offset of the value in ``text``.
    """

    __slots__ = ("at", "name", "text", "value")
    type = "FIELD"

    def __init__(self, text: str, name: str, value: str, at: int) -> None:
        self.text = text
        self.name = name
        self.value = value
        self.at = at


class Bracket:
    """The opening or closing of a message or a list: ``layer {``, ``},``, ``dim: [``."""

    __slots__ = ("name", "text", "type")

    def __init__(self, type: str, text: str, name: str = "") -> None:
        self.type = type
        self.text = text
        self.name = name


_FEW = 64


def _places(names: tuple[str, ...]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for index, name in enumerate(names):
        if name in found:
            found[name].append(index)
        else:
            found[name] = [index]
    return found


# Thousands of layers have the same fields in the same order: they share one table.
_shared_places = lru_cache(1 << 12)(_places)


_COLON = pattern(r"[^:#{\[<]*(?:#[^\n]*\n[^:#{\[<]*)*:")


class Block:
    """A message or a list: an opening bracket, items, a closing bracket.

    ``kind`` is the opening character: ``{`` and ``<`` hold fields, ``[`` holds elements
    (fields, or blocks of kind ``{`` or ``<``) that bear the list's name.
    """

    __slots__ = ("_places", "close", "items", "kind", "name", "open", "shape_key", "size", "whole")
    type = "BLOCK"

    def __init__(self, open: Bracket, items: list[Green], close: Bracket, kind: str = "{") -> None:
        self.open = open
        self.items = items
        self.close = close
        self.kind = kind
        self.name = open.name
        self.size = -1  # length of the text, filled in by measure()
        self._places: dict[str, list[int]] | None = None
        self.shape_key = self.whole = 0  # filled in by shape_key()

    @property
    def has_colon(self) -> bool:
        """Whether there is a colon between the name and the bracket."""
        return _COLON.match(self.open.text) is not None

    def places(self) -> dict[str, list[int]]:
        """The indices of its items by their names, trivia under ``Trivia.name``."""
        found = self._places
        if found is None:
            names = tuple([item.name for item in self.items])
            found = self._places = _places(names) if len(names) > _FEW else _shared_places(names)
        return found


Green: TypeAlias = "Trivia | Field | Block"
Piece: TypeAlias = "Trivia | Field | Bracket"


def pieces(block: Block) -> Iterator[Piece]:
    """All pieces of a block in file order."""
    for item, _, entering in walk(block):
        if isinstance(item, Block):
            yield item.open if entering else item.close
        else:
            yield item


def walk(block: Block) -> Iterator[tuple[Green, int, bool]]:
    """Events (item, depth, entering) in file order; a block comes twice, a leaf once.

    Nesting is walked with a stack, so depth is bounded by memory, not by Python's stack.
    """
    yield block, 0, True
    stack = [(block, iter(block.items))]
    while stack:
        parent, rest = stack[-1]
        for item in rest:
            yield item, len(stack), True
            if isinstance(item, Block):
                stack.append((item, iter(item.items)))
                break
        else:
            stack.pop()
            yield parent, len(stack), False


def blocks(block: Block) -> Iterator[Block]:
    """A block and all blocks in it, in no particular order."""
    stack = [block]
    while stack:
        block = stack.pop()
        yield block
        stack += [item for item in block.items if isinstance(item, Block)]


def measure(block: Block) -> int:
    """Length of a block's text; remembered in each block it contains."""
    if block.size < 0:
        for item, _, entering in walk(block):
            if isinstance(item, Block) and not entering and item.size < 0:
                inner = sum(i.size if isinstance(i, Block) else len(i.text) for i in item.items)
                item.size = len(item.open.text) + inner + len(item.close.text)
    return block.size


def printed(block: Block) -> str:
    """A block's text; its length is remembered, for ``measure``."""
    parts: list[str] = [block.open.text]
    stack = [(block, iter(block.items))]
    while stack:
        top, rest = stack[-1]
        for item in rest:
            if isinstance(item, Block):
                parts.append(item.open.text)
                stack.append((item, iter(item.items)))
                break
            parts.append(item.text)
        else:
            stack.pop()
            parts.append(top.close.text)
    text = "".join(parts)
    block.size = len(text)
    return text
