"""Whether a patch comes to an end: its ``+`` side is written out as a net, and the patch is tried on it.

A patch that would change its own result again is refused when it is loaded. The result of a calculation is not
known, so the sample has a unique word in its place, which matches whatever may match one of its results
(``ranges``). Cases that a sample cannot show (a regular expression that also matches the name that the patch
writes) are ended by the engine's limit of turns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from caffefix._startup.records import replace
from caffefix.caffe.net import Net
from caffefix.caffe.slots import Slot, slots
from caffefix.caffe.typecheck import NET
from caffefix.patching.errors import Mistake, PatchError
from caffefix.patching.kinds import NUMBERS, kind_of, name_of, with_kinds
from caffefix.patching.layers import Layers
from caffefix.patching.matcher import Match, Place, Search, TooManySteps
from caffefix.patching.merge import merge
from caffefix.patching.patch import Patch
from caffefix.patching.pattern import (
    Body,
    Item,
    Literal,
    Message,
    Scalar,
    Sum,
    Template,
    Variable,
    variables,
    walk,
)
from caffefix.patching.ranges import Range, range_of
from caffefix.patching.values import Bound, Constraint, ValueMistake, written
from caffefix.syntax.edits import EditError
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.scalars import number_text, string_value

_TRIES = 100
_CALCULATED = "calculated at "


class _SampleSearch(Search):
    """A search in a sample, where a calculation may be any of its results.

    Attributes:
        results: of calculations, by the offset in the patch.
    """

    results: Mapping[int, Range]

    def _value(self, item: Scalar, text: str, slot: Slot | None) -> dict[str, Bound] | None:
        made = _made_at(text)
        if made is None:
            return super()._value(item, text, slot)
        results, value = self.results[made], item.value
        if isinstance(value, Literal):
            return {} if results.may_be(value) else None
        if not isinstance(value, Variable) or not results.may_pass(self.constraints.get(value.name)):
            return None  # a string is not a number
        before = self.bound.get(value.name, text)
        # Equal to its operand, it stays unchanged; two calculations may well have the same result.
        return {value.name: before} if isinstance(before, str) and _made_at(before) is not None else None


def check_ends(patch: Patch) -> None:
    """Refuse a patch that would change its own result.

    Raises:
        PatchError: the patch would do so.
    """
    kind = NET if NET in patch.kinds else min(patch.kinds)
    results = {
        item.offset: range_of(item.value, patch.front.constraints, slots(inside).get(item.name))
        for item, inside in with_kinds(patch.body.after, kind)
        if isinstance(item, Scalar) and isinstance(item.value, Sum)
    }
    values = sample_values(patch, kind)
    if results:
        body = Body(patch.body.before, tuple(map(_without_sums, patch.body.after)), patch.body.start)
        patch = replace(patch, body=body, entries=merge(body.before, body.after))
    try:
        text = "\n".join(_lines(patch.body.after, kind, values))
        document = parse(text)
    except (ValueMistake, PrototxtError):
        return  # there is no sample: the engine's limits apply
    host = Place(document.root, kind)
    layers = Layers(Net(document.root)) if kind == NET else None
    search = _SampleSearch(patch.goals, patch.prefilters, _constraints(patch, values), host, layers, lambda: True)
    search.results = results
    try:
        for index, match in enumerate(patch.matches(search)):
            found = patch.draft(match, host)
            if found is not None and apply(text, lower(document, found.edits)) != text:
                raise _repeats(patch, match)
            if index > _TRIES:
                return
    except (TooManySteps, EditError):
        return


def _repeats(patch: Patch, match: Match) -> PatchError:
    for name, bound in match.bound.items():
        made = _made_at(bound) if isinstance(bound, str) else None
        if made is not None:
            return PatchError(made, Mistake.CALCULATED_AGAIN, name=name)
    return PatchError(patch.body.start, Mistake.REPEATS)


def _made_at(text: str) -> int | None:
    """The offset of the calculation that a value of the sample represents."""
    value = string_value(text)
    return int(value.split()[2]) if value.startswith(_CALCULATED) else None


def _without_sums(item: Item) -> Item:
    """An item with a word for each calculation, different for different numbers; recurses as deep as a body
    nests."""
    if isinstance(item, Message):
        return replace(item, items=tuple(map(_without_sums, item.items)))
    if not isinstance(item, Scalar) or not isinstance(item.value, Sum):
        return item
    parts: list[str | Variable] = [f"{_CALCULATED}{item.offset} of "]
    for variable in variables(item.value):
        parts += [variable, " "]
    return replace(item, value=Template(tuple(parts)))


def _constraints(patch: Patch, values: dict[str, str]) -> dict[str, Constraint]:
    """The constraints, with each regular expression assumed to match only the sample's value."""
    return {
        name: c if c.regexp is None else replace(c, regexp=None, any_of=(values[name],))
        for name, c in patch.front.constraints.items()
    }


def sample_values(patch: Patch, kind: str) -> dict[str, str]:
    """A value for each scalar variable that its constraint allows and its field accepts."""
    found: dict[str, str] = {}
    calculated = {
        variable.name
        for item in walk(patch.body.after)
        if isinstance(item, Scalar) and isinstance(item.value, Sum)
        for variable in variables(item.value)
    }
    for item, inside in with_kinds(patch.body.before, kind):
        if isinstance(item, Scalar):
            slot = slots(inside).get(item.name)
            field_kind = slot.kind if slot is not None else ""
            for variable in variables(item.value):
                number = field_kind in NUMBERS or variable.name in calculated
                value = _value(patch.front.constraints.get(variable.name), variable.name, number, field_kind)
                found.setdefault(variable.name, value)
    return found


def _value(constraint: Constraint | None, name: str, number: bool, kind: str) -> str:
    if constraint is not None and constraint.any_of:
        return constraint.any_of[0]
    if constraint is not None and (constraint.least is not None or constraint.most is not None):
        return number_text(constraint.most if constraint.most is not None else constraint.least or 0.0)
    if number:
        return "7"
    return {"bool": "true", "enum": f"SAMPLE_{name}"}.get(kind, f'"sample_{name}"')


def _lines(items: Sequence[Item], kind: str, values: dict[str, str]) -> Iterator[str]:
    """The text of a side; recurses as deep as a body may nest."""
    bound: dict[str, Bound] = dict(values)
    for item in items:
        if isinstance(item, Scalar):
            yield f"{item.name}: {written(item.value, bound, slots(kind).get(item.name))}"
        elif isinstance(item, Message):
            yield f"{name_of(item, kind)} {{"
            yield from _lines(item.items, kind_of(item, kind), values)
            yield "}"
