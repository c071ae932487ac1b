"""Message classes for one fork's caffe.proto, made from the schema, for tests with protobuf."""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from caffefix.caffe.schema import load
from caffefix.syntax.scalars import integer_value, number_value, string_value
from caffefix.syntax.tree import Document, Node

Proto = descriptor_pb2.FieldDescriptorProto


@cache
def file_set(fork: str) -> descriptor_pb2.FileDescriptorSet:
    """caffe.proto of a fork. Strings are bytes, so that any encoding is read; nothing is required."""
    schema = load()
    bit = schema.bit(fork)
    file = descriptor_pb2.FileDescriptorProto(name="caffe.proto", package="caffe", syntax="proto2")
    for enum, values in schema.enums.items():
        holder = file.message_type.add(name="Enum_" + enum.replace(".", "_"))
        proto = holder.enum_type.add(name="E")
        proto.options.allow_alias = True
        for name, entries in values.items():
            for number, forks in entries:
                if forks & bit:
                    proto.value.add(name=name, number=number)
        if len({v.number for v in proto.value}) == len(proto.value):
            proto.options.ClearField("allow_alias")
        if not proto.value:
            file.message_type.remove(holder)
    for message, fields in schema.messages.items():
        target = file.message_type.add(name=message.replace(".", "_"))
        for name, variants in fields.items():
            variant = next((v for v in variants if v.forks & bit), None)
            if variant is None:
                continue
            label = Proto.LABEL_REPEATED if variant.label == "repeated" else Proto.LABEL_OPTIONAL
            field = target.field.add(name=name, number=len(target.field) + 1, label=label)
            if variant.kind == "message":
                field.type, field.type_name = Proto.TYPE_MESSAGE, ".caffe." + variant.type.replace(".", "_")
            elif variant.kind == "enum":
                field.type, field.type_name = Proto.TYPE_ENUM, f".caffe.Enum_{variant.type.replace('.', '_')}.E"
            else:
                kind = "bytes" if variant.kind == "string" else variant.kind
                field.type = getattr(Proto, f"TYPE_{kind.upper()}")
    return descriptor_pb2.FileDescriptorSet(file=[file])


@cache
def message_class(fork: str, name: str) -> Any:
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file_set(fork).file[0])
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"caffe.{name}"))


Flat = dict[str, list[Any]]


def of_message(message: Any) -> Flat:
    """Values of each path; repeated messages are numbered, repeated scalars listed."""
    flat: Flat = {}
    stack = [("", message)]
    while stack:
        path, node = stack.pop()
        for field, value in node.ListFields():
            repeated = field.is_repeated if hasattr(field, "is_repeated") else field.label == field.LABEL_REPEATED
            name = f"{path}/{field.name}"
            if field.message_type is not None:
                for index, inner in enumerate(value if repeated else [value]):
                    stack.append((f"{name}[{index}]", inner))
                    flat.setdefault(f"{name}[{index}]", [])
            else:
                flat[name] = list(value) if repeated else [value]
    return {path: [str(v) if isinstance(v, float) else v for v in values] for path, values in flat.items()}


def of_document(document: Document, descriptor: Any) -> Flat:
    """The same from our tree."""
    flat: Flat = {}
    stack: list[tuple[str, Node, Any]] = [("", document.root, descriptor)]
    while stack:
        path, node, kind = stack.pop()
        for name in dict.fromkeys(child.name for child in node.children()):
            field = kind.fields_by_name[name]
            for index, child in enumerate(node.fields(name)):
                here = f"{path}/{name}"
                if child.is_message:
                    stack.append((f"{here}[{index}]", child, field.message_type))
                    flat.setdefault(f"{here}[{index}]", [])
                else:
                    flat.setdefault(here, []).append(_typed(child.value, field))
    return flat


def _typed(value: str, field: Any) -> Any:
    if field.enum_type is not None:
        number = integer_value(value)
        return field.enum_type.values_by_name[value].number if number is None else number
    if field.type == field.TYPE_BYTES:
        return string_value(value).encode("latin-1")
    if field.type == field.TYPE_BOOL:
        return value in ("true", "True", "t") or integer_value(value) == 1
    number = number_value(value)
    assert number is not None
    if field.type == field.TYPE_FLOAT:
        try:
            return str(struct.unpack("f", struct.pack("f", number))[0])
        except OverflowError:
            return "inf" if number > 0 else "-inf"
    return str(number) if field.type == field.TYPE_DOUBLE else integer_value(value)
