"""Green layer: the pieces a file consists of, without positions.

A piece is a stretch of text with its trivia (the blanks, comment and line end that stand
around it on its line). Pieces know no position and are never changed once parsed, so the
line memo shares them between lines and between files. Concatenated, they are the file.

They are plain slotted objects rather than frozen dataclasses, which cost three times as
much to make, and parsing is mostly making these.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import count

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
    """What opens or closes a message or a list: ``layer {``, ``},``, ``dim: [``."""

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


class Block:
    """A message or a list: an opening bracket, items, a closing bracket.

    ``kind`` is the opening character: ``{`` and ``<`` hold fields, ``[`` holds elements
    (fields, or blocks of kind ``{`` or ``<``) that bear the list's name.
    """

    __slots__ = ("_gist", "_places", "_whole", "close", "items", "kind", "name", "open", "size")
    type = "BLOCK"

    def __init__(self, open: Bracket, items: list[Green], close: Bracket, kind: str = "{") -> None:
        self.open = open
        self.items = items
        self.close = close
        self.kind = kind
        self.name = open.name
        self.size = -1  # length of the text, filled in by measure()
        self._places: dict[str, list[int]] | None = None
        self._gist = self._whole = 0  # gist() and _whole() remember here

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
    """A block and all that are in it, in no order."""
    stack = [block]
    while stack:
        block = stack.pop()
        yield block
        stack += [item for item in block.items if isinstance(item, Block)]


_gists: dict[tuple[object, ...], int] = {}
_GISTS = 1 << 13  # forgotten beyond this many


def gist(block: Block) -> int:
    """A number that messages share if they are alike but for what their own strings and comment lines say.

    They have the same fields in the same places, the same pieces for those that are no strings, and in their
    messages the same strings, too. What holds for all messages of a gist need be worked out once: thousands
    of layers differ in names alone.
    """
    if not block._gist:
        parts: list[object] = [block.kind, block.name]
        for item in block.items:
            if isinstance(item, Field):
                parts.append(item.name if item.value[0] in "\"'" else item)
            else:
                parts.append(_whole(item) if isinstance(item, Block) else None)
        block._gist = _numbered(tuple(parts))
    return block._gist


def _whole(block: Block) -> int:
    """A number that messages share if they are alike but for comment lines."""
    if block._whole:
        return block._whole
    stack = [_begun(block)]
    while stack:
        top, rest, parts = stack[-1]
        for item in rest:
            if isinstance(item, Block):
                if not item._whole:
                    stack.append(_begun(item))
                    break
                parts.append(item._whole)
            else:
                parts.append(item if isinstance(item, Field) else None)
        else:
            stack.pop()
            top._whole = _numbered(tuple(parts))
            if stack:
                stack[-1][2].append(top._whole)
    return block._whole


def field_names(block: Block) -> frozenset[str]:
    """Names of all fields in a message, and in the messages in it."""
    key = gist(block)
    found = _names.get(key)
    if found is None:
        if len(_names) >= _GISTS:
            _names.clear()
        found = _names[key] = frozenset().union(*(inner.places() for inner in blocks(block))) - {Trivia.name}
    return found


_names: dict[int, frozenset[str]] = {}


def _begun(block: Block) -> tuple[Block, Iterator[Green], list[object]]:
    return block, iter(block.items), [block.kind, block.name]


_fresh = count(1)  # a number is never given twice


def _numbered(parts: tuple[object, ...]) -> int:
    number = _gists.get(parts)
    if number is None:
        if len(_gists) >= _GISTS:
            _gists.clear()
        number = _gists[parts] = next(_fresh)
    return number


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
