"""What protoc makes of .proto files, to hold ours against; and what ours says, as a descriptor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from caffefix.proto.link import Linked, link
from caffefix.proto.model import Enum, Field, File, Message, joined
from caffefix.proto.reader import read
from caffefix.syntax.source import Source

_INTEGERS = frozenset("int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64".split())


def protoc(folder: Path, name: str, *more: Path) -> Any:
    """The descriptors that protoc makes of a file in a folder, and of what it imports.

    Raises:
        AssertionError: protoc refuses it.
    """
    from google.protobuf.descriptor_pb2 import FileDescriptorSet
    from grpc_tools import protoc as compiler

    out = folder / "out.pb"
    ours = [str(Path(compiler.__file__).parent / "_proto"), *map(str, more)]
    paths = [f"--proto_path={path}" for path in (folder, *ours)]
    status = compiler.main(["protoc", *paths, "--include_imports", f"--descriptor_set_out={out}", name])
    assert status == 0, f"protoc refuses {name}"
    found = FileDescriptorSet.FromString(out.read_bytes())
    out.unlink()
    return found


def opener(*folders: Path) -> Any:
    """Finds what files import."""

    def opened(path: str) -> File | None:
        for folder in folders:
            if (folder / path).is_file():
                return read(Source(path, (folder / path).read_bytes()))
        return None

    return opened


def linked(folder: Path, name: str, *more: Path) -> Linked:
    """A file and what it imports, by our reader."""
    return link(read(Source(name, (folder / name).read_bytes())), opener(folder, *more))


def descriptor(file: File, linked: Linked) -> Any:
    """A file as its descriptor; what only generators of code and JSON ask for is left out."""
    from google.protobuf.descriptor_pb2 import FileDescriptorProto

    out = FileDescriptorProto(dependency=[named.path for named in file.imports])
    if file.package:
        out.package = file.package
    out.name = file.source.path
    for message in file.messages:
        _message(out.message_type.add(), message, file, linked, joined(file.package, message.name))
    for enum in file.enums:
        _enum(out.enum_type.add(), enum)
    for field in file.extensions:
        _field(out.extension.add(), field, file, linked, file.package)
    return out


def _message(out: Any, message: Message, file: File, linked: Linked, scope: str) -> None:
    out.name = message.name
    new = [f.name for f in message.fields if _is_new(f, file)]
    oneofs = [*message.oneofs, *(f"_{name}" for name in new)]
    for name in oneofs:
        out.oneof_decl.add().name = name
    for field in message.fields:
        added = out.field.add()
        _field(added, field, file, linked, scope)
        if field.oneof or _is_new(field, file):
            added.oneof_index = oneofs.index(field.oneof or f"_{field.name}")
    for inner in message.messages:
        _message(out.nested_type.add(), inner, file, linked, joined(scope, inner.name))
    for enum in message.enums:
        _enum(out.enum_type.add(), enum)
    for field in message.extensions:
        _field(out.extension.add(), field, file, linked, scope)
    for first, last in message.ranges:
        out.extension_range.add(start=first, end=last + 1)
    for first, last in message.reserved:
        out.reserved_range.add(start=first, end=last + 1)
    out.reserved_name.extend(message.reserved_names)
    if message.is_map_entry:
        out.options.map_entry = True


def _is_new(field: Field, file: File) -> bool:
    """Whether it is ``optional`` in proto3, where that says more than no label."""
    return file.syntax == "proto3" and field.label == "optional" and not field.oneof


def _enum(out: Any, enum: Enum) -> None:
    out.name = enum.name
    for value in enum.values:
        out.value.add(name=value.name, number=value.number)
    for first, last in enum.reserved:
        out.reserved_range.add(start=first, end=last)
    out.reserved_name.extend(enum.reserved_names)
    if enum.allow_alias:
        out.options.allow_alias = True


def _field(out: Any, field: Field, file: File, linked: Linked, scope: str) -> None:
    kind, type_ = linked.meant(scope, field.type)
    out.name, out.number = field.name, field.number
    out.label = (
        out.DESCRIPTOR.enum_types_by_name["Label"]
        .values_by_name[f"LABEL_{(field.label or 'optional').upper()}"]
        .number
    )
    out.type = out.DESCRIPTOR.enum_types_by_name["Type"].values_by_name[f"TYPE_{kind.upper()}"].number
    if type_:
        out.type_name = f".{type_}"
    if field.extendee:
        out.extendee = "." + linked.meant(scope, field.extendee)[1]
    if field.default is not None:
        out.default_value = _default(kind, field.default)
    if field.packed is not None:
        out.options.packed = field.packed
    if field.deprecated:
        out.options.deprecated = True
    if _is_new(field, file):
        out.proto3_optional = True


def _default(kind: str, text: str) -> str:
    if kind in _INTEGERS:
        sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
        base = 16 if digits[:2].lower() == "0x" else 8 if digits.startswith("0") and digits != "0" else 10
        return f"{sign}{int(digits, base)}"
    if kind in ("float", "double"):
        return str(float(text.rstrip("fF") if "inf" not in text else text))
    return text


def plain(file: Any) -> Any:
    """A descriptor of protoc's, without what ours leaves out."""
    out = type(file)()
    out.CopyFrom(file)
    for name in ("options", "syntax", "edition", "service", "source_code_info", "public_dependency",
                 "weak_dependency", "option_dependency"):  # fmt: skip
        if name in out.DESCRIPTOR.fields_by_name:
            out.ClearField(name)
    messages = list(out.message_type)
    for message in messages:  # grows
        messages += message.nested_type
    enums = [*out.enum_type, *(enum for message in messages for enum in message.enum_type)]
    fields = [*out.extension, *(f for m in messages for f in (*m.field, *m.extension))]
    for message in messages:
        is_map = message.options.map_entry
        message.ClearField("options")
        if is_map:
            message.options.map_entry = True
        for span in message.extension_range:
            span.ClearField("options")
        for oneof in message.oneof_decl:
            oneof.ClearField("options")
        message.ClearField("visibility")
    for enum in enums:
        is_alias = enum.options.allow_alias
        enum.ClearField("options")
        enum.ClearField("visibility")
        if is_alias:
            enum.options.allow_alias = True
        for value in enum.value:
            value.ClearField("options")
    for field in fields:
        field.ClearField("json_name")
        options = type(field.options)()
        if field.options.HasField("packed"):
            options.packed = field.options.packed
        if field.options.deprecated:
            options.deprecated = True
        field.ClearField("options")
        if options.ListFields():
            field.options.CopyFrom(options)
        if field.default_value and field.type in (1, 2):
            field.default_value = str(float(field.default_value))
    return out
