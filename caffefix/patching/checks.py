"""Checks when a patch is loaded, so that it cannot go wrong in a file: each mistake has its place."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.slots import slots
from caffefix.caffe.typecheck import NET, SOLVER
from caffefix.findings import Applicability
from caffefix.patching.entries import Add, Entry, Inside, Keep, Remove, Wrap, entries_in
from caffefix.patching.errors import Mistake, PatchError
from caffefix.patching.front_matter import Front, Where
from caffefix.patching.goals import ROOT, is_layer, layer_types
from caffefix.patching.kinds import NUMBERS, with_kinds
from caffefix.patching.patch import Join, holes
from caffefix.patching.pattern import (
    LAYER,
    Body,
    Item,
    Literal,
    Message,
    Rest,
    Scalar,
    Sum,
    Template,
    Variable,
    variables,
    walk,
)
from caffefix.patching.prefilter import Prefilter
from caffefix.syntax.scalars import number_value, string_value

_SCALAR, _MESSAGE, _FIELDS = "a value", "a message", "fields"
_UNTELLING = frozenset((LAYER, "name", "type", "bottom", "top"))


@dataclass(frozen=True, slots=True)
class Use:
    """A variable where the body matches it."""

    name: str
    kind: str
    offset: int


def check_body(front: Front, body: Body, entries: Sequence[Entry]) -> None:
    """Refuse a body with a mistake.

    Raises:
        PatchError: what is wrong, and where.
    """
    _check_change(front, body, entries)
    bound = _bound(body)
    _check_before(body.before)
    _check_after(body.after, bound)
    _check_entries(entries)
    _check_front(front, body, bound)


def _check_change(front: Front, body: Body, entries: Sequence[Entry]) -> None:
    changes = any(not isinstance(e, Keep | Inside) for e in entries_in(entries))
    display = front.applicability is Applicability.DISPLAY
    if display and changes:
        raise PatchError(front.offsets["applicability"], Mistake.DISPLAY_CHANGES)
    renames = any(isinstance(e, Inside) and e.before.name != e.after.name for e in entries_in(entries))
    if not (display or changes or renames):
        raise PatchError(body.start, Mistake.NO_CHANGE)


# ---------------------------------------------------------------- variables


def _bound(body: Body) -> dict[str, str]:
    """The kind of each variable."""
    found: dict[str, Use] = {}
    for use in _uses(body.before):
        first = found.setdefault(use.name, use)
        if first.kind != use.kind:
            raise PatchError(use.offset, Mistake.BOUND_APART, name=use.name, one=use.kind, other=first.kind)
    return {name: use.kind for name, use in found.items()}


def _uses(items: tuple[Item, ...]) -> Iterator[Use]:
    for item in walk(items):
        if isinstance(item, Scalar):
            yield from (Use(v.name, _SCALAR, v.offset) for v in variables(item.value))
        elif item.variable:
            yield Use(item.variable, _MESSAGE if isinstance(item, Message) else _FIELDS, item.offset)


def _check_before(items: tuple[Item, ...]) -> None:
    for item in walk(items):
        if isinstance(item, Message):
            rests = [inner for inner in item.items if isinstance(inner, Rest)]
            if len(rests) > 1:
                raise PatchError(rests[1].offset, Mistake.TWO_RESTS)
        elif isinstance(item, Scalar):
            if isinstance(item.value, Sum):
                raise PatchError(item.offset, Mistake.CALCULATED)
            if isinstance(item.value, Template) and len(item.value.parts) > 3:
                raise PatchError(item.offset, Mistake.TEMPLATE_MATCH)


def _check_after(items: tuple[Item, ...], bound: dict[str, str]) -> None:
    for use in _uses(items):
        if use.name not in bound:
            raise PatchError(use.offset, Mistake.UNBOUND, name=use.name)
        if bound[use.name] != use.kind:
            wrong = Mistake.CALCULATES_TEXT if use.kind is _SCALAR else Mistake.BOUND_APART
            raise PatchError(use.offset, wrong, name=use.name, one=use.kind, other=bound[use.name])


# ---------------------------------------------------------------- changes


def _check_entries(entries: Sequence[Entry]) -> None:
    written = _written(entries)
    for entry in entries_in(entries):
        if isinstance(entry, Remove):
            _check_removed(entry.item, written)
        elif isinstance(entry, Add):
            _check_added(entry.item)
        elif isinstance(entry, Wrap):
            for each in entry.entries:
                if isinstance(each, Keep) and isinstance(each.item, Rest) and not each.item.variable:
                    raise PatchError(each.item.offset, Mistake.REST_WRAPPED)


def _written(entries: Sequence[Entry]) -> set[str]:
    """Variables of messages that ``+`` lines write again unchanged."""
    added = (item for entry in entries_in(entries) if isinstance(entry, Add) for item in walk((entry.item,)))
    return {item.variable for item in added if isinstance(item, Message) and item.variable}


def _check_removed(item: Item, written: set[str]) -> None:
    if isinstance(item, Message) and item.variable in written:
        return  # it moves, with everything in it
    for inner in walk((item,)):
        if isinstance(inner, Rest) and not inner.variable:
            raise PatchError(inner.offset, Mistake.HIDDEN_DELETION)


def _check_added(item: Item) -> None:
    for inner in walk((item,)):
        if isinstance(inner, Message) and inner.variable:
            if not inner.items or not all(isinstance(each, Rest) and not each.variable for each in inner.items):
                raise PatchError(inner.offset, Mistake.WRITTEN_AS_IS, name=inner.variable)
        elif isinstance(inner, Message):
            for each in inner.items:
                if isinstance(each, Rest) and not each.variable:
                    raise PatchError(each.offset, Mistake.REST_ADDED)
    if isinstance(item, Rest) and not item.variable:
        raise PatchError(item.offset, Mistake.REST_ADDED)


# ---------------------------------------------------------------- front matter and body together


def _check_front(front: Front, body: Body, bound: dict[str, str]) -> None:
    for constraint in front.constraints.values():
        if constraint.name not in bound:
            raise PatchError(constraint.offset, Mistake.UNUSED_VARIABLE, name=constraint.name)
    for name, template in (("message", front.message), ("title", front.title)):
        for variable in holes(template):
            if variable not in bound:
                raise PatchError(front.offsets[name], Mistake.BAD_TEMPLATE, name=name, variable=variable)


def conditions(front: Front, body: Body) -> tuple[tuple[Where, int], ...]:
    """What must hold, and the offset of the message that it is about; ``ROOT`` for the file itself.

    Raises:
        PatchError: a condition does not say which message it is about, or names one that does not exist.
    """
    messages = {item.variable: item for item in walk(body.before) if isinstance(item, Message) and item.variable}
    top = [item for item in body.before if isinstance(item, Message)]
    found = []
    for where in front.wheres:
        if not where.asks_of_message:
            continue
        if where.of and where.of not in messages:
            raise PatchError(where.offset, Mistake.UNKNOWN_OF, name=where.of)
        if not where.of and len(top) > 1:
            raise PatchError(where.offset, Mistake.WHERE_OF_WHAT)
        message = messages[where.of] if where.of else top[0] if top else None
        if where.asks_of_layer and not (message is not None and message in top and is_layer(message)):
            name = where.of or "the file"
            raise PatchError(where.offset, Mistake.NOT_A_LAYER, name=name, field=where.asks_of_layer)
        found.append((where, ROOT if message is None else message.offset))
    return tuple(found)


def kinds(body: Body) -> frozenset[str]:
    """What a patch searches: nets, solvers, or both.

    Raises:
        PatchError: neither has such fields.
    """
    found = {NET, SOLVER}
    for item in (*body.before, *body.after):
        if isinstance(item, Rest):
            raise PatchError(item.offset, Mistake.REST_AT_TOP)
        name = item.name
        if name == "layers":
            raise PatchError(item.offset, Mistake.OLD_LAYERS)
        here = {kind for kind in (NET, SOLVER) if name in slots(kind)}
        if not here:
            raise PatchError(item.offset, Mistake.NO_LAYER, name=name or "$X { }")
        if not found & here:
            raise PatchError(item.offset, Mistake.MIXED, name=name)
        found &= here
    return frozenset(found)


# ---------------------------------------------------------------- literals


def anchors(body: Body, prefilters: Iterable[Prefilter]) -> frozenset[str]:
    """Names of fields and types of layers that a file must have for the body to match.

    Args:
        body: the body.
        prefilters: of its messages.

    Raises:
        PatchError: nothing in it narrows the search.
    """
    names = frozenset[str]().union(*(prefilter.names for prefilter in prefilters))
    literals = {
        item.name for item in walk(body.before) if isinstance(item, Scalar) and isinstance(item.value, Literal)
    }
    if names <= _UNTELLING - literals:
        raise PatchError(body.start, Mistake.NO_ANCHOR)
    types = (layer_types(item) for item in body.before if isinstance(item, Message) and is_layer(item))
    return names.union(string_value(text) for texts in types for text in texts)


def check_numbers(body: Body, kind: str) -> None:
    """Refuse numbers on ``+`` lines that would not be valid results of a calculation either.

    Raises:
        PatchError: a number is not finite, in a field for numbers.
    """
    for item, inside in with_kinds(body.after, kind):
        if not isinstance(item, Scalar) or item.sign != "+" or not isinstance(item.value, Literal):
            continue
        slot = slots(inside).get(item.name)
        number = number_value(item.value.text)
        if slot is not None and slot.kind in NUMBERS and number is not None and not math.isfinite(number):
            raise PatchError(item.offset, Mistake.NO_NUMBER, value=item.value.text, name=item.name, type=slot.kind)


# ---------------------------------------------------------------- layers


def joins(body: Body) -> tuple[Join, ...]:
    """How the layers are connected by blobs.

    Raises:
        PatchError: a layer is not connected to those before it.
    """
    layers = [item for item in body.before if isinstance(item, Message) and is_layer(item)]
    known: set[str] = set()
    for index, layer in enumerate(layers):
        mine = {use.name for use in _uses((layer,))}
        if index and not mine & known:
            raise PatchError(layer.offset, Mistake.DISCONNECTED)
        known |= mine
    return tuple(_joins(layers))


def _joins(layers: Sequence[Message]) -> Iterator[Join]:
    tops, bottoms = ([set(_blobs(layer, name)) for layer in layers] for name in ("top", "bottom"))
    for index, layer in enumerate(layers):
        for blob in sorted(bottoms[index]):
            others = [*reversed(range(index)), *range(index + 1, len(layers))]
            maker = next((other for other in others if blob in tops[other]), None)
            beside = next((other for other in range(index) if blob in bottoms[other]), None)
            if maker is not None:
                yield Join(blob, layers[maker].offset, layer.offset)
            elif beside is not None:
                yield Join(blob, None, layer.offset, layers[beside].offset)


def _blobs(layer: Message, name: str) -> Iterator[str]:
    for item in layer.items:
        if isinstance(item, Scalar) and item.name == name and isinstance(item.value, Variable):
            yield item.value.name
