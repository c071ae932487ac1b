"""Typed messages: prototxt as protobuf holds it, for all forks at once.

The classes are made from the schema, one private union of 48 forks: a field has the widest type
that any fork gives it, strings and enum values are bytes (paths in GBK are legal), and what fits
no fork stands in the field ``UNKNOWN`` as text. So nothing is lost and no file is refused here;
whether a fork's parser accepts it, ``dialect.judge`` tells.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from caffefix.caffe.net import truth
from caffefix.caffe.schema import Variant, load
from caffefix.caffe.typecheck import scalar_fits
from caffefix.syntax.scalars import integer_value, is_string, number_value, quoted, string_value
from caffefix.syntax.tree import Node

UNKNOWN = "unknown_fields"

# A net's layers of the old format have, besides V1's fields, what the first format wraps and what
# forks without a V1 message write there.
_OLD_LAYER = "V1LayerParameter"
_ALSO = {_OLD_LAYER: ("LayerConnection", "LayerParameter")}
_INNER = "V0LayerParameter"
# Fields whose type is not to be taken from the tables.
_TYPES = {
    ("NetParameter", "layers"): _OLD_LAYER,
    (_OLD_LAYER, "layer"): _INNER,
    ("LayerParameter", "param"): "ParamSpec",
}
_WIDTH = ("bool", "uint32", "int32", "uint64", "int64", "float", "double", "enum", "string", "bytes", "message")
_PROTO = descriptor_pb2.FieldDescriptorProto


class Slot:
    """How a field of a message is filled.

    Attributes:
        name: the field's name.
        kind: its type's name in caffe.proto: ``float``, ``enum``, ``message`` …
        type: the message's or enum's name.
        repeated: whether it is a list.
        default: the value that an absent field has in all forks; None if there is none, or several.
        bvlc_default: the same in BVLC's Caffe.
    """

    __slots__ = ("bvlc_default", "default", "kind", "name", "repeated", "type")

    def __init__(self, name: str, variants: Sequence[Variant], type_: str | None) -> None:
        widest = max(variants, key=lambda v: (_WIDTH.index(v.kind), bin(v.forks).count("1")))
        self.name = name
        self.kind = "message" if type_ else widest.kind
        self.type = type_ or widest.type
        self.repeated = any(v.label == "repeated" for v in variants)
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
            return _single(number_value(text) or 0.0)
        return number_value(text) if self.kind == "double" else integer_value(text)


def _single(number: float) -> float:
    """A number as a 32-bit float has it."""
    try:
        single: float = struct.unpack("f", struct.pack("f", number))[0]
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


@cache
def slots(message: str) -> dict[str, Slot]:
    """The fields of a message by name."""
    found: dict[str, tuple[Variant, ...]] = {}
    for source in (message, *_ALSO.get(message, ())):
        found = {**load().messages.get(source, {}), **found}
    return {name: Slot(name, variants, _TYPES.get((message, name))) for name, variants in found.items()}


@cache
def message_class(name: str) -> Any:
    """The class of a message of caffe.proto."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"caffe.{_identifier(name)}"))


def _identifier(name: str) -> str:
    return name.replace(".", "_")


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    """A pool with the union; 10 ms the first time."""
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    needed = list(load().messages)
    for name in needed:  # grows: some forks name messages whose fields no table lists
        target = file.message_type.add(name=_identifier(name))
        target.field.add(name=UNKNOWN, number=1, label=_PROTO.LABEL_REPEATED, type=_PROTO.TYPE_BYTES)
        for number, slot in enumerate(slots(name).values(), 2):
            label = _PROTO.LABEL_REPEATED if slot.repeated else _PROTO.LABEL_OPTIONAL
            field = target.field.add(name=slot.name, number=number, label=label)
            if slot.kind == "message":
                field.type, field.type_name = _PROTO.TYPE_MESSAGE, ".caffe." + _identifier(slot.type)
                if slot.type not in load().messages and slot.type not in needed:
                    needed.append(slot.type)
            elif slot.kind in ("enum", "string", "bytes"):
                field.type = _PROTO.TYPE_BYTES
            else:
                field.type = getattr(_PROTO, f"TYPE_{slot.kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


def message_of(node: Node, name: str, *, leave: frozenset[str] = frozenset()) -> Any:
    """A message of the tree as protobuf holds it.

    Args:
        node: the message.
        name: its type in caffe.proto.
        leave: fields of the message itself that are left out.
    """
    message = message_class(name)()
    stack = [(child, name, message) for child in reversed(list(node.children())) if child.name not in leave]
    while stack:
        child, kind, target = stack.pop()
        slot = slots(kind).get(child.name)
        for element in child.children() if child.is_list else (child,):
            inner = _put(slot, element, target)
            if inner is not None:
                assert slot is not None
                stack += [(grandchild, slot.type, inner) for grandchild in reversed(list(element.children()))]
    return message


def _put(slot: Slot | None, node: Node, target: Any) -> Any:
    """Set a scalar, or give the message that is to be filled; what does not fit is kept as text."""
    if slot is None or node.is_message != (slot.kind == "message"):
        getattr(target, UNKNOWN).append(canonical(node))
        return None
    if node.is_message:
        if slot.repeated:
            return getattr(target, slot.name).add()
        if target.HasField(slot.name):  # given twice: protobuf would refuse it
            getattr(target, UNKNOWN).append(canonical(node))
            return None
        inner = getattr(target, slot.name)
        inner.SetInParent()
        return inner
    value = slot.value(node.value)
    if value is None or (not slot.repeated and target.HasField(slot.name)):
        getattr(target, UNKNOWN).append(canonical(node))
    elif slot.repeated:
        getattr(target, slot.name).append(value)
    else:
        setattr(target, slot.name, value)
    return None


def canonical(node: Node) -> bytes:
    """A field as text on one line, without comments, quotes alike."""
    return " ".join(_tokens(node)).encode("latin-1")


def _tokens(node: Node) -> Iterator[str]:
    stack: list[Node | str] = [node]
    while stack:
        item = stack.pop()
        if isinstance(item, str):
            yield item
        elif item.is_message or item.is_list:
            yield f"{item.name} {{" if item.is_message else f"{item.name} ["
            stack += ["}" if item.is_message else "]", *reversed(list(item.children()))]
        else:
            value = item.value
            yield f"{item.name}: {quoted(string_value(value)) if is_string(value) else ''.join(value.split())}"
