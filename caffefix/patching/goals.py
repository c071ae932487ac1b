"""What must be found for a patch to match: the items of the side with the ``-`` lines, one after the other.

A goal's message is always found before the goal, literals before variables, and ``...`` last, when
everything else has its field.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.patching.pattern import LAYER, Item, Literal, Message, Rest, Scalar, Template

ROOT = -1


@dataclass(frozen=True, slots=True)
class Goal:
    """An item to be found.

    Attributes:
        item: a scalar or a message; None for the remaining fields of a message when all its items are found.
        parent: offset of the message that it is in; ``ROOT`` for the net or solver.
        earlier, later: offsets of items of the same name before and after it: their order matters.
        rest: the ``...`` or ``$$$`` that matches the remaining fields; None if no fields may remain.
        optional: whether an absent field matches, if it has that default.
    """

    item: Scalar | Message | None
    parent: int
    earlier: tuple[int, ...] = ()
    later: tuple[int, ...] = ()
    rest: Rest | None = None
    optional: bool = False


def goals(items: Sequence[Item], replaced: frozenset[int]) -> tuple[Goal, ...]:
    """The goals of a side.

    Args:
        items: its items.
        replaced: offsets of scalars on ``-`` lines that a ``+`` line replaces.
    """
    found: list[Goal] = []
    stack: list[tuple[Goal | None, Message | None]] = [(None, m) for m in (_root(items),)]
    while stack:
        goal, message = stack.pop()
        if goal is not None:
            found.append(goal)
        if message is not None:
            parent = ROOT if goal is None else message.offset
            inner = list(_inner(message.items, parent, replaced))
            if parent != ROOT:
                inner.append((Goal(None, parent, rest=message.rest), None))
            stack.extend(reversed(inner))
    return tuple(found)


def _root(items: Sequence[Item]) -> Message:
    return Message(name="", variable="", items=tuple(items), offset=ROOT, sign=" ", close=ROOT, close_sign=" ")


def _inner(items: Sequence[Item], parent: int, replaced: frozenset[int]) -> Iterator[tuple[Goal, Message | None]]:
    for item in sorted(items, key=_cost):
        if isinstance(item, Rest):
            continue
        alike = [other for other in items if not isinstance(other, Rest) and other.name == item.name]
        at = alike.index(item)
        earlier, later = (tuple(o.offset for o in part) for part in (alike[:at], alike[at + 1 :]))
        optional = isinstance(item, Scalar) and (item.sign == " " or item.offset in replaced)
        yield (
            Goal(item=item, parent=parent, earlier=earlier, later=later, rest=None, optional=optional),
            item if isinstance(item, Message) else None,
        )


def _cost(item: Item) -> int:
    """Cheap and selective goals first; layers stay in the patch's order."""
    if isinstance(item, Message):
        return 3
    if isinstance(item, Scalar):
        return 0 if isinstance(item.value, Literal) else 1 if isinstance(item.value, Template) else 2
    return 4


def layer_types(message: Message) -> tuple[str, ...]:
    """The literal types of a layer's pattern, as written."""
    return tuple(
        item.value.text
        for item in message.items
        if isinstance(item, Scalar) and item.name == "type" and isinstance(item.value, Literal)
    )


def is_layer(item: Item) -> bool:
    """Whether an item at the top of the body is a layer."""
    return isinstance(item, Message) and item.name == LAYER
