"""What happens to the fields of a body, as ``merge`` derives it from its two sides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.patching.pattern import Item, Message, Scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Keep:
    """A field, or other fields, that stay unchanged."""

    item: Item


@dataclass(frozen=True, slots=True)
class Inside:
    """A message that stays, perhaps under another name, and what happens in it."""

    before: Message
    after: Message
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A scalar that gets another value, another name, or both."""

    before: Scalar
    after: Scalar


@dataclass(frozen=True, slots=True)
class Remove:
    """An item that is deleted."""

    item: Item


@dataclass(frozen=True, slots=True)
class Add:
    """An item that is added."""

    item: Item


@dataclass(frozen=True, slots=True)
class Unwrap:
    """A message that is removed, while its fields stay; their entries follow this one."""

    before: Message


@dataclass(frozen=True, slots=True)
class Wrap:
    """A new message around fields that stay."""

    after: Message
    entries: tuple[Entry, ...]


Entry: TypeAlias = Keep | Inside | Change | Remove | Add | Unwrap | Wrap


def entries_in(entries: Sequence[Entry]) -> Iterator[Entry]:
    """All entries, outer ones first."""
    stack = list(reversed(entries))
    while stack:
        entry = stack.pop()
        yield entry
        if isinstance(entry, Inside | Wrap):
            stack.extend(reversed(entry.entries))
