"""Reads a .proto file with ``grammar/proto.lark``: text → ``File``, with types as written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache

from caffefix._startup.records import dataclass, replace
from caffefix.proto.model import Enum, Field, File, Import, Message, ProtoError, Value
from caffefix.proto.tables import load
from caffefix.syntax.driver import Driver, Unexpected
from caffefix.syntax.hints import character
from caffefix.syntax.scalars import string_value
from caffefix.syntax.source import Source, short
from caffefix.syntax.tables import Tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LARGEST = 1 << 20  # bytes; the longest caffe.proto known has 100,000
DEPTH = 32  # of messages in messages: protoc's own limit
MOST_TYPES = 1 << 12  # messages and enums; the richest caffe.proto known has 250
LONGEST_NAME = 128  # characters
_MOST_PARTS = 32  # of a name with dots
LARGEST_NUMBER = (1 << 29) - 1

_WORDS = {"IDENT": "a name", "INT": "a number", "FLOAT": "a number", "STRING": "a string", "$END": "the end"}


class _Token:
    __slots__ = ("start", "text", "type")

    def __init__(self, type: str, text: str, start: int) -> None:
        self.type = type
        self.text = text
        self.start = start


@dataclass(frozen=True, slots=True)
class _Text:
    """A name, number or string, and where it starts."""

    text: str
    start: int


@dataclass(frozen=True, slots=True)
class _Span:
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Setting:
    """An option: ``packed = true``."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class _Map:
    """A map field: the message of its entries, and the field that holds them."""

    entry: Message
    field: Field


@dataclass(frozen=True, slots=True)
class _OneOf:
    name: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class _Spans:
    """Numbers that are reserved, or left to extensions."""

    spans: tuple[_Span, ...]
    is_reserved: bool


