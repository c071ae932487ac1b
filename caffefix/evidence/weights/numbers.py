"""What weights look like: sizes, zeros, rows. They are read in parts, so memory stays small. Needs NumPy."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from caffefix._startup.records import dataclass
from caffefix.caffe.wire import Store
from caffefix.evidence.weights.model import Blob, Numbers

# Bytes that are read at once.
_PART = 1 << 22
# Rows of more values are not compared: one is held in memory.
_ROW = 1 << 20


@dataclass(frozen=True, slots=True)
class Look:
    """What the values of a blob look like.

    Attributes:
        count: how many there are.
        mean_abs: sum |x| / count of the finite ones, as debug_info prints it; nan if there are none.
        zeros: how many are exactly zero.
        nans: how many are not a number.
        infinite: how many are infinite.
        low: the least finite one.
        high: the greatest finite one.
        zero_rows: how many rows (values of one output) are zero throughout.
        equal_rows: whether there are several rows, not zero, and all of them are equal.
    """

    count: int
    mean_abs: float
    zeros: int
    nans: int
    infinite: int
    low: float
    high: float
    zero_rows: int = 0
    equal_rows: bool = False

    @property
    def all_zero(self) -> bool:
        """Whether there are values, and all of them are zero."""
        return 0 < self.count == self.zeros


def look(store: Store, blob: Blob) -> Look:
    """What the values of a blob look like.

    Args:
        store: the model file.
        blob: of one of its layers.

    Raises:
        ImportError: NumPy is not installed.
    """
    import numpy as np

    sums = _Sums()
    rows = _Rows(blob)
    for part in _parts(store, blob.numbers or ((blob.raw,) if blob.raw is not None else ())):
        sums.add(np, part)
        rows.add(np, part)
    finite = sums.count - sums.nans - sums.infinite
    mean = sums.total / finite if finite else math.nan
    low, high = (sums.low, sums.high) if finite else (math.nan, math.nan)
    return Look(
        sums.count, mean, sums.zeros, sums.nans, sums.infinite, low, high,
        zero_rows=rows.zero, equal_rows=rows.all_equal and sums.zeros != sums.count,
    )  # fmt: skip


def _parts(store: Store, numbers: tuple[Numbers, ...]) -> Iterator[Any]:
    """The values in order, as arrays of doubles."""
    import numpy as np

    for run in numbers:
        step = _PART // run.step
        for first in range(0, run.count, step):
            size = min(step, run.count - first)
            data = store.read(run.start + first * run.step, run.start + (first + size) * run.step)
            if len(data) < size * run.step:  # the last one of a run of unpacked numbers has no tag after it
                data = data.ljust(size * run.step, b"\0")
            width = run.layout.size
            if run.step == width:
                yield np.frombuffer(data, run.layout.value).astype(np.float64)
            else:
                cells = np.frombuffer(data, np.uint8).reshape(size, run.step)[:, :width]
                yield np.ascontiguousarray(cells).view(run.layout.value).ravel().astype(np.float64)


class _Sums:
    """Counts over all values."""

    def __init__(self) -> None:
        self.count = self.zeros = self.nans = self.infinite = 0
        self.total = 0.0
        self.low, self.high = math.inf, -math.inf

    def add(self, np: Any, part: Any) -> None:
        finite = part[np.isfinite(part)]
        nans = int(np.isnan(part).sum())
        self.count += part.size
        self.zeros += int((part == 0).sum())
        self.nans += nans
        self.infinite += part.size - finite.size - nans
        if finite.size:
            self.total += float(np.abs(finite).sum())
            self.low, self.high = min(self.low, float(finite.min())), max(self.high, float(finite.max()))


class _Rows:
    """The values of each output, in turn: compared with the first, and with zero."""

    def __init__(self, blob: Blob) -> None:
        shape = [dim for dim in blob.shape if dim != 1] if blob.legacy is not None else [*blob.shape]
        whole = blob.count or (blob.raw.count if blob.raw is not None else 0)
        number = shape[0] if len(shape) > 1 else 1
        size = whole // number if number > 1 and not whole % number else 0
        self._size = size if size <= _ROW else 0
        self._left: Any = None
        self._first: Any = None
        self.zero = 0
        self.all_equal = bool(self._size)

    def add(self, np: Any, part: Any) -> None:
        if not self._size:
            return
        if self._left is not None:
            part = np.concatenate((self._left, part))
        full = part.size // self._size
        rows = part[: full * self._size].reshape(full, self._size)
        self._left = part[full * self._size :]
        if not full:
            return
        if self._first is None:
            self._first = rows[0].copy()
        self.zero += int((~rows.any(axis=1)).sum())
        self.all_equal = self.all_equal and bool((rows == self._first).all())
