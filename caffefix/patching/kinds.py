"""Of which type of caffe.proto the messages of a body are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix.caffe.slots import slots
from caffefix.patching.pattern import Item, Message, Rest

NUMBERS = frozenset(("int32", "int64", "uint32", "uint64", "float", "double"))


def with_kinds(items: Sequence[Item], kind: str) -> Iterator[tuple[Item, str]]:
    """Items with the type of the message that they are in; empty where it has any name."""
    stack = [(item, kind) for item in items]
    while stack:
        item, inside = stack.pop()
        yield item, inside
        if isinstance(item, Message):
            stack += [(inner, kind_of(item, inside)) for inner in item.items]


def kind_of(message: Message, inside: str) -> str:
    """The type of a message in caffe.proto; of one of any name, the first that has such fields."""
    return next(kinds_of(message, inside), "")


def kinds_of(message: Message, inside: str) -> Iterator[str]:
    """All types that a message may have: more than one if it is one of any name."""
    return (slots(inside)[name].type for name in _names_of(message, inside) if name in slots(inside))


def name_of(message: Message, inside: str) -> str:
    """A name for a message, if it has none."""
    return next(_names_of(message, inside), "sample_param")


def _names_of(message: Message, inside: str) -> Iterator[str]:
    if message.name:
        yield message.name
        return
    wanted = {item.name for item in message.items if not isinstance(item, Rest) and item.name}
    for name, slot in slots(inside).items():
        if slot.kind == "message" and wanted <= slots(slot.type).keys():
            yield name
