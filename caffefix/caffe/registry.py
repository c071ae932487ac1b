"""Which forks of Caffe register which layer types, solver types and fillers, and know which policies.

The tables next to those of the schema (``data/layers.tsv`` …) are read on demand. A set of forks is an int with a
bit for each, as in ``schema.load()``. Of some forks only the caffe.proto was read (converters have no layers):
what they register is unknown, so they are in no set here, neither of those that register a name nor in the result
of ``known``. To find the forks that lack a name, use ``known(kind) & ~registering(kind, name)``.
"""

from __future__ import annotations

import enum
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache

from caffefix._startup.records import dataclass
from caffefix.caffe.schema import forks_of, rows


class Kind(enum.Enum):
    """What is registered under a name."""

    LAYER = "layer type"
    SOLVER = "solver type"
    FILLER = "filler"
    POLICY = "lr_policy"


# Caffe's message for a name that is not registered.
ABORTS = {
    Kind.LAYER: "Unknown layer type",
    Kind.SOLVER: "Unknown solver type",
    Kind.FILLER: "Unknown filler name",
    Kind.POLICY: "Unknown learning rate policy",
}


class Form(enum.Enum):
    """How a layer's or solver's type is written: today's strings, the values of an enum, the strings of 2013."""

    STRING = "string"
    ENUM = "enum"
    V0 = "v0"


# A Caffe in which none of these was found was not read, or only in part.
_ANCHORS = {
    Kind.LAYER: (("InnerProduct", Form.STRING), ("INNER_PRODUCT", Form.ENUM), ("innerproduct", Form.V0)),
    Kind.SOLVER: (("SGD", Form.STRING), ("SGD", Form.ENUM)),
    Kind.FILLER: (("constant", Form.STRING),),
    Kind.POLICY: (("step", Form.STRING),),
}
_FILES = {Kind.LAYER: "layers", Kind.SOLVER: "solvers", Kind.FILLER: "fillers", Kind.POLICY: "policies"}
_FORMED = frozenset((Kind.LAYER, Kind.SOLVER))
_GENERATIONS = {Form.V0: "v0", Form.ENUM: "v1"}


@dataclass(frozen=True, slots=True)
class Fork:
    """Where a fork was read, and what of it.

    Attributes:
        name: ours.
        repository: owner and name; empty if the files came from elsewhere.
        ref: the branch or tag; empty for the main one.
        commit: the commit.
        date: its date, as YYYY-MM-DD.
        fields: how many fields of messages its caffe.proto has.
        layer_types: how many layer types were read; 0 if none were searched for.
        solver_types: the same of solver types.
        fillers: the same of fillers.
    """

    name: str
    repository: str
    ref: str
    commit: str
    date: str
    fields: int
    layer_types: int
    solver_types: int
    fillers: int


@cache
def forks() -> tuple[Fork, ...]:
    """All forks, in the order of their bits."""
    found = []
    for row in rows("forks.tsv"):
        name, repository, ref, commit, date, *counts = row.split("\t")
        found.append(Fork(name, repository, ref, commit, date, *map(int, counts)))
    return tuple(found)


@cache
def known(kind: Kind) -> int:
    """The forks whose registered names were read."""
    found = 0
    for name, form in anchored(kind):
        found |= _listed(kind, name, form)
    return found


def anchored(kind: Kind) -> tuple[tuple[str, Form], ...]:
    """Names of which every Caffe registers one: where none was found, nothing was read."""
    return _ANCHORS[kind]


@lru_cache(maxsize=1 << 12)
def registering(kind: Kind, name: str, form: Form = Form.STRING) -> int:
    """The forks that accept a name with this spelling.

    A type in an old form counts where the fork registers it in this form, or registers the result of its upgrade.
    """
    found = _listed(kind, name, form)
    if kind is Kind.LAYER and form is not Form.STRING:
        becomes = Form.ENUM if form is Form.V0 else Form.STRING
        for to, upgrading in upgrades(_GENERATIONS[form], name):
            found |= upgrading & registering(kind, to, becomes)
    return found


def names(kind: Kind, forks: int, form: Form = Form.STRING) -> Iterator[str]:
    """The names that some of these forks register, in that form."""
    for row in _rows(kind):
        cells = row.split("\t")
        if forks_of(cells[-1]) & forks and (kind not in _FORMED or cells[1] == form.value):
            yield cells[0]


@cache
def upgrades(generation: str, name: str) -> Sequence[tuple[str, int]]:
    """The results of forks' upgrades of a type of V0 (a string) or V1 (a value of its enum), each with the forks.

    Args:
        generation: ``v0`` or ``v1``.
        name: the type as written.
    """
    found = _starting(_upgrades(), f"{generation}\t{name}\t") if "\t" not in name else []
    cells = (row.split("\t") for row in found)
    return tuple((to, forks_of(having)) for _, _, to, having in cells)


def _listed(kind: Kind, name: str, form: Form) -> int:
    """The forks of a row of a table."""
    if "\t" in name:
        return 0
    head = f"{name}\t{form.value}\t" if kind in _FORMED else f"{name}\t"
    found = _starting(_rows(kind), head)
    return forks_of(found[0].rpartition("\t")[2]) if found else 0


@cache
def _rows(kind: Kind) -> list[str]:
    return rows(f"{_FILES[kind]}.tsv")


@cache
def _upgrades() -> list[str]:
    return rows("upgrades.tsv")


def _starting(table: list[str], head: str) -> list[str]:
    """The rows of a sorted table that start with a head, which ends with a tab."""
    first = bisect_left(table, head)
    return table[first : bisect_left(table, head[:-1] + "\n", first)]
