"""Links a .proto file with its imports: resolves each type, and checks that everything is in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from caffefix._startup.records import dataclass
from caffefix._startup.records import field as made
from caffefix.proto.model import ENUM, MESSAGE, SCALARS, Enum, Field, File, Import, Message, ProtoError, joined
from caffefix.syntax.source import Source, short

MOST_FILES = 32
MOST_IMPORTS = 128  # of all files
_PACKAGE = "package"
_OPTIONS_ALONE = "google/protobuf/"  # imports from there are usually for options

Opener = Callable[[str], "File | None"]


@dataclass(frozen=True, slots=True)
class Linked:
    """Files that belong together, and the names in them.

    Attributes:
        files: the requested file, and those that it imports, directly or indirectly.
        symbols: what each full name is: ``message``, ``enum`` or ``package``.
    """

    files: tuple[File, ...]
    symbols: dict[str, str]
    _known: dict[tuple[str, str], tuple[str, str]] = made(default_factory=dict, repr=False)

    def meant(self, scope: str, written: str) -> tuple[str, str]:
        """What a type is: a scalar type's name, ``message`` or ``enum``; and the full name of a message or enum.

        Names are resolved from the innermost scope outwards, by their first part, as in protoc (descriptor.cc,
        ``LookupSymbolNoPlaceholder``); two empty strings if there is no such type.

        Args:
            scope: the full name of the message around.
            written: the type as written there.
        """
        if written in SCALARS:
            return written, ""
        found = self._known.get((scope, written))
        if found is None:
            found = self._known[scope, written] = self._look_up(scope, written)
        return found

    def _look_up(self, scope: str, written: str) -> tuple[str, str]:
        if written.startswith("."):
            return self._type(written[1:])
        first, dot, _ = written.partition(".")
        while True:
            around = joined(scope, first)
            kind = self.symbols.get(around)
            if kind is not None and (dot or kind != _PACKAGE):
                return self._type(joined(scope, written))
            if not scope:
                return "", ""
            scope = scope.rpartition(".")[0]

    def _type(self, name: str) -> tuple[str, str]:
        kind = self.symbols.get(name, _PACKAGE)
        return ("", "") if kind == _PACKAGE else (kind, name)


def link(file: File, opened: Opener) -> Linked:
    """A file with what it imports, checked.

    Args:
        file: the file.
        opened: finds and reads a file by the path of an import; None if it is not there.

    Raises:
        ProtoError: a file is missing or imports itself, a name is defined twice or not at all, or a number is used
            twice.
    """
    files, missing = _all_files(file, opened)
    symbols: dict[str, str] = {}
    for one in files:
        for name, kind, at in _names(one):
            if symbols.setdefault(name, kind) != _PACKAGE and kind == _PACKAGE:
                raise ProtoError(one.source, at, f'"{short(name)}" is both a package and a type')
    seen: dict[tuple[str, str], Source] = {}
    linked = Linked(tuple(files), symbols)
    for one in files:
        _check_names(one, seen)
        _check(one, linked, missing)
    return linked


def _all_files(file: File, opened: Opener) -> tuple[list[File], list[Import]]:
    """A file and everything that it imports; and the imports that are missing."""
    files, missing = [file], []
    known = {file.source.path}
    asked: set[tuple[str, str]] = set()
    depth: list[tuple[File, Iterator[Import]]] = [(file, iter(file.imports))]
    way = [file.source.path]
    while depth:
        at, rest = depth[-1]
        named = next(rest, None)
        if named is None:
            depth.pop()
            way.pop()
            continue
        if (at.source.path, named.path) in asked:
            raise ProtoError(at.source, named.offset, f'"{short(named.path)}" is imported twice')
        asked.add((at.source.path, named.path))
        if len(asked) > MOST_IMPORTS:
            raise ProtoError(at.source, named.offset, f"more than {MOST_IMPORTS} imports")
        found = opened(named.path)
        if found is None:
            missing.append(named)
            if not named.path.startswith(_OPTIONS_ALONE):
                raise ProtoError(at.source, named.offset, f'the imported file "{short(named.path)}" was not found')
            continue
        path = found.source.path
        if path in way:
            raise ProtoError(at.source, named.offset, f'"{short(named.path)}" imports itself through this file')
        if path in known:
            continue
        if len(files) >= MOST_FILES:
            raise ProtoError(at.source, named.offset, f"more than {MOST_FILES} files import each other")
        known.add(path)
        files.append(found)
        way.append(path)
        depth.append((found, iter(found.imports)))
    return files, missing


def _names(file: File) -> Iterator[tuple[str, str, int]]:
    """Full names of a file's packages and types, what they are, and where."""
    package = file.package
    while package:
        yield package, _PACKAGE, 0
        package = package.rpartition(".")[0]
    yield from ((name, MESSAGE, message.offset) for name, message in file.all_messages())
    yield from ((name, ENUM, enum.offset) for name, enum in file.all_enums())


