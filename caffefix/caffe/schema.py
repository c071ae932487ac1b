"""The schema of 48 forks of caffe.proto as one: which fields, of which types, in which forks.

``data/fields.tsv`` and ``data/enums.tsv`` list each field and enum value with the forks that
define it. Text needs names only, so one union serves; where forks disagree on a type, all are
kept. A set of forks is an int with a bit for each.

``python -m caffefix.caffe.schema FOLDER`` takes the tables over from a folder with
``caffe_fields.tsv`` and ``caffe_enums.tsv``, checked and sorted; then run
``python -m caffefix.caffe.messages``.
"""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from os.path import dirname, join

from caffefix.records import dataclass

TYPE_CHECKING = False  # typing is not imported for it: see docs/performance.md
if TYPE_CHECKING:
    from typing import Any

DATA = join(dirname(__file__), "data")
SCALARS = frozenset("float double int32 int64 uint32 uint64 bool string bytes".split())
LABELS = frozenset(("optional", "required", "repeated"))


@dataclass(frozen=True, slots=True)
class Variant:
    """A field as some forks define it.

    Attributes:
        label: optional, required or repeated.
        kind: a scalar type's name, ``message`` or ``enum``.
        type: the message's or enum's name; empty for scalars.
        default: as caffe.proto writes it; empty if none.
        number: the field's number.
        forks: the forks that define it so.
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
    """

    forks: tuple[str, ...]
    messages: Mapping[str, Mapping[str, tuple[Variant, ...]]]
    enums: Mapping[str, Mapping[str, tuple[tuple[int, int], ...]]]
    required: Mapping[str, Iterable[str]]

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

    def holders(self, field: str) -> list[str]:
        """Messages that have a field of that name."""
        return _holders().get(field, [])


class _Table(Mapping):  # type: ignore[type-arg]
    """Some rows of a table by their next column; what they say is read when somebody asks for a name.

    Args:
        rows: all rows, sorted, without line ends.
        part: which of them, by index.
        prefix: the columns that they have in common, each with its tab.
        read: what is made of the rows of a name.
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
    names = tuple(_content("forks.txt").split())
    bits = {name: 1 << index for index, name in enumerate(names)}

    @cache  # most fields are in one of a few sets of forks
    def forks(text: str) -> int:
        return sum(bits[name] for name in text.split(","))

    def variant(row: str) -> Variant:
        _, _, label, type_, default, number, having = row.split("\t")
        kind, _, type_name = type_.partition(":")
        return Variant(label, kind, type_name, default, int(number), forks(having))

    def value(row: str) -> tuple[int, int]:
        _, _, number, having = row.split("\t")
        return int(number), forks(having)

    def table(name: str, cell: Callable[[str], object]) -> _Table:
        rows = _content(name).split("\n")[1:-1]

        def cells(part: range, prefix: str) -> tuple[object, ...]:
            return tuple(map(cell, rows[part.start : part.stop]))

        def inner(part: range, prefix: str) -> _Table:
            return _Table(rows, part, prefix, cells)

        return _Table(rows, range(len(rows)), "", inner)

    fields = table("fields.tsv", variant)
    required: dict[str, dict[str, None]] = {}
    for row in fields.rows:
        if "\trequired\t" in row:
            message, name, *_ = row.split("\t")
            required.setdefault(message, {})[name] = None
    return Schema(names, fields, table("enums.tsv", value), required)


@cache
def _holders() -> dict[str, list[str]]:
    """The messages that have a field, by its name."""
    found: dict[str, dict[str, None]] = {}
    for row in _content("fields.tsv").split("\n")[1:-1]:
        message, name, _ = row.split("\t", 2)
        found.setdefault(name, {})[message] = None
    return {name: list(messages) for name, messages in found.items()}


def _content(name: str) -> str:
    with open(join(DATA, name), encoding="utf-8") as file:
        return file.read()


# ---------------------------------------------------------------- taking the tables over


class TableError(Exception):
    """A table that cannot be taken over; the message names the line."""


def checked(lines: Iterable[str], columns: int, types: frozenset[str]) -> list[str]:
    """The lines of a table, sorted, each once.

    Raises:
        TableError: a line has the wrong shape.
    """
    out = set()
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if len(cells) != columns or not cells[-1] or not cells[-2].lstrip("-").isdigit():
            raise TableError(f"line {number}: {line!r}")
        if columns == 7 and (cells[2] not in LABELS or cells[3].partition(":")[0] not in types):
            raise TableError(f"line {number}: no such label or type: {line!r}")
        out.add(line)
    return sorted(out)


def forks_of(lines: Iterable[str]) -> list[str]:
    """The forks of tables, in the order in which they first come up: that of their bits."""
    return list(dict.fromkeys(name for line in lines for name in line.rpartition("\t")[2].split(",")))


def main(folder: str) -> None:
    """Take the tables over."""
    taken = []
    for name, columns in (("fields", 7), ("enums", 4)):
        with open(join(folder, f"caffe_{name}.tsv"), encoding="utf-8") as file:
            head, *lines = file.read().splitlines()
        rows = checked(lines, columns, SCALARS | {"message", "enum"})
        _write(f"{name}.tsv", [head, *rows])
        print(f"{name}: {len(rows)} rows")
        taken += rows
    _write("forks.txt", forks_of(taken))


def _write(name: str, lines: list[str]) -> None:
    with open(join(DATA, name), "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
