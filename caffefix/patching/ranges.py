"""The possible results of a calculation, given the constraints of its variables: a few numbers, or an interval.

An interval results from arithmetic on the bounds (Moore 1966): never too narrow, perhaps too wide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import islice, product

from caffefix._startup.records import dataclass
from caffefix.caffe.slots import Slot
from caffefix.patching.pattern import Literal, Sum, Variable, variables
from caffefix.patching.values import Constraint, ValueMistake, calculated, written
from caffefix.syntax.scalars import number_text, number_value

_MOST = 1000  # combinations of listed values
_ROUNDING = 1e-6  # a result is written with the digits of a float
_Ends = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Range:
    """The results of a calculation.

    Attributes:
        least, most: no result is smaller or larger.
        texts: all results that differ from their operands, as they are written; None if they are not known one by
            one.
    """

    least: float
    most: float
    texts: tuple[str, ...] | None = None

    def may_be(self, literal: Literal) -> bool:
        """Whether a result may be that value."""
        number = number_value(literal.text)
        if number is None:
            return False
        if self.texts is not None:
            return any(number_value(text) == number for text in self.texts)
        return self.least <= number <= self.most

    def may_pass(self, constraint: Constraint | None) -> bool:
        """Whether a variable may be bound to a result."""
        if self.texts is not None:
            return constraint is None or any(map(constraint.allows, self.texts))
        if constraint is None:
            return True
        if constraint.any_of:
            return any(constraint.allows(text) and self.may_be(Literal(text)) for text in constraint.any_of)
        below = constraint.most is not None and self.least > constraint.most
        above = constraint.least is not None and self.most < constraint.least
        point = self.least == self.most and not constraint.allows(number_text(self.least))
        return not (below or above or point)


def range_of(value: Sum, constraints: Mapping[str, Constraint], slot: Slot | None) -> Range:
    """The results of a calculation that is written into a field."""
    names = list(dict.fromkeys(variable.name for variable in variables(value)))
    known = [constraints[name].any_of if name in constraints else () for name in names]
    if all(known) and math.prod(map(len, known)) <= _MOST:
        allowed = [
            [text for text in texts if constraints[name].allows(text)]
            for name, texts in zip(names, known, strict=True)
        ]
        bound = (dict(zip(names, texts, strict=True)) for texts in product(*allowed))
        return Range(-math.inf, math.inf, tuple(dict.fromkeys(_results(value, bound, slot))))
    least, most = _interval(value, {name: _ends(constraints.get(name)) for name in names})
    return Range(least - abs(least) * _ROUNDING, most + abs(most) * _ROUNDING)


def _results(value: Sum, bound: Iterator[dict[str, str]], slot: Slot | None) -> Iterator[str]:
    for each in islice(bound, _MOST):
        try:
            text = written(value, each, slot)
            same = len(each) == 1 and calculated(value.steps, each) == number_value(*each.values())
        except ValueMistake:
            continue  # such a match is reported, and not edited
        if not same:
            yield text


def _ends(constraint: Constraint | None) -> _Ends:
    """The bounds of a variable."""
    numbers = [number_value(text) for text in constraint.any_of] if constraint is not None else []
    known = [number for number in numbers if number is not None]
    least, most = (min(known), max(known)) if known else (-math.inf, math.inf)
    if constraint is not None and constraint.least is not None:
        least = max(least, constraint.least)
    if constraint is not None and constraint.most is not None:
        most = min(most, constraint.most)
    return least, most


def _interval(value: Sum, ends: Mapping[str, _Ends]) -> _Ends:
    stack: list[_Ends] = []
    for step in value.steps:
        if isinstance(step, Variable):
            stack.append(ends[step.name])
        elif isinstance(step, float):
            stack.append((step, step))
        elif step == "~":
            least, most = stack.pop()
            stack.append((-most, -least))
        else:
            right, left = stack.pop(), stack.pop()
            stack.append(_operated(step, left, right))
    return stack[0]


def _operated(sign: str, left: _Ends, right: _Ends) -> _Ends:
    if sign == "+":
        return left[0] + right[0], left[1] + right[1]
    if sign == "-":
        return left[0] - right[1], left[1] - right[0]
    if sign == "/":
        if right[0] <= 0 <= right[1]:
            return -math.inf, math.inf
        right = 1 / right[1], 1 / right[0]
    corners = [0.0 if 0 in (a, b) else a * b for a in left for b in right]
    return min(corners), max(corners)
