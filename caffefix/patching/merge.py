"""The two sides of a body as one: what stays, changes, is deleted and is added.

A field on a context line is on both sides at the same offset. A message stays a message if its name or its closing
brace is context, whatever else changes: this is how a message is renamed. Fields that are context while the
message around them is not move in (``Wrap``) or out (``Unwrap``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix.patching.entries import Add, Change, Entry, Inside, Keep, Remove, Unwrap, Wrap
from caffefix.patching.errors import Mistake, PatchError
from caffefix.patching.pattern import Item, Literal, Message, Rest, Scalar, Template, Value, Variable


def merge(before: Sequence[Item], after: Sequence[Item]) -> tuple[Entry, ...]:
    """The sides of a message, or of the body, as one. Messages nest as deep as the body may.

    Raises:
        PatchError: a field moves in or out in a way that no edit can express.
    """
    flat, gone = _opened(before, after)
    entries: list[Entry] = list(map(Unwrap, gone))
    start = 0
    fresh: list[Item] = []
    for item in after:
        reach = _reach(item, flat[start:])
        if reach is None:
            fresh.append(item)
            continue
        first, last = (start + index for index in reach)
        entries += _hunk(flat[start:first], fresh)
        entries.append(_pair(item, flat[first : last + 1]))
        fresh = []
        start = last + 1
    entries += _hunk(flat[start:], fresh)
    return tuple(entries)


def _places(item: Item) -> set[int]:
    """The offsets that identify an item on the other side."""
    found = {item.offset} if item.sign == " " else set()
    if isinstance(item, Message) and item.close_sign == " ":
        found.add(item.close)
    return found


def _opened(before: Sequence[Item], after: Sequence[Item]) -> tuple[list[Item], list[Message]]:
    """The items before, with deleted messages replaced by their fields where some of these stay."""
    here = {place for item in after for place in _places(item)}
    flat: list[Item] = []
    gone: list[Message] = []
    for item in before:
        goes = isinstance(item, Message) and item.sign == item.close_sign == "-"
        if goes and isinstance(item, Message) and any(_places(inner) & here for inner in item.items):
            flat += item.items
            gone.append(item)
        else:
            flat.append(item)
    return flat, gone


def _reach(item: Item, before: Sequence[Item]) -> tuple[int, int] | None:
    """First and last index of the items that this one is, or wraps."""
    places = _places(item)
    if isinstance(item, Message) and not places:
        places = {place for inner in item.items for place in _places(inner)}
    found = [index for index, other in enumerate(before) if _places(other) & places]
    return (found[0], found[-1]) if found else None


def _pair(after: Item, before: Sequence[Item]) -> Entry:
    if not isinstance(after, Message):
        return Keep(after)
    if not _places(after):
        return Wrap(after, merge(before, after.items))
    one = before[0]
    if len(before) != 1 or not isinstance(one, Message):
        raise PatchError(after.offset, Mistake.MOVED_APART)
    return Inside(one, after, merge(one.items, after.items))


def _hunk(before: Sequence[Item], after: Sequence[Item]) -> Iterator[Entry]:
    """Lines of ``-`` and ``+`` without context between them: a field on both sides is changed."""
    for item in (*before, *after):
        if item.sign == " ":
            raise PatchError(item.offset, Mistake.MOVED_APART)
    pairs: dict[int, Item] = {}
    left = list(before)
    for fits in (_same_name, _same_content):
        for item in after:
            other = next((b for b in left if item.offset not in pairs and fits(b, item)), None)
            if other is not None:
                pairs[item.offset] = other
                left.remove(other)
    yield from map(Remove, left)
    for item in after:
        if item.offset not in pairs:
            yield Add(item)
        else:
            yield _changed(pairs[item.offset], item)


def _changed(before: Item, after: Item) -> Entry:
    if isinstance(before, Message) and isinstance(after, Message):
        return Inside(before, after, merge(before.items, after.items))
    if isinstance(before, Scalar) and isinstance(after, Scalar):
        return Change(before, after)
    return Keep(before)


def _same_name(before: Item, after: Item) -> bool:
    if isinstance(before, Rest) and isinstance(after, Rest):
        return before.variable == after.variable
    if isinstance(before, Message) and isinstance(after, Message):
        if after.variable:  # what it is bound to is written
            return after.variable == before.variable
        return bool(before.name) and before.name == after.name
    return isinstance(before, Scalar) and isinstance(after, Scalar) and before.name == after.name


def _same_content(before: Item, after: Item) -> bool:
    """Whether it is the same under another name."""
    if isinstance(before, Message) and isinstance(after, Message):
        runs = {item.variable for item in before.items if isinstance(item, Rest)}
        return any(isinstance(item, Rest) and item.variable in runs for item in after.items)
    return isinstance(before, Scalar) and isinstance(after, Scalar) and _key(before.value) == _key(after.value)


def _key(value: Value) -> object:
    """A value without its place."""
    if isinstance(value, Literal):
        return value.text
    if isinstance(value, Variable):
        return "$" + value.name
    parts = value.parts if isinstance(value, Template) else value.steps
    return tuple("$" + part.name if isinstance(part, Variable) else part for part in parts)
