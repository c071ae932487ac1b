"""What messages have in common: a number for those that differ only in their own strings and comments.

What holds for all messages of a number is computed once: thousands of layers differ only in names.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from itertools import count

from caffefix.syntax.green import Block, Field, Green, Trivia, blocks
from caffefix.syntax.memo import Memo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")

_MOST = 1 << 13  # messages of different shape
_LONG = 256  # items of a message, or characters of a field: longer ones rarely occur twice

_numbers: Memo[tuple[object, ...], int] = Memo("numbers of messages that are alike", _MOST)
_fresh = count(1)  # no number is assigned twice


def shape_key(block: Block) -> int:
    """A number that messages share if they are alike except for their own strings and comment or blank lines.

    They have the same fields in the same places, the same pieces for fields that are not strings, and in inner
    messages also the same strings.
    """
    if not block.shape_key:
        parts: list[object] = [_kind(block), block.name]
        for item in block.items:
            if isinstance(item, Field):
                parts.append(item.name if item.value[0] in "\"'" else item)
            else:
                parts.append(_whole(item) if isinstance(item, Block) else None)
        block.shape_key = _numbered(parts)
    return block.shape_key


def field_names(block: Block) -> frozenset[str]:
    """Names of all fields in a message, and in the messages in it."""
    return _names_in(shape_key(block), block)


def remembered(work: Callable[..., T]) -> Callable[..., T]:
    """A function that takes a key before its arguments, and does the work once for each key.

    The result may contain nothing that belongs to one file, neither nodes nor names: it is also returned for
    other files.
    """
    known: Memo[Hashable, T] = Memo(work.__qualname__, _MOST)

    def done(key: Hashable, *given: object) -> T:
        return known[key] if key in known else known.keep(key, work(*given))

    return done


@remembered
def _names_in(block: Block) -> frozenset[str]:
    return frozenset[str]().union(*(inner.places() for inner in blocks(block))) - {Trivia.name}


def _whole(block: Block) -> int:
    """A number that messages share if they are alike except for comment or blank lines."""
    if block.whole:
        return block.whole
    stack = [_begun(block)]
    while stack:
        top, rest, parts = stack[-1]
        for item in rest:
            if isinstance(item, Field):
                parts.append(item)
            elif not isinstance(item, Block):
                parts.append(None)
            elif item.whole:
                parts.append(item.whole)
            else:
                stack.append(_begun(item))
                break
        else:
            stack.pop()
            top.whole = _numbered(parts)
            if stack:
                stack[-1][2].append(top.whole)
    return block.whole


def _begun(block: Block) -> tuple[Block, Iterator[Green], list[object]]:
    return block, iter(block.items), [_kind(block), block.name]


def _kind(block: Block) -> str:
    """How a block opens; a colon matters only for a list of scalars."""
    return block.kind if block.kind != "[" or block.has_colon else "[bare"


def _numbered(parts: list[object]) -> int:
    key = tuple(parts)
    number = _numbers.get(key)
    if number is None:
        number = next(_fresh)
        # The line memo shares pieces that are written alike; long ones are not kept.
        if len(key) < _LONG and all(len(part.text) < _LONG for part in key if isinstance(part, Field)):
            _numbers.keep(key, number)
    return number
