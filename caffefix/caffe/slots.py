"""What a field of a message may contain: its type in all forks at once, and which values are equal.

A field has the widest type that any fork gives it. This is the schema without protobuf, so values can be compared
where no message is created.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from caffefix.caffe.net import truth
from caffefix.caffe.schema import Variant, load
from caffefix.caffe.typecheck import scalar_fits
from caffefix.syntax.scalars import integer_value, is_string, number_value, string_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A net's layers of the old format have, in addition to V1's fields, what the first format wraps and what forks
# without a V1 message write there.
_OLD_LAYER = "V1LayerParameter"
_ALSO = {_OLD_LAYER: ("LayerConnection", "LayerParameter")}
_INNER = "V0LayerParameter"
# A field of one of these is the same field in the others: upgrades carry it over.
_LAYERS = ("LayerConnection", _OLD_LAYER, "LayerParameter")
# Fields whose type does not come from the tables.
_TYPES = {
    ("NetParameter", "layers"): _OLD_LAYER,
    (_OLD_LAYER, "layer"): _INNER,
    ("LayerParameter", "param"): "ParamSpec",
}
_WIDTH = ("bool", "uint32", "int32", "uint64", "int64", "float", "double", "enum", "string", "bytes", "message")

# Messages in which Caffe checks which fields are given (NetState::MergeFrom), and fields for which it does so:
# there a written default differs from an absent field.
_EXACT = frozenset(("NetState", "NetStateRule"))
_PRESENCE = frozenset(("normalization", "slice_dim", "concat_dim"))
# Together with the field of a side, they are an error; alone they may be their default.
SIDES = {"pad": ("pad_h", "pad_w"), "stride": ("stride_h", "stride_w"), "kernel_size": ("kernel_h", "kernel_w")}


class Slot:
    """How a field of a message is filled.

    Attributes:
        name: the field's name.
        kind: its type's name in caffe.proto: ``float``, ``enum``, ``message`` …
        type: the message's or enum's name.
        repeated: whether it is a list.
        default: the value that an absent field has in all forks; None if there is none, or several.
        bvlc_default: the same in BVLC's Caffe.
        forks: those that have the field, in whatever generation of a layer.
    """

    __slots__ = ("bvlc_default", "default", "forks", "kind", "name", "repeated", "type")

    def __init__(self, name: str, variants: Sequence[Variant], type_: str | None, forks: int) -> None:
        widest = max(variants, key=lambda v: (_WIDTH.index(v.kind), bin(v.forks).count("1")))
        self.name = name
        self.kind = "message" if type_ else widest.kind
        self.type = type_ or widest.type
        self.repeated = any(v.label == "repeated" for v in variants)
        self.forks = forks
        self.default = self._default(variants)
        self.bvlc_default = self._default([v for v in variants if v.forks & load().bit("bvlc")])

    def _default(self, variants: Sequence[Variant]) -> Any:
        if self.repeated or self.kind == "message":
            return None
        values = {self.value(v.default) if v.default else None for v in variants}
        return values.pop() if len(values) == 1 else None

    def value(self, text: str) -> Any:
        """A scalar as the message holds it; None if it does not fit."""
        if self.kind == "enum":
            return _enum_value(self.type, text)
        if self.kind in ("string", "bytes"):
            return string_value(text).encode("latin-1")
        if not scalar_fits(self.kind, text):
            return None
        if self.kind == "bool":
            return truth(text)
        if self.kind == "float":
            number = number_value(text)
            return _single(0.0 if number is None else number)  # -0 stays -0
        return number_value(text) if self.kind == "double" else integer_value(text)


def _single(number: float) -> float:
    """A number as a 32-bit float has it."""
    from struct import pack, unpack

    try:
        single: float = unpack("f", pack("f", number))[0]
    except OverflowError:
        return math.copysign(math.inf, number)
    return single


def _enum_value(enum: str, text: str) -> bytes | None:
    """The name of a value, which may be given by its number."""
    if is_string(text):
        return None
    number = integer_value(text)
    if number is None:
        return text.encode("latin-1")
    named = (
        (forks, name) for name, all_ in load().enums.get(enum, {}).items() for n, forks in all_ if n == number
    )
    bvlc = load().bit("bvlc")
    best = max(named, key=lambda entry: (entry[0] & bvlc, bin(entry[0]).count("1")), default=None)
    return best[1].encode() if best is not None else None


class Slots(Mapping[str, Slot]):
    """The fields of a message by name, each created on demand: few of a layer's two hundred are needed."""

    __slots__ = ("_made", "_message", "_sources")

    def __init__(self, message: str) -> None:
        tables = load().messages
        self._message = message
        self._sources = [tables[source] for source in (message, *_ALSO.get(message, ())) if source in tables]
        self._made: dict[str, Slot] = {}

    def __getitem__(self, name: str) -> Slot:
        if name not in self._made:
            variants = next((source[name] for source in self._sources if name in source), None)
            if variants is None:
                raise KeyError(name)
            self._made[name] = Slot(name, variants, _TYPES.get((self._message, name)), self._forks(name))
        return self._made[name]

    def _forks(self, name: str) -> int:
        tables = load().messages
        found = 0
        for message in _LAYERS if self._message in _LAYERS else (self._message,):
            for variant in tables[message].get(name, ()):
                found |= variant.forks
        return found

    def get(self, name: str, default: Any = None) -> Any:
        """The field, if there is one."""
        slot = self._made.get(name)
        return slot if slot is not None else super().get(name, default)

    def __iter__(self) -> Iterator[str]:
        names: dict[str, None] = {}
        for source in self._sources:
            names = {**dict.fromkeys(source), **names}
        return iter(names)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@cache
def slots(message: str) -> Slots:
    """The fields of a message by name."""
    return Slots(message)


def unsaid(kind: str, slot: Slot, bvlc: bool, given: Callable[[str], bool]) -> Any:
    """The value that an absent field has for Caffe; None if it has none.

    Args:
        kind: the type of the message that the field is in.
        slot: the field.
        bvlc: whether BVLC's Caffe accepts the file, so its defaults apply; otherwise those that all forks share.
        given: whether the message has a field of that name.
    """
    default = slot.bvlc_default if bvlc and slot.bvlc_default is not None else slot.default
    if default is None or kind in _EXACT or slot.name in _PRESENCE:
        return None
    if kind == "ParamSpec" and given("name"):
        return None  # rates of shared parameters are compared where they are given
    beside = (*SIDES.get(slot.name, ()), *(both for both, sides in SIDES.items() if slot.name in sides))
    return None if any(map(given, beside)) else default


# Lists, in some forks, that mean the same when they are empty (base_conv_layer.cpp, pooling_layer.cpp,
# LayerSetUp).
_USUAL = {"pad": 0, "stride": 1, "dilation": 1}
_WINDOWS = frozenset(("ConvolutionParameter", "PoolingParameter"))


def says_nothing(kind: str, slot: Slot | None, value: str, bvlc: bool, given: Callable[[str], bool]) -> bool:
    """Whether a field with that value means the same to Caffe as an absent one.

    Args:
        kind: the type of the message that the field is in.
        slot: the field; None if no fork knows it.
        value: as written.
        bvlc: whether BVLC's Caffe accepts the file.
        given: whether the message has a field of that name.
    """
    if slot is None or slot.kind == "message":
        return False
    if kind in _WINDOWS and slot.name in _USUAL:
        beside = SIDES.get(slot.name, ())
        return slot.value(value) == _USUAL[slot.name] and not any(map(given, beside))
    default = unsaid(kind, slot, bvlc, given)
    return default is not None and bool(slot.value(value) == default)
