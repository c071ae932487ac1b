"""Which messages of parameters BVLC's layer types read, and which they require."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache

from caffefix.caffe.layers.book import BOOK, kind_of
from caffefix.caffe.layers.bvlc import is_bvlc_type
from caffefix.caffe.net import Layer


@cache
def _of_bvlc() -> frozenset[str]:
    return frozenset(name for kind in BOOK.values() if is_bvlc_type(kind.name) for name in kind.params)


def messages(layer: Layer) -> list[str]:
    """The messages of parameters that a layer has, as BVLC's ``LayerParameter`` calls them."""
    return [name for name in layer.node.block.places() if name in _of_bvlc()]


def reads(layer_type: str, given: Collection[str]) -> bool:
    """Whether one of BVLC's types reads all of these messages."""
    return set(given).issubset(kind_of(layer_type).params)


def reading(given: Collection[str]) -> Iterator[str]:
    """BVLC's types that read all of these messages."""
    return (name for name, kind in BOOK.items() if kind.params and is_bvlc_type(name) and reads(name, given))


def lacks(layer_type: str, given: Collection[str]) -> str:
    """The message that a layer of this type requires and does not have; empty if there is none."""
    kind = kind_of(layer_type)
    return kind.own if kind.needs_params and kind.own not in given else ""
