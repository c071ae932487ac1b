"""A .proto file as the schema of another fork, in addition to the known ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from caffefix.caffe.schema import Schema, Variant, load
from caffefix.proto.link import Linked
from caffefix.proto.model import MESSAGE, File

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Types with different binary encodings are the same in text.
_KINDS = {
    "sint32": "int32", "sfixed32": "int32", "fixed32": "uint32",
    "sint64": "int64", "sfixed64": "int64", "fixed64": "uint64",
}  # fmt: skip

Messages = dict[str, dict[str, tuple[Variant, ...]]]
Enums = dict[str, dict[str, tuple[tuple[int, int], ...]]]


def with_own(linked: Linked, name: str) -> Schema:
    """The schema of all known forks and another one, whose bit comes after theirs.

    Args:
        linked: its caffe.proto, and what this imports.
        name: what it is called.
    """
    known = load()
    own = 1 << len(known.forks)
    messages, enums = _messages(linked, own), _enums(linked, own)
    required = {message: dict.fromkeys(names) for message, names in known.required.items()}
    holding: dict[str, list[str]] = {}
    for message, fields in messages.items():
        for field, variants in fields.items():
            holding.setdefault(field, []).append(message)
            if variants[0].label == "required":
                required.setdefault(message, {})[field] = None

    def holders(field: str) -> list[str]:
        return list(dict.fromkeys(chain(known.holders(field), holding.get(field, ()))))

    def fields_of_both(one: Any, other: Any) -> Any:
        return _Joined(one, other, tuple.__add__)

    return Schema(
        (*known.forks, name),
        _Joined(known.messages, messages, fields_of_both),
        _Joined(known.enums, enums, fields_of_both),
        required,
        holders,
    )


def _messages(linked: Linked, own: int) -> Messages:
    """Variants by field and message, as the tables name messages: without the package."""
    found: Messages = {}
    short = _Names(linked)
    for file in linked.files:
        for scope, message in file.all_messages():
            fields = found.setdefault(short.of(scope), {})
            for field in message.fields:
                kind, type_ = linked.meant(scope, field.type)
                kind = _KINDS.get(kind, kind) or MESSAGE  # (of a missing file: its kind is unknown)
                label = field.label or "optional"
                default = field.default or ""
                fields[field.name] = (
                    Variant(
                        label=label,
                        kind=kind,
                        type=short.of(type_),
                        default=default,
                        number=field.number,
                        forks=own,
                    ),
                )
    return found


def _enums(linked: Linked, own: int) -> Enums:
    short = _Names(linked)
    return {
        short.of(name): {value.name: ((value.number, own),) for value in enum.values}
        for file in linked.files
        for name, enum in file.all_enums()
    }


class _Names:
    """Full names without the package of the requested file, as in the tables."""

    def __init__(self, linked: Linked) -> None:
        package = linked.files[0].package
        self._prefix = f"{package}." if package else ""

    def of(self, name: str) -> str:
        return name.removeprefix(self._prefix)


class _Joined(Mapping):  # type: ignore[type-arg]
    """Two mappings as one; values that both have are joined on demand."""

    def __init__(self, one: Mapping[str, Any], other: Mapping[str, Any], join: Callable[[Any, Any], Any]) -> None:
        self._one = one
        self._other = other
        self._join = join
        self._found: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        found = self._found.get(name)
        if found is None:
            one, other = self._one.get(name), self._other.get(name)
            if one is None and other is None:
                raise KeyError(name)
            found = one if other is None else other if one is None else self._join(one, other)
            self._found[name] = found
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(chain(self._one, self._other)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def is_caffe(file: File) -> bool:
    """Whether a .proto file is a Caffe's: it has layers."""
    return any(message.name in ("LayerParameter", "LayerConnection") for message in file.messages)
