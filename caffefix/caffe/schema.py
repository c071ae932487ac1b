"""The schema of all known forks of caffe.proto as one: which fields, of which types, in which forks.

``data/fields.tsv`` and ``data/enums.tsv`` list each field and enum value with the forks that
define it. Text needs only names, so one union is enough; where forks disagree on a type, all are kept. A set of
forks is an int with a bit for each; the bits are in the order of ``data/forks.tsv``.

The same sets recur, so ``data/sets.txt`` has each once, in hexadecimal, and the last column of a row is the number
of its line there. ``caffe/tables.py`` writes these files.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from os.path import dirname, join

from caffefix._startup.records import dataclass

TYPE_CHECKING = False  # typing is not imported for it: see docs/performance.md
if TYPE_CHECKING:
    from typing import Any

DATA = join(dirname(__file__), "data")
SCALARS = frozenset("float double int32 int64 uint32 uint64 bool string bytes".split())


@dataclass(frozen=True, slots=True)
class Variant:
    """A field as some forks define it.

    Attributes:
        label: optional, required or repeated.
        kind: a scalar type's name, ``message`` or ``enum``.
        type: the message's or enum's name; empty for scalars.
        default: as caffe.proto writes it; empty if none.
        number: the field's number.
        forks: the forks with this definition.
    """

    label: str
    kind: str
    type: str
    default: str
    number: int
    forks: int


@dataclass(frozen=True, slots=True)
class Schema:
    """All messages and enums.

    Attributes:
        forks: names, in the order of their bits.
        messages: variants by field name, by message name.
        enums: (number, forks) by value name, by enum name.
        required: names of the fields that some forks require, by message name.
        holders: returns the messages that have a field of a name.
    """

    forks: tuple[str, ...]
    messages: Mapping[str, Mapping[str, tuple[Variant, ...]]]
    enums: Mapping[str, Mapping[str, tuple[tuple[int, int], ...]]]
    required: Mapping[str, Iterable[str]]
    holders: Callable[[str], list[str]]

    @property
    def everyone(self) -> int:
        """All forks."""
        return (1 << len(self.forks)) - 1

    def bit(self, fork: str) -> int:
        """A fork by its name."""
        return 1 << self.forks.index(fork)

    def names(self, forks: int) -> list[str]:
        """The names of a set of forks."""
        return [name for index, name in enumerate(self.forks) if forks >> index & 1]


class _Table(Mapping):  # type: ignore[type-arg]
    """Some rows of a table by their next column; the contents are read when a name is requested.

    Args:
        rows: all rows, sorted, without line ends.
        part: which of them, by index.
        prefix: the columns that they have in common, each with its tab.
        read: converts the rows of a name.
    """

    def __init__(self, rows: list[str], part: range, prefix: str, read: Callable[[range, str], object]) -> None:
        self.rows = rows
        self._part = part
        self._prefix = prefix
        self._read = read
        self._found: dict[str, Any] = {}
        self._names: dict[str, None] | None = None

    def __getitem__(self, name: str) -> Any:
        if name not in self._found:
            if "\t" in name:
                raise KeyError(name)
            head = f"{self._prefix}{name}\t"
            low, high = self._part.start, self._part.stop
            first = bisect_left(self.rows, head, low, high)
            end = bisect_left(self.rows, head[:-1] + "\n", first, high)  # what comes next after a tab
            if first == end:
                raise KeyError(name)
            self._found[name] = self._read(range(first, end), head)
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        if self._names is None:
            start = len(self._prefix)
            self._names = dict.fromkeys(self.rows[i][start : self.rows[i].index("\t", start)] for i in self._part)
        return iter(self._names)

    def __len__(self) -> int:
        return sum(1 for _ in self)


@cache
def load() -> Schema:
    """The schema."""
    names = tuple(row[: row.index("\t")] for row in rows("forks.tsv"))

    def variant(row: str) -> Variant:
        _, _, label, type_, default, number, having = row.split("\t")
        kind, _, type_name = type_.partition(":")
        return Variant(
            label=label, kind=kind, type=type_name, default=default, number=int(number), forks=forks_of(having)
        )

    def value(row: str) -> tuple[int, int]:
        _, _, number, having = row.split("\t")
        return int(number), forks_of(having)

    def table(name: str, cell: Callable[[str], object]) -> _Table:
        all_rows = rows(name)

        def cells(part: range, prefix: str) -> tuple[object, ...]:
            return tuple(map(cell, all_rows[part.start : part.stop]))

        def inner(part: range, prefix: str) -> _Table:
            return _Table(all_rows, part, prefix, cells)

        return _Table(all_rows, range(len(all_rows)), "", inner)

    fields = table("fields.tsv", variant)
    required: dict[str, dict[str, None]] = {}
    for row in fields.rows:
        if "\trequired\t" in row:
            message, name, *_ = row.split("\t")
            required.setdefault(message, {})[name] = None
    return Schema(names, fields, table("enums.tsv", value), required, lambda field: _holders().get(field, []))


@cache
def _holders() -> dict[str, list[str]]:
    """The messages that have a field, by its name."""
    found: dict[str, dict[str, None]] = {}
    for row in rows("fields.tsv"):
        message, name, _ = row.split("\t", 2)
        found.setdefault(name, {})[message] = None
    return {name: list(messages) for name, messages in found.items()}


def rows(name: str) -> list[str]:
    """The rows of a table, sorted, without its head."""
    return content(name).split("\n")[1:-1]


@cache
def forks_of(number: str) -> int:
    """The set of forks that a row's last column numbers."""
    return int(_sets()[int(number)], 16)


@cache
def _sets() -> list[str]:
    return content("sets.txt").split()


def content(name: str) -> str:
    """The text of a table."""
    with open(join(DATA, name), encoding="utf-8") as file:
        return file.read()
