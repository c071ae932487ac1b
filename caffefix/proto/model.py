"""The contents of a .proto file: its messages and enums, as written."""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.records import dataclass
from caffefix.syntax.source import Source

SCALARS = frozenset(
    """
    double float int32 int64 uint32 uint64 sint32 sint64 fixed32 fixed64 sfixed32 sfixed64 bool string bytes
    """.split()
)
MESSAGE, ENUM = "message", "enum"


class ProtoError(Exception):
    """A .proto file that cannot be used.

    Attributes:
        source: the file.
        offset: where in it, in bytes.
        reason: what is wrong there, and what to do.
    """

    def __init__(self, source: Source, offset: int, reason: str) -> None:
        place = source.position(offset)
        super().__init__(f"{source.path}:{place.line}:{place.column}: {reason}")
        self.source = source
        self.offset = offset
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a message, or one that a file adds to another's message (``extend``).

    Attributes:
        name: its name.
        number: its number.
        label: ``optional``, ``required`` or ``repeated``; empty if absent.
        type: as written; ``Linked.meant`` resolves it.
        default: as written, strings in pieces joined; None if absent.
        packed: as the file says; None if it does not.
        oneof: the oneof that it belongs to; empty if none.
        deprecated: whether the file says so.
        extendee: the message that it is added to; empty for a field of the message around it.
        offset: where it is, in bytes.
    """

    name: str
    number: int
    label: str
    type: str
    default: str | None
    packed: bool | None
    oneof: str
    deprecated: bool
    extendee: str
    offset: int


@dataclass(frozen=True, slots=True)
class Value:
    """A value of an enum."""

    name: str
    number: int
    offset: int


@dataclass(frozen=True, slots=True)
class Enum:
    """An enum.

    Attributes:
        name: its name, without those of the messages around it.
        values: its values, in order.
        reserved: numbers that no value may have, as (first, last).
        reserved_names: names that no value may have.
        allow_alias: whether two values may have the same number.
        offset: where it is, in bytes.
    """

    name: str
    values: tuple[Value, ...]
    reserved: tuple[tuple[int, int], ...]
    reserved_names: tuple[str, ...]
    allow_alias: bool
    offset: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message.

    Attributes:
        name: its name, without those of the messages around it.
        fields: in order.
        messages: the messages defined in it.
        enums: likewise.
        extensions: fields that it adds to other messages.
        oneofs: names of its choices.
        ranges: numbers that are left to extensions, as (first, last).
        reserved: numbers that no field may have, as (first, last).
        reserved_names: names that no field may have.
        is_map_entry: whether it was generated for a ``map`` field.
        offset: where it is, in bytes.
    """

    name: str
    fields: tuple[Field, ...]
    messages: tuple[Message, ...]
    enums: tuple[Enum, ...]
    extensions: tuple[Field, ...]
    oneofs: tuple[str, ...]
    ranges: tuple[tuple[int, int], ...]
    reserved: tuple[tuple[int, int], ...]
    reserved_names: tuple[str, ...]
    is_map_entry: bool
    offset: int


@dataclass(frozen=True, slots=True)
class Import:
    """An import of another file.

    Attributes:
        path: as written.
        is_public: whether importers of this file also import that one.
        offset: where it is, in bytes.
    """

    path: str
    is_public: bool
    offset: int


@dataclass(frozen=True, slots=True)
class File:
    """A .proto file.

    Attributes:
        source: its text.
        syntax: ``proto2``, ``proto3`` or an edition's year.
        package: of everything in it; empty if none.
        imports: the other files that it imports.
        messages: at the top.
        enums: at the top.
        extensions: fields that it adds to messages.
    """

    source: Source
    syntax: str
    package: str
    imports: tuple[Import, ...]
    messages: tuple[Message, ...]
    enums: tuple[Enum, ...]
    extensions: tuple[Field, ...]

    def all_messages(self) -> Iterator[tuple[str, Message]]:
        """All messages by their full names (without a leading dot), each before the messages in it."""
        stack = [(self.package, message) for message in reversed(self.messages)]
        while stack:
            scope, message = stack.pop()
            name = joined(scope, message.name)
            yield name, message
            stack += [(name, inner) for inner in reversed(message.messages)]

    def all_enums(self) -> Iterator[tuple[str, Enum]]:
        """All enums by their full names."""
        yield from ((joined(self.package, enum.name), enum) for enum in self.enums)
        for scope, message in self.all_messages():
            yield from ((joined(scope, enum.name), enum) for enum in message.enums)


def joined(scope: str, name: str) -> str:
    """The full name of a name in a scope."""
    return f"{scope}.{name}" if scope else name