@dataclass(frozen=True, slots=True)
class _Names:
    """Names that are reserved."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Extend:
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class _Word:
    """What a file declares about itself: its syntax or its package."""

    kind: str
    text: str
    start: int


class _Refused(Exception):
    """Something that is parsed but not accepted: where it is, and why."""

    def __init__(self, at: int, reason: str) -> None:
        super().__init__(reason)
        self.at = at
        self.reason = reason


def read(source: Source) -> File:
    """Read a file.

    Args:
        source: the file.

    Raises:
        ProtoError: it is not a .proto file, too large, too deep, or has something that is not accepted (groups).
    """
    if len(source.text) > LARGEST:
        raise ProtoError(source, 0, f"a .proto file of {len(source.text)} bytes; at most {LARGEST} are read")
    driver = _driver()
    try:
        statements: list[Any] = driver.parse(_tokens(source.text))
    except Unexpected as error:
        raise _unexpected(source, error) from None
    except _Refused as error:
        raise ProtoError(source, error.at, error.reason) from None
    words = {word.kind: word for word in statements if isinstance(word, _Word)}
    syntax = words["syntax"].text if "syntax" in words else "proto2"
    if syntax not in ("proto2", "proto3") and not _EDITION.fullmatch(syntax):
        raise ProtoError(source, words["syntax"].start, f'unknown syntax "{short(syntax)}"; proto2 is known')
    made = _Members(statements)
    return File(
        source=source,
        syntax=syntax,
        package=words["package"].text if "package" in words else "",
        imports=tuple(s for s in statements if isinstance(s, Import)),
        messages=tuple(made.messages),
        enums=tuple(made.enums),
        extensions=tuple(made.extensions),
    )


_EDITION = re.compile(r"20[0-9]{2}")


class _Members:
    """The contents of a message or a file, by kind."""

    def __init__(self, members: list[Any]) -> None:
        self.fields: list[Field] = []
        self.messages: list[Message] = []
        self.enums: list[Enum] = []
        self.extensions: list[Field] = []
        self.oneofs: list[str] = []
        self.ranges: list[tuple[int, int]] = []
        self.reserved: list[tuple[int, int]] = []
        self.reserved_names: list[str] = []
        for member in members:
            self._add(member)

    def _add(self, member: Any) -> None:
        if isinstance(member, Field):
            self.fields.append(member)
        elif isinstance(member, Message):
            self.messages.append(member)
        elif isinstance(member, Enum):
            self.enums.append(member)
        elif isinstance(member, _Map):
            self.messages.append(member.entry)
            self.fields.append(member.field)
        elif isinstance(member, _OneOf):
            self.oneofs.append(member.name)
            self.fields += member.fields
        elif isinstance(member, _Extend):
            self.extensions += member.fields
        elif isinstance(member, _Spans):
            (self.reserved if member.is_reserved else self.ranges).extend(
                (span.first, span.last) for span in member.spans
            )
        elif isinstance(member, _Names):
            self.reserved_names += member.names


# ---------------------------------------------------------------- tokens


@cache
def _tools() -> tuple[re.Pattern[str], frozenset[str]]:
    tables = load()
    keywords, others = _sorted(tables)
    parts = [f"(?P<{name}>{tables.terminals[name]})" for name in ("COMMENT", *others)]
    return re.compile(r"[ \t\r\n\f\v]+|" + "|".join(parts)), keywords


def _sorted(tables: Tables) -> tuple[frozenset[str], list[str]]:
    """Words of the language; and the other terminals, those with a common beginning in the right order."""
    keywords = frozenset(name for name, text in tables.terminals.items() if text == name.lower())
    first = ["IDENT", "FLOAT", "INT", "STRING"]
    rest = [n for n in tables.terminals if n not in keywords and n not in first and not n.startswith("__")]
    return keywords, first + [name for name in rest if name != "COMMENT"]


def _tokens(text: str) -> Iterator[_Token]:
    scanner, keywords = _tools()
    match = scanner.match
    at, end, depth, types = 0, len(text), 0, 0
    while at < end:
        found = match(text, at)
        if found is None:
            raise _Refused(at, f"{_odd(text, at)} is unexpected here; a comment or string may not be closed")
        kind = found.lastgroup
        if kind is not None and kind != "COMMENT":
            word = found.group()
            if kind == "IDENT":
                if len(word) > LONGEST_NAME:
                    raise _Refused(at, f"a name of {len(word)} characters; at most {LONGEST_NAME} are read")
                if word.islower() and word.upper() in keywords:
                    kind = word.upper()
                    types += kind in ("MESSAGE", "ENUM", "MAP")
                    if types > MOST_TYPES:
                        raise _Refused(at, f"more than {MOST_TYPES} messages and enums")
            elif kind == "LBRACE":
                depth += 1
                if depth > DEPTH:
                    raise _Refused(at, f"more than {DEPTH} braces deep; protoc also refuses this")
            elif kind == "RBRACE":
                depth -= 1
            yield _Token(kind, word, at)
        at = found.end()


def _odd(text: str, at: int) -> str:
    return character(text, at) if text[at] > "~" or text[at] < " " else text[at]


def _unexpected(source: Source, error: Unexpected) -> ProtoError:
    wanted = [_WORDS.get(name) or _tables_text(name) for name in sorted(error.expected)]
    shown = list(dict.fromkeys(word for word in wanted if word))
    hint = f", expected {' or '.join(shown)}" if len(shown) < 6 else ""
    if error.token is None:
        return ProtoError(source, len(source.text), f"the file ends too early{hint}")
    return ProtoError(source, error.token.start, f'unexpected "{short(error.token.text)}"{hint}')


def _tables_text(name: str) -> str:
    return f'"{text}"' if (text := load().terminals.get(name, "").replace("\\", "")) else ""


# ---------------------------------------------------------------- reductions


def _number(text: str) -> int:
    if len(text) > 20:  # beyond 64 bits whatever its base
        return 1 << 64
    if text[:2] in ("0x", "0X"):
        return int(text, 16)
    is_octal = text[0] == "0" and text.isdigit() and not set(text) & {"8", "9"}
    return int(text, 8) if is_octal else int(text)


def _integer(children: list[Any]) -> _Text:
    value = _number(children[-1].text)
    return _Text(str(-value if len(children) > 1 else value), children[0].start)


def _span(first: _Text, last: _Text | None) -> _Span:
    low, high = int(first.text), int(last.text) if last is not None else LARGEST_NUMBER
    if low > high:
        raise _Refused(first.start, f"the range {low} to {high} is empty")
    return _Span(low, high)


def _import(children: list[Any]) -> Import:
    *_, modifier, path, _ = children
    # ("import weak" and "import option" do not affect types.)
    return Import(path.text, modifier.type == "IDENT" and modifier.text == "public", children[0].start)


def _settings(found: Any) -> dict[str, str]:
    return {setting.name: setting.value for setting in found or ()}


def _field(name: _Token, type_: _Text, number: _Token, options: Any, label: str = "") -> Field:
    settings = _settings(options)
    value = _number(number.text)
    if not 0 < value <= LARGEST_NUMBER:
        raise _Refused(
            number.start, f"{short(number.text)} is not a field number; these are 1 to {LARGEST_NUMBER}"
        )
    packed = settings.get("packed")
    return Field(
        name=name.text,
        number=value,
        label=label,
        type=type_.text,
        default=settings.get("default"),
        packed=None if packed is None else packed == "true",
        oneof="",
        deprecated=settings.get("deprecated") == "true",
        extendee="",
        offset=name.start,
    )


def _labelled_field(children: list[Any]) -> Field:
    label, type_, name, _, number, options, _ = children
    return _field(name, type_, number, options, label.text)


def _unlabelled_field(children: list[Any]) -> Field:
    type_, name, _, number, options, _ = children
    return _field(name, type_, number, options)


def _map(children: list[Any]) -> _Map:
    _, _, key, _, value, _, name, _, number, options, _ = children
    entry = _entry_name(name.text)
    fields = tuple(
        Field(
            name=part,
            number=index,
            label="",
            type=t.text,
            default=None,
            packed=None,
            oneof="",
            deprecated=False,
            extendee="",
            offset=t.start,
        )
        for index, (part, t) in enumerate((("key", key), ("value", value)), 1)
    )
    message = Message(
        name=entry,
        fields=fields,
        messages=(),
        enums=(),
        extensions=(),
        oneofs=(),
        ranges=(),
        reserved=(),
        reserved_names=(),
        is_map_entry=True,
        offset=name.start,
    )
    return _Map(message, _field(name, _Text(entry, name.start), number, options, "repeated"))


def _entry_name(name: str) -> str:
    """The name that protoc gives to the message of a map's entries (parser.cc, ``MapEntryName``)."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_")) + "Entry"


