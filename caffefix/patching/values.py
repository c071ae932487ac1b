"""Values of fields: when two are equal, what variables may be, and what ``+`` lines write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.slots import Slot
from caffefix.patching.automaton import Automaton
from caffefix.patching.pattern import Literal, Template, Value, Variable
from caffefix.syntax.scalars import float_text, is_string, number_text, number_value, quoted, string_value
from caffefix.syntax.source import short
from caffefix.syntax.tree import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

# What a variable is bound to: a scalar as written, a message, or fields.
Bound: TypeAlias = "str | Node | tuple[Node, ...]"

_INTEGERS = frozenset(("int32", "int64", "uint32", "uint64"))
_EXACT = 2.0**53


class ValueMistake(Exception):
    """A ``+`` line has no value for this match; the message says why."""


def plain(text: str) -> tuple[str, object]:
    """A scalar without its spelling: quotes, notation of numbers."""
    if is_string(text):
        return "string", string_value(text)
    number = number_value(text)
    return ("word", text) if number is None else ("number", number)


def same(slot: Slot | None, one: str, other: str) -> bool:
    """Whether two scalars mean the same in a field, or by themselves if no field is given."""
    if one == other:
        return True
    if slot is not None:
        values = slot.value(one), slot.value(other)
        if None not in values:
            return bool(values[0] == values[1])
    return plain(one) == plain(other)


@dataclass(frozen=True, slots=True)
class Constraint:
    """What a variable may be bound to.

    Attributes:
        name: the variable.
        any_of, none_of: values, as the front matter writes them.
        least, most: bounds of a number.
        regexp: what a value must match.
        offset: where it is in the patch.
    """

    name: str
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    regexp: Automaton | None = None
    offset: int = 0

    def allows(self, text: str) -> bool:
        """Whether a scalar satisfies the constraint."""
        if self.any_of and not any(_alike(text, value) for value in self.any_of):
            return False
        if any(_alike(text, value) for value in self.none_of):
            return False
        if self.least is not None or self.most is not None:
            number = number_value(text)
            low = number is not None and (self.least is None or number >= self.least)
            if number is None or not low or (self.most is not None and number > self.most):
                return False
        return self.regexp is None or self.regexp.matches(string_value(text))

    def is_empty(self) -> bool:
        """Whether it is certain that no scalar satisfies the constraint."""
        if self.any_of:
            return not any(map(self.allows, self.any_of))
        if self.least is not None and self.most is not None and self.least > self.most:
            return True
        return self.regexp is not None and self.regexp.is_empty()


def _alike(one: str, other: str) -> bool:
    """Whether two scalars are equal, quoted or not."""
    return plain(one) == plain(other) or string_value(one) == string_value(other)


# ---------------------------------------------------------------- matching


def holes(template: Template) -> tuple[str, Variable, str]:
    """A template that is matched: the text before and after its only variable."""
    before, variable, after = template.parts
    assert isinstance(before, str)
    assert isinstance(variable, Variable)
    assert isinstance(after, str)
    return before, variable, after


def taken_out(template: Template, text: str) -> str | None:
    """The value of a template's variable in a string, quoted; None if the string does not match."""
    before, _, after = holes(template)
    value = string_value(text)
    fits = value.startswith(before) and value.endswith(after) and len(value) > len(before) + len(after)
    return quoted(value[len(before) : len(value) - len(after)]) if fits and is_string(text) else None


# ---------------------------------------------------------------- writing


def written(value: Value, bound: Mapping[str, Bound], slot: Slot | None) -> str:
    """The text of a value with its variables filled in; strings are in double quotes.

    Raises:
        ValueMistake: there is no such value.
    """
    if isinstance(value, Literal):
        return value.text
    if isinstance(value, Variable):
        text = bound[value.name]
        if not isinstance(text, str):
            raise ValueMistake(f"${value.name} is not a single value")
        number = None if is_string(text) else number_value(text)
        return number_text(number) if number is not None and ("\n" in text or "#" in text) else text
    if isinstance(value, Template):
        return quoted("".join(p if isinstance(p, str) else filled(bound[p.name]) for p in value.parts))
    return _number(calculated(value.steps, bound), slot)


def filled(bound: Bound) -> str:
    """The text of a bound variable in a string."""
    if isinstance(bound, str):
        return string_value(bound)
    return bound.name if isinstance(bound, Node) else ", ".join(node.name for node in bound)


def calculated(steps: Sequence[float | str | Variable], bound: Mapping[str, Bound]) -> float:
    """The result of a calculation.

    Raises:
        ValueMistake: a variable is not a number, or the calculation divides by zero.
    """
    stack: list[float] = []
    for step in steps:
        if isinstance(step, Variable):
            text = bound[step.name]
            number = number_value(text) if isinstance(text, str) else None
            if number is None:
                raise ValueMistake(f"${step.name} is not a number, but {short(filled(text))}")
            stack.append(number)
        elif isinstance(step, float):
            stack.append(step)
        elif step == "~":
            stack.append(-stack.pop())
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(_operate(step, left, right))
    return stack[0]


def _operate(sign: str, left: float, right: float) -> float:
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return left * right
    if right == 0:
        raise ValueMistake(f"{number_text(left)} / 0 is not a number")
    return left / right


def _number(number: float, slot: Slot | None) -> str:
    if not abs(number) < _EXACT:  # including nan
        raise ValueMistake(f"{number} is not a valid number for a net")
    if (
        slot is not None
        and slot.kind in _INTEGERS
        and (number != int(number) or slot.value(number_text(number)) is None)
    ):
        raise ValueMistake(
            f"{number_text(number)} is not a valid value of {slot.name}, which is of type {slot.kind}"
        )
    exact = number == int(number) or (slot is not None and slot.kind == "double")
    return number_text(number) if exact else float_text(number)
