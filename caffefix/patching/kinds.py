"""The types of caffe.proto that the messages of a body have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from caffefix.caffe.schema import load
from caffefix.caffe.slots import slots
from caffefix.patching.pattern import Item, Message, Rest

NUMBERS = frozenset(("int32", "int64", "uint32", "uint64", "float", "double"))


def with_kinds(items: Sequence[Item], kind: str) -> Iterator[tuple[Item, str]]:
    """Items with the type of the message that they are in; empty if the message may have any name."""
    stack = [(item, kind) for item in items]
    while stack:
        item, inside = stack.pop()
        yield item, inside
        if isinstance(item, Message):
            stack += [(inner, kind_of(item, inside)) for inner in item.items]


def kind_of(message: Message, inside: str) -> str:
    """The type of a message in caffe.proto; for a message of any name, the first type that has such fields."""
    return slots(inside)[name].type if (name := name_of(message, inside)) in slots(inside) else ""


def kinds_of(message: Message, inside: str) -> set[str]:
    """All types that a message may have: those of all messages there, if it may have any name.

    A message of any name is one of BVLC's messages, if these have such fields: a fork's field of the same name is
    not intended.
    """
    known = slots(inside)
    if message.name:
        return {known[message.name].type} if message.name in known else set()
    wanted = {item.name for item in message.items if not isinstance(item, Rest)}
    of_bvlc = {type_ for type_ in _of_bvlc(inside) if wanted & slots(type_).keys()}
    return of_bvlc or {slot.type for slot in known.values() if slot.kind == "message"}


@cache
def _of_bvlc(inside: str) -> frozenset[str]:
    """The types of the messages that BVLC's Caffe has in a message."""
    bvlc = load().bit("bvlc")
    fields = load().messages.get(inside, {}).values()
    return frozenset(v.type for variants in fields for v in variants if v.kind == "message" and v.forks & bvlc)


def name_of(message: Message, inside: str) -> str:
    """A name for a message, if it has none."""
    if message.name:
        return message.name
    wanted = {item.name for item in message.items if not isinstance(item, Rest) and item.name}
    fits = (n for n, slot in slots(inside).items() if slot.kind == "message" and wanted <= slots(slot.type).keys())
    return next(fits, "sample_param")