def _message(children: list[Any]) -> Message:
    made = _Members(children[3])
    return Message(
        name=children[1].text,
        fields=tuple(made.fields),
        messages=tuple(made.messages),
        enums=tuple(made.enums),
        extensions=tuple(made.extensions),
        oneofs=tuple(made.oneofs),
        ranges=tuple(made.ranges),
        reserved=tuple(made.reserved),
        reserved_names=tuple(made.reserved_names),
        is_map_entry=False,
        offset=children[1].start,
    )


def _enum(children: list[Any]) -> Enum:
    made = _Members(children[3])
    return Enum(
        name=children[1].text,
        values=tuple(member for member in children[3] if isinstance(member, Value)),
        reserved=tuple(made.reserved),
        reserved_names=tuple(made.reserved_names),
        allow_alias=any(isinstance(m, _Setting) and m == _Setting("allow_alias", "true") for m in children[3]),
        offset=children[1].start,
    )


def _value(children: list[Any]) -> Value:
    name, _, number, _, _ = children
    value = int(number.text)
    if not -(1 << 31) <= value < 1 << 31:
        raise _Refused(number.start, f"{short(number.text)} does not fit into 32 bits, the size of an enum value")
    return Value(name.text, value, name.start)


def _one_of(children: list[Any]) -> _OneOf:
    name = children[1].text
    fields = [member for member in children[3] if isinstance(member, Field)]
    return _OneOf(name, tuple(replace(field, oneof=name) for field in fields))


def _extend(children: list[Any]) -> _Extend:
    fields = [member for member in children[3] if isinstance(member, Field)]
    return _Extend(tuple(replace(field, extendee=children[1].text) for field in fields))


def _group(children: list[Any]) -> Field:
    token = children[-1]
    raise _Refused(token.start, "groups are not read; write a message instead")


def _grown(children: list[Any]) -> list[Any]:
    """A list and what comes after its comma; in place, because it may be long."""
    children[0].append(children[2])
    return children[0]  # type: ignore[no-any-return]


def _dotted(children: list[Any]) -> _Text:
    if len(children[0]) > _MOST_PARTS:
        raise _Refused(children[0][0].start, f"a name of more than {_MOST_PARTS} parts")
    return _Text(".".join(part.text for part in children[0]), children[0][0].start)


def _strings(children: list[Any]) -> _Text:
    """``"a" "b"``: one string, in pieces."""
    return _Text("".join(string_value(part.text) for part in children[0]), children[0][0].start)


def _text(children: list[Any]) -> _Text:
    return _Text(children[0].text, children[0].start)


_REDUCTIONS: dict[str, Callable[[list[Any]], Any]] = {
    "same": lambda c: c[0],
    "first": lambda c: c[0],
    "second": lambda c: c[1],
    "nothing": lambda c: None,
    "empty": lambda c: [],
    "list": lambda c: [c[0]],
    "listed": _grown,
    "joined": _dotted,
    "strings": _strings,
    "syntax": lambda c: _Word("syntax", c[2].text, c[2].start),
    "edition": lambda c: _Word("syntax", c[2].text, c[2].start),
    "package": lambda c: _Word("package", c[1].text, c[1].start),
    "import": _import,
    "message": _message,
    "labelled": _labelled_field,
    "unlabelled": _unlabelled_field,
    "group": _group,
    "map": _map,
    "oneof": _one_of,
    "extend": _extend,
    "extensions": lambda c: _Spans(tuple(c[1]), False),
    "reserved": lambda c: _Spans(tuple(c[1]), True),
    "reserved_names": lambda c: _Names(tuple(word.text for word in c[1])),
    "integer": _integer,
    "single": lambda c: _span(c[0], c[0]),
    "span": lambda c: _span(c[0], c[2]),
    "open_span": lambda c: _span(c[0], None),
    "enum": _enum,
    "value": _value,
    "option": lambda c: _Setting(c[1].text, c[3].text if c[3] is not None else ""),
    "setting": lambda c: _Setting(c[0].text, c[2].text if c[2] is not None else ""),
    "absolute": lambda c: _Text(f".{c[1].text}", c[0].start),
    "extension_name": lambda c: _Text(f"({c[1].text})", c[0].start),
    "text": _text,
    "negative": lambda c: _Text(f"-{c[1].text}", c[0].start),
    "negative_word": lambda c: _Text(f"-{c[1].text}", c[0].start),
}


@cache
def _driver() -> Driver:
    return Driver(load(), "file", _REDUCTIONS)
