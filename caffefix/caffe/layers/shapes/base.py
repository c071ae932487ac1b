"""The inputs and results of shape-inference rules."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from caffefix._startup.records import dataclass, field
from caffefix.caffe.fillers import Dim, FillerSpec, Shape, count, fans, read_filler
from caffefix.caffe.net import Layer, truth
from caffefix.syntax.scalars import integer_value, string_value
from caffefix.syntax.tree import Node


class Mismatch(Exception):
    """Caffe aborts on these shapes.

    Attributes:
        message: its message, without file and line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class ParamBlob:
    """A parameter blob of a layer.

    Attributes:
        role: ``weight``, ``bias``, ``scale``, ``slope`` or ``statistics``.
        shape: as far as it is known.
        filler: what fills it; statistics are set to zero.
    """

    role: str
    shape: Shape
    filler: FillerSpec = field(default_factory=FillerSpec)

    @property
    def fan_in(self) -> Dim:
        return fans(self.shape)[0]

    @property
    def fan_out(self) -> Dim:
        return fans(self.shape)[1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a rule.

    Attributes:
        tops: shapes of the tops, in order; tops beyond are unknown.
        params: parameter blobs, in order; None where even their number is unknown.
    """

    tops: tuple[Shape, ...] = ()
    params: tuple[ParamBlob, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Site:
    """A layer where a rule is applied.

    Attributes:
        layer: the layer.
        bottoms: shapes of its bottoms.
    """

    layer: Layer
    bottoms: tuple[Shape, ...]

    @property
    def bottom(self) -> Shape:
        """The first bottom's shape; unknown where there is none."""
        return self.bottoms[0] if self.bottoms else None

    def fields(self, name: str) -> Fields:
        return Fields(self.layer.node.message(name))


Rule = Callable[[Site], Outcome]


@dataclass(frozen=True, slots=True)
class Fields:
    """A message of parameters, or none: its values in the form that rules need."""

    node: Node | None

    def has(self, *names: str) -> bool:
        """Whether any of the fields is given."""
        return self.node is not None and any(self.node.has(name) for name in names)

    def only(self, names: frozenset[str]) -> bool:
        """Whether it has no fields except these: others belong to a fork and may change its meaning."""
        return self.node is None or self.node.names() <= names

    def integers(self, name: str) -> list[Dim]:
        """All values of a repeated field; None for one that is not an integer."""
        return [integer_value(v) for v in self.node.scalars(name)] if self.node is not None else []

    def integer(self, name: str, default: Dim) -> Dim:
        found = self.integers(name)
        return found[0] if found else default

    def flag(self, name: str, default: bool) -> bool:
        value = self.node.scalar(name) if self.node is not None else None
        return default if value is None else truth(value)

    def word(self, name: str, default: str) -> str:
        value = self.node.scalar(name) if self.node is not None else None
        return default if value is None else string_value(value)

    def filler(self, name: str, default: FillerSpec = FillerSpec()) -> FillerSpec:  # noqa: B008 - frozen
        return read_filler(self.node.message(name) if self.node is not None else None, default)

    def shapes(self, name: str) -> list[Shape]:
        """``BlobShape`` messages of that name."""
        nodes = self.node.fields(name) if self.node is not None else ()
        return [tuple(integer_value(v) for v in node.scalars("dim")) for node in nodes if node.is_message]


# ---------------------------------------------------------------- checks, in Caffe's words


def check(holds: bool, text: str) -> None:
    """``CHECK(…) << …``."""
    if not holds:
        raise Mismatch(f"Check failed: {text}")


_HOLDS: dict[str, Callable[[int, int], bool]] = {
    " == ": operator.eq, " >= ": operator.ge, " <= ": operator.le, " > ": operator.gt, " < ": operator.lt,
}  # fmt: skip


def require(condition: str, a: Dim, b: Dim, text: str = "") -> None:
    """``CHECK_EQ(a, b) << …`` and similar checks, where both are known; the condition names the operator."""
    if a is None or b is None:
        return
    holds = next(holds for sign, holds in _HOLDS.items() if sign in condition)
    if not holds(a, b):
        raise Mismatch(f"Check failed: {condition} ({a} vs. {b}) {text}".rstrip())


FOUR_AXES = "Input must have 4 axes, corresponding to (num, channels, height, width)"


def text_of(shape: Sequence[Dim]) -> str:
    """``Blob::shape_string``: ``2 3 224 224 (301056)``."""
    return "".join(f"{dim} " for dim in shape) + f"({count(tuple(shape))})"


# ---------------------------------------------------------------- arithmetic with unknown values


def canonical_axis(axis: Dim, rank: int, shape: Sequence[Dim]) -> int | None:
    """``Blob::CanonicalAxisIndex``: negative axes count from the end."""
    if axis is None:
        return None
    if not -rank <= axis < rank:
        sign, bound = ("axis_index >= -num_axes()", -rank) if axis < 0 else ("axis_index < num_axes()", rank)
        tail = f"axis {axis} out of range for {rank}-D Blob with shape {text_of(shape)}"
        raise Mismatch(f"Check failed: {sign} ({axis} vs. {bound}) {tail}")
    return axis % rank if axis < 0 else axis


def plus(*values: Dim) -> Dim:
    """Sum, unknown if any part is."""
    total = 0
    for value in values:
        if value is None:
            return None
        total += value
    return total


def times(*values: Dim) -> Dim:
    """Product; zero if any factor is zero, unknown if any other is."""
    return 0 if 0 in values else count(values)


def truncated(a: int, b: int) -> int:
    """Integer division as C++ does it: towards zero."""
    return -(-a // b) if a < 0 else a // b


def merged(a: Shape, b: Shape) -> Shape:
    """Two descriptions of the same shape, merged."""
    if a is None or b is None:
        return a if b is None else b
    return tuple(x if x is not None else y for x, y in zip(a, b, strict=True)) if len(a) == len(b) else a


def same(site: Site) -> Outcome:
    """Each top like the first bottom, without parameters."""
    return Outcome((site.bottom,) * len(site.layer.tops))
