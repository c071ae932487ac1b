"""A model file as plain facts: its layers, their blobs, and where the numbers are."""

from __future__ import annotations

import enum

from caffefix._startup.records import dataclass


class Layout(enum.Enum):
    """How numbers are stored, as NumPy calls it; all little-endian."""

    FLOAT = "<f4"
    DOUBLE = "<f8"
    HALF = "<f2"
    INT = "<i4"
    UINT = "<u4"

    @property
    def size(self) -> int:
        """Bytes of a number."""
        return int(self.value[2:])


@dataclass(frozen=True, slots=True)
class Numbers:
    """Where numbers are.

    Attributes:
        layout: how they are stored.
        start: offset of the first.
        count: how many.
        step: bytes from one to the next.
    """

    layout: Layout
    start: int
    count: int
    step: int


@dataclass(frozen=True, slots=True)
class Blob:
    """A blob of a layer.

    Attributes:
        dims: its shape; None if it is stored in the old way.
        legacy: num, channels, height, width; None if none of these is stored.
        numbers: where its values are, as BVLC's Caffe reads them.
        raw: where NVCaffe keeps them, which other Caffes do not see; None if it did not write the blob.
    """

    dims: tuple[int, ...] | None
    legacy: tuple[int, ...] | None
    numbers: tuple[Numbers, ...]
    raw: Numbers | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape that Caffe gives it (``Blob::FromProto``): sizes in the old way win, if there are any."""
        return self.legacy if self.legacy is not None else self.dims or ()

    @property
    def count(self) -> int:
        """How many values are stored."""
        return sum(numbers.count for numbers in self.numbers)


@dataclass(frozen=True, slots=True)
class SourceLayer:
    """A layer of a model.

    Attributes:
        name: its name, one character per byte.
        type: as it is stored: a name, or the number of V1's enum.
        blobs: its parameters.
        offset: where it is in the file.
    """

    name: str
    type: str
    blobs: tuple[Blob, ...]
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Model:
    """What a model file holds.

    Attributes:
        name: of the net.
        generation: ``V0``, ``V1`` or ``V2``.
        layers: in file order, as Caffe sees them after its upgrade.
        has_both: whether there are layers of V1 and of V2, which Caffe refuses (``layers`` has those of V1).
        size: bytes of the file.
    """

    name: str
    generation: str
    layers: tuple[SourceLayer, ...]
    has_both: bool = False
    size: int = 0
