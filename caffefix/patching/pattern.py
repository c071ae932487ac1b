"""What the body of a patch consists of.

Each side of the body is a tree of items. An item on a context line is in both trees, with the same offset, so its
offset identifies it.
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

LAYER = "layer"


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written out: ``"Convolution"``, ``0.5``, ``LMDB``; ``text`` as written in the patch."""

    text: str


@dataclass(frozen=True, slots=True)
class Variable:
    """``$X``."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class Template:
    """A string around variables: ``"${N}_bn"``; parts are texts and variables in turn, strings unquoted."""

    parts: tuple[str | Variable, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """Arithmetic in reverse Polish notation: numbers, variables, ``+ - * /``, and ``~`` for a sign."""

    steps: tuple[float | str | Variable, ...]


Value: TypeAlias = Literal | Variable | Template | Sum


@dataclass(frozen=True, slots=True)
class Scalar:
    """``name: value`` at an offset of the patch file; ``sign`` is its line's first column."""

    name: str
    value: Value
    offset: int
    sign: str


@dataclass(frozen=True, slots=True)
class Rest:
    """``...``, or ``$$$X`` if it has a name: the fields that no other item matches."""

    variable: str
    offset: int
    sign: str


@dataclass(frozen=True, slots=True)
class Message:
    """``name { … }``.

    Attributes:
        name: empty for ``$X { … }``, a message of any name.
        variable: the variable that it is bound to; empty if none.
        items: what is in it.
        offset, sign: of its name.
        close: offset of its closing brace; a context brace makes two messages one.
        close_sign: of that brace's line.
    """

    name: str
    variable: str
    items: tuple[Item, ...]
    offset: int
    sign: str
    close: int
    close_sign: str

    @property
    def rest(self) -> Rest | None:
        """Its ``...`` or ``$$$``, if it has one."""
        return next((item for item in self.items if isinstance(item, Rest)), None)


Item: TypeAlias = Scalar | Rest | Message


@dataclass(frozen=True, slots=True)
class Body:
    """A body, read.

    Attributes:
        before: the side with the ``-`` lines.
        after: the side with the ``+`` lines.
        start: offset of the body.
    """

    before: tuple[Item, ...]
    after: tuple[Item, ...]
    start: int


def walk(items: tuple[Item, ...]) -> Iterator[Item]:
    """All items, a message before what is in it."""
    stack = list(reversed(items))
    while stack:
        item = stack.pop()
        yield item
        if isinstance(item, Message):
            stack.extend(reversed(item.items))


def variables(value: Value) -> Iterator[Variable]:
    """The variables in a value."""
    if isinstance(value, Variable):
        yield value
    elif isinstance(value, Template | Sum):
        yield from (part for part in (value.parts if isinstance(value, Template) else value.steps)
                    if isinstance(part, Variable))  # fmt: skip
