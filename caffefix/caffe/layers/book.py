"""The layer book: what is known about each layer type, by its name."""

from __future__ import annotations

from functools import lru_cache

from caffefix.caffe.layers import (
    activations,
    data,
    forks,
    joins,
    losses,
    norms,
    pooling,
    recurrent,
    reshape,
    weights,
)
from caffefix.caffe.layers.kind import LayerType

_FAMILIES = (weights, activations, norms, pooling, joins, losses, data, reshape, recurrent, forks)

BOOK: dict[str, LayerType] = {kind.name: kind for family in _FAMILIES for kind in family.TYPES}

# V1's names and numbers, and V2's name of each; V1's NONE is not a layer.
V1_TYPES: dict[str, str] = {"NONE": "", **{k.v1[0]: k.name for k in BOOK.values() if k.v1[0]}}
V1_NUMBERS: dict[int, str] = {0: "", **{k.v1[1]: k.name for k in BOOK.values() if k.v1[0]}}


def kind_of(name: str) -> LayerType:
    """The book's record of a type; for an unknown type, only what the name shows."""
    return BOOK.get(name) or _unknown(name)


@lru_cache(1 << 10)
def _unknown(name: str) -> LayerType:
    """By the forks' convention, the name of a loss says that it is one."""
    return LayerType(name, loss=name.endswith(("Loss", "LossLayer")))