def _check_names(file: File, seen: dict[tuple[str, str], Source]) -> None:
    """No scope may have a name twice; values of an enum are names in the scope around it, as in C++."""
    for name, at in _all_names(file):
        if name in seen:
            other = "" if seen[name] is file.source else f", first in {seen[name].path}"
            raise ProtoError(file.source, at, f'"{short(joined(*name))}" is defined twice{other}')
        seen[name] = file.source


def _all_names(file: File) -> Iterator[tuple[tuple[str, str], int]]:
    """Each name with its scope, and where it is: full names may be long, so they are not built for each field."""
    for name, message in file.all_messages():
        yield (name.rpartition(".")[0], message.name), message.offset
        yield from (((name, field.name), field.offset) for field in message.fields)
        yield from (((name, oneof), message.offset) for oneof in message.oneofs)
    for name, enum in file.all_enums():
        scope = name.rpartition(".")[0]
        yield (scope, enum.name), enum.offset
        yield from (((scope, value.name), value.offset) for value in enum.values)


def _check(file: File, linked: Linked, missing: list[Import]) -> None:
    for name, message in file.all_messages():
        _check_numbers(file, message)
        for field in (*message.fields, *message.extensions):
            _check_type(file, linked, name, field, missing)
            _check_label(file, message, field)
    for field in file.extensions:
        _check_type(file, linked, file.package, field, missing)
    for _, enum in file.all_enums():
        _check_values(file, enum)


def _check_type(file: File, linked: Linked, scope: str, field: Field, missing: list[Import]) -> None:
    types = [field.type, *([field.extendee] if field.extendee else [])]
    for written in types:
        if not missing and not linked.meant(scope, written)[0]:
            raise ProtoError(file.source, field.offset, f'the type "{short(written)}" was not found')


def _check_label(file: File, message: Message, field: Field) -> None:
    if file.syntax == "proto2" and not (field.label or field.oneof or message.is_map_entry):
        reason = f'"{short(field.name)}" has no label; write optional, required or repeated before it'
        raise ProtoError(file.source, field.offset, reason)


def _check_numbers(file: File, message: Message) -> None:
    seen: dict[int, str] = {}
    taken = _Ranges((*message.reserved, *message.ranges))
    names = frozenset(message.reserved_names)
    for field in message.fields:
        other = seen.setdefault(field.number, field.name)
        if other is not field.name:
            reason = f'"{short(field.name)}" has the number {field.number}, like "{short(other)}"'
            raise ProtoError(file.source, field.offset, reason)
        if taken.hold(field.number) or field.name in names:
            reason = f'"{short(field.name)} = {field.number}" is reserved, or left to extensions'
            raise ProtoError(file.source, field.offset, reason)


class _Ranges:
    """Ranges of numbers; a message may have many."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._ranges = sorted(ranges)
        self._last: list[int] = []  # the largest end so far
        for _, last in self._ranges:
            self._last.append(max(last, self._last[-1]) if self._last else last)

    def hold(self, number: int) -> bool:
        """Whether some range contains a number."""
        from bisect import bisect_right

        index = bisect_right(self._ranges, (number, 1 << 32))
        return index > 0 and self._last[index - 1] >= number


def _check_values(file: File, enum: Enum) -> None:
    if not enum.values:
        raise ProtoError(file.source, enum.offset, f'the enum "{short(enum.name)}" has no values')
    seen: dict[int, str] = {}
    for value in enum.values:
        other = seen.setdefault(value.number, value.name)
        if other is not value.name and not enum.allow_alias:
            reason = f'"{short(value.name)}" has the number {value.number}, like "{short(other)}"; see allow_alias'
            raise ProtoError(file.source, value.offset, reason)
