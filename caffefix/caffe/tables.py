"""Imports the tables of all known forks: checked, sorted, and with each set of forks written once.

``python -m caffefix.caffe.tables FOLDER`` reads the tables of a folder, in which a row ends with the names
of its forks, and writes ``caffe/data``; then run ``python -m dev regen``, ``python -m
dev.forks``, and everything else that is generated from the schema.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from os.path import join

from caffefix.caffe.schema import DATA, SCALARS

_LABELS = frozenset(("optional", "required", "repeated"))
_KINDS = SCALARS | {"message", "enum"}
_FORMS = frozenset(("string", "enum", "v0"))


class TableError(Exception):
    """A table that cannot be imported; the message names the line."""


def _is_number(cell: str) -> bool:
    return cell.removeprefix("-").isdecimal()


# How many columns a table has, its forks included, and what else must hold of a row's.
_TABLES: dict[str, tuple[int, Callable[[Sequence[str]], bool]]] = {
    "fields": (7, lambda c: c[2] in _LABELS and c[3].partition(":")[0] in _KINDS and _is_number(c[5])),
    "enums": (4, lambda c: _is_number(c[2])),
    "layers": (3, lambda c: c[1] in _FORMS),
    "solvers": (3, lambda c: c[1] in _FORMS),
    "fillers": (2, lambda c: True),
    "policies": (2, lambda c: True),
    "upgrades": (4, lambda c: c[0] in ("v0", "v1")),
}
# fork, repository, ref, commit, date; how many fields, layer types, solver types and fillers were read.
_FORK_COLUMNS = 9


def checked(name: str, lines: Iterable[str], forks: Sequence[str]) -> list[tuple[str, int]]:
    """The rows of a table, sorted, without duplicates: the columns before the forks, and the set of forks.

    Raises:
        TableError: a line has the wrong shape, or names an unknown fork.
    """
    columns, holds = _TABLES[name]
    bits = {fork: 1 << index for index, fork in enumerate(forks)}
    out: dict[str, int] = {}
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if len(cells) != columns or not holds(cells):
            raise TableError(f"{name}, line {number}: {line[:80]!r}")
        head, _, having = line.rpartition("\t")
        unknown = [fork for fork in having.split(",") if fork not in bits]
        if unknown or head in out:
            raise TableError(f"{name}, line {number}: {unknown or 'twice'}: {line[:80]!r}")
        out[head] = sum(bits[fork] for fork in set(having.split(",")))
    return sorted(out.items(), key=lambda row: row[0] + "\t")


def fork_names(lines: Iterable[str]) -> list[str]:
    """The forks, in the order of their bits.

    Raises:
        TableError: a line has the wrong shape.
    """
    names: list[str] = []
    for number, line in enumerate(lines, 2):
        cells = line.split("\t")
        if len(cells) != _FORK_COLUMNS or cells[0] in names or not all(map(_is_number, cells[5:])):
            raise TableError(f"forks, line {number}: {line[:80]!r}")
        names.append(cells[0])
    return names


def take_over(folder: str, target: str = DATA) -> None:
    """Write the tables of a folder into another, as the schema and the registry read them."""
    head, *lines = _lines(folder, "forks")
    forks = fork_names(lines)
    _write(target, "forks.tsv", [head, *lines])
    heads, tables = {}, {}
    for name in _TABLES:
        heads[name], *lines = _lines(folder, name)
        tables[name] = checked(name, lines, forks)
    uses = Counter(having for rows in tables.values() for _, having in rows)
    sets = sorted(uses, key=lambda having: (-uses[having], having))  # the most frequent have the shortest numbers
    numbers = {having: number for number, having in enumerate(sets)}
    _write(target, "sets.txt", [f"{having:x}" for having in sets])
    for name, rows in tables.items():
        _write(target, f"{name}.tsv", [heads[name], *(f"{row}\t{numbers[having]}" for row, having in rows)])


def _lines(folder: str, name: str) -> list[str]:
    with open(join(folder, f"{name}.tsv"), encoding="utf-8") as file:
        return file.read().splitlines()


def _write(folder: str, name: str, lines: list[str]) -> None:
    with open(join(folder, name), "w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    take_over(sys.argv[1])
