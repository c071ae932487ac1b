"""Results as plain data and back: only lists, strings and numbers.

What is read from a file is never trusted to be what was written: each value is checked against
the shape that the record requires, and anything else is a ``ValueError``. A record is a list of its
fields' values, in order, so a record that gains a field cannot read older data.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from caffefix._startup.records import dataclass, fields
from caffefix.caffe.change import Change
from caffefix.caffe.roles import Role
from caffefix.findings import Applicability, Severity
from caffefix.results import Choice, Diagnostic, FileResult, LineChange, RepairStep, Replacement, Status, TextFix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value looks like.

    Attributes:
        pack: turns a value into plain data.
        unpack: turns plain data into the value; raises ``ValueError`` for data of another shape.
    """

    pack: Callable[[Any], Any]
    unpack: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


def _exactly(kind: type) -> Shape:
    def unpack(plain: Any) -> Any:
        if type(plain) is not kind:  # a bool is not an int here
            raise ValueError(f"not a value of type {kind.__name__}")
        return plain

    return Shape(_same, unpack)


_TEXT, _NUMBER, _FLAG, _LIST = map(_exactly, (str, int, bool, list))
_BYTES = Shape(lambda value: value.decode("latin-1"), lambda plain: _TEXT.unpack(plain).encode("latin-1"))


def _one_of(kind: type[Enum]) -> Shape:
    return Shape(lambda value: value.value, kind)


def _optional(shape: Shape) -> Shape:
    return Shape(
        lambda value: None if value is None else shape.pack(value),
        lambda plain: None if plain is None else shape.unpack(plain),
    )


def _many(shape: Shape) -> Shape:
    return Shape(
        lambda value: [shape.pack(item) for item in value],
        lambda plain: tuple(shape.unpack(item) for item in _LIST.unpack(plain)),
    )


def _record(kind: type, **shapes: Shape) -> Shape:
    names = [item.name for item in fields(kind)]
    if names != list(shapes):
        raise TypeError(f"{kind.__name__} has the fields {names}")

    def pack(value: Any) -> list[Any]:
        return [shape.pack(getattr(value, name)) for name, shape in shapes.items()]

    def unpack(plain: Any) -> Any:
        values = zip(shapes.values(), _LIST.unpack(plain), strict=True)
        return kind(*[shape.unpack(value) for shape, value in values])

    return Shape(pack, unpack)


_DIAGNOSTIC = _record(
    Diagnostic,
    name=_TEXT, severity=_one_of(Severity), applicability=_one_of(Applicability), message=_TEXT,
    line=_NUMBER, column=_NUMBER, end_line=_NUMBER, end_column=_NUMBER,
    layer=_TEXT, applied=_FLAG, title=_TEXT, source=_TEXT, fix=_NUMBER,
)  # fmt: skip
_CHANGE = _record(Change, place=_TEXT, layer=_TEXT, ordinal=_NUMBER, path=_TEXT, old=_TEXT, new=_TEXT)
_REPLACEMENT = _record(Replacement, line=_NUMBER, column=_NUMBER, end_line=_NUMBER, end_column=_NUMBER, new=_TEXT)
_LINES = _record(LineChange, line=_NUMBER, end_line=_NUMBER, new=_TEXT)
_TEXT_FIX = _record(TextFix, findings=_many(_NUMBER), replacements=_many(_REPLACEMENT), lines=_optional(_LINES))
_STEP = _record(RepairStep, round=_NUMBER, runs_in=_NUMBER, name=_TEXT, diff=_BYTES, findings=_NUMBER)
_CHOICE = _record(Choice, findings=_many(_NUMBER), diff=_BYTES)
RESULT = _record(
    FileResult,
    path=_TEXT, status=_one_of(Status), reason=_TEXT, findings=_many(_DIAGNOSTIC), diff=_BYTES,
    new=_optional(_BYTES), unsafe=_many(_BYTES), role=_optional(_one_of(Role)), delta=_many(_CHANGE),
    suppressed=_many(_DIAGNOSTIC), fixes=_many(_TEXT_FIX), line=_NUMBER, column=_NUMBER,
    steps=_many(_STEP), forks=_optional(_many(_TEXT)), skipped=_many(_TEXT), digest=_BYTES,
    trouble=_TEXT, choices=_many(_CHOICE),
)  # fmt: skip
