"""Does a patch come to an end? Its ``+`` side is written out as a net of its own, and the patch tried on it.

A patch whose result it would change again is refused when it is loaded. What a sample cannot show (a
regular expression that also matches what the patch makes of a name) the engine's limit of turns ends.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix.caffe.net import Net
from caffefix.caffe.slots import slots
from caffefix.caffe.typecheck import NET
from caffefix.patching.kinds import kind_of, name_of, with_kinds
from caffefix.patching.layers import Layers
from caffefix.patching.matcher import Place, Search, TooManySteps
from caffefix.patching.patch import Patch
from caffefix.patching.pattern import Item, Message, Scalar, Sum, variables, walk
from caffefix.patching.values import Bound, Constraint, ValueMistake, written
from caffefix.records import replace
from caffefix.syntax.edits import EditError
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.scalars import number_text

_NUMBERS = frozenset(("int32", "int64", "uint32", "uint64", "float", "double"))
_TRIES = 100


def repeats(patch: Patch) -> bool:
    """Whether the patch would change its own result."""
    kind = NET if NET in patch.kinds else min(patch.kinds)
    values = sample_values(patch, kind)
    try:
        text = "\n".join(_lines(patch.body.after, kind, values))
        document = parse(text)
    except (ValueMistake, PrototxtError):
        return False  # there is no sample: the engine will see
    host = Place(document.root, kind)
    layers = Layers(Net(document.root)) if kind == NET else None
    search = Search(patch.goals, _constraints(patch, values), host, layers, lambda: True)
    try:
        for index, match in enumerate(patch.matches(search)):
            found = patch.draft(match, host)
            if found is not None and apply(text, lower(document, found.edits)) != text:
                return True
            if index > _TRIES:
                return False
    except (TooManySteps, EditError):
        return False
    return False


def _constraints(patch: Patch, values: dict[str, str]) -> dict[str, Constraint]:
    """The constraints, a regular expression being taken to match the sample's value and no other."""
    return {
        name: c if c.regexp is None else replace(c, regexp=None, any_of=(values[name],))
        for name, c in patch.front.constraints.items()
    }


def sample_values(patch: Patch, kind: str) -> dict[str, str]:
    """A value for each scalar variable that its constraint allows and its field takes."""
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
                number = field_kind in _NUMBERS or variable.name in calculated
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
    """The text of a side; calls itself as deep as a body may nest."""
    bound: dict[str, Bound] = dict(values)
    for item in items:
        if isinstance(item, Scalar):
            yield f"{item.name}: {written(item.value, bound, slots(kind).get(item.name))}"
        elif isinstance(item, Message):
            yield f"{name_of(item, kind)} {{"
            yield from _lines(item.items, kind_of(item, kind), values)
            yield "}"
