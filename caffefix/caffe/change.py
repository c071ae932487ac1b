"""One difference in meaning, as plain text, so that reports do not need protobuf."""

from __future__ import annotations

from caffefix._startup.records import dataclass


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between the meanings of two files.

    Attributes:
        place: the solver's field that holds the net; empty for a file that is a net.
        layer: name of the layer, or empty for a field of the net or solver itself.
        ordinal: the index among the layers of that name, from 0.
        path: the field, with positions: ``param[1].lr_mult``; empty for a whole layer, ``order``
            for its place among the layers, ``unloadable`` for why Caffe cannot load the file.
        old: as prototxt; empty if it is absent.
        new: as prototxt; empty if it is absent.
    """

    place: str
    layer: str
    ordinal: int
    path: str
    old: str
    new: str
