"""The schema of 48 forks of caffe.proto as one: which fields, of which types, in which forks.

``data/fields.tsv`` and ``data/enums.tsv`` list each field and enum value with the forks that
define it. Text needs names only, so one union serves; where forks disagree on a type, all are
kept. A set of forks is an int with a bit for each.

``python -m caffefix.caffe.schema FOLDER`` takes the tables over from a folder with
``caffe_fields.tsv`` and ``caffe_enums.tsv``, checked and sorted.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from caffefix.records import dataclass

DATA = Path(__file__).with_name("data")
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
    """

    forks: tuple[str, ...]
    messages: dict[str, dict[str, tuple[Variant, ...]]]
    enums: dict[str, dict[str, tuple[tuple[int, int], ...]]]

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
        return [message for message, fields in self.messages.items() if field in fields]


class _Forks(dict[str, int]):
    """Sets of forks by how the tables write them; a name gets its bit when it first comes up."""

    def __init__(self) -> None:
        super().__init__()
        self.names: dict[str, int] = {}

    def __missing__(self, text: str) -> int:
        forks = 0
        for name in text.split(","):
            forks |= 1 << self.names.setdefault(name, len(self.names))
        self[text] = forks
        return forks


@cache
def load() -> Schema:
    """The schema; 10 ms the first time."""
    forks = _Forks()
    messages: dict[str, dict[str, tuple[Variant, ...]]] = {}
    for message, name, label, type_, default, number, dialects in _rows("fields.tsv"):
        kind, _, type_name = type_.partition(":")
        variant = Variant(label, kind, type_name, default, int(number), forks[dialects])
        fields = messages.setdefault(message, {})
        fields[name] = (*fields.get(name, ()), variant)
    enums: dict[str, dict[str, tuple[tuple[int, int], ...]]] = {}
    for enum, value, number, dialects in _rows("enums.tsv"):
        values = enums.setdefault(enum, {})
        values[value] = (*values.get(value, ()), (int(number), forks[dialects]))
    return Schema(tuple(forks.names), messages, enums)


def _rows(name: str) -> Iterator[list[str]]:
    lines = (DATA / name).read_text(encoding="utf-8").split("\n")
    for line in lines[1:-1]:
        yield line.split("\t")


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


def main(folder: str) -> None:
    """Take the tables over."""
    for name, columns in (("fields", 7), ("enums", 4)):
        head, *lines = (Path(folder) / f"caffe_{name}.tsv").read_text(encoding="utf-8").splitlines()
        rows = checked(lines, columns, SCALARS | {"message", "enum"})
        (DATA / f"{name}.tsv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
        print(f"{name}: {len(rows)} rows")


if __name__ == "__main__":
    main(sys.argv[1])
