"""What is kept of a log: running figures instead of values, so the length costs no memory."""

from __future__ import annotations

import math
from collections import deque

from caffefix._startup.records import dataclass, field
from caffefix.evidence.logs.grammar import Totals

# How many of the latest values of a series are kept.
_TAIL = 50
# -log(FLT_MIN): the largest loss of SoftmaxWithLoss (softmax_loss_layer.cpp); on a GPU also of NaN logits.
SATURATED = 87.3365


@dataclass(slots=True)
class Track:
    """Figures of one blob over a log; the reader adds to it.

    Attributes:
        direction, layer, role, blob, quantity: as in ``grammar.BlobValue``.
        line: where it is first mentioned.
        count: how many values there are.
        zeros: how many of them are exactly 0.
        first, last: values.
        low, high: the smallest and largest finite value.
        bad_line: line of the first NaN or infinity; 0 if none.
        zero_line: line since which it is 0 without a break; 0 if the latest value is not 0.
    """

    direction: str
    layer: str
    role: str
    blob: str
    quantity: str
    line: int
    count: int = 0
    zeros: int = 0
    first: float = math.nan
    last: float = math.nan
    low: float = math.inf
    high: float = -math.inf
    bad_line: int = 0
    zero_line: int = 0

    def add(self, value: float, line: int) -> None:
        """Add a value."""
        if not self.count:
            self.first = value
        self.count += 1
        self.last = value
        if not math.isfinite(value):
            self.bad_line = self.bad_line or line
            self.zero_line = 0
            return
        self.low = min(self.low, value)
        self.high = max(self.high, value)
        if value == 0:
            self.zeros += 1
            self.zero_line = self.zero_line or line
        else:
            self.zero_line = 0

    @property
    def always_zero(self) -> bool:
        return self.zeros == self.count

    @property
    def died(self) -> bool:
        """Whether it was something and is zero since."""
        return bool(self.zero_line) and not self.always_zero


@dataclass(slots=True)
class Series:
    """Figures of something that is logged over the iterations: a loss, an output, a rate.

    Attributes:
        phase: ``train``, ``test``, or ``batch`` (of ``caffe test``).
        name: of the output; ``loss`` for the sum on Caffe's ``Iteration`` lines.
        weight: the loss weight; None if the output is not a loss.
        first, last: values; the first and last iteration are separate attributes.
        bad_iteration: iteration of the first NaN or infinity; None if none.
        total, finite: sum and number of the finite values.
        saturated: how many values are -log(FLT_MIN), times the weight.
        tail: the latest values, all finite.
    """

    phase: str
    name: str
    weight: float | None = None
    count: int = 0
    first: float = math.nan
    last: float = math.nan
    first_iteration: int = 0
    last_iteration: int = 0
    low: float = math.inf
    high: float = -math.inf
    total: float = 0.0
    finite: int = 0
    bad_iteration: int | None = None
    saturated: int = 0
    tail: deque[float] = field(default_factory=lambda: deque(maxlen=_TAIL))

    def add(self, iteration: int, value: float) -> None:
        """Add a value."""
        if not self.count:
            self.first, self.first_iteration = value, iteration
        self.count += 1
        self.last, self.last_iteration = value, iteration
        if not math.isfinite(value):
            if self.bad_iteration is None:
                self.bad_iteration = iteration
            return
        self.low = min(self.low, value)
        self.high = max(self.high, value)
        self.total += value
        self.finite += 1
        self.saturated += abs(value - SATURATED) < 1e-3
        self.tail.append(value)

    @property
    def mean(self) -> float:
        """Mean of all finite values; NaN if there is none."""
        return self.total / self.finite if self.finite else math.nan

    @property
    def level(self) -> float:
        """Mean of the latest values; NaN if none is finite."""
        return sum(self.tail) / len(self.tail) if self.tail else math.nan


@dataclass(frozen=True, slots=True)
class NonFinite:
    """The first blob whose value was NaN or infinite."""

    line: int
    direction: str
    layer: str
    role: str
    blob: str
    quantity: str
    value: float


@dataclass(frozen=True, slots=True)
class Dump:
    """A message that Caffe prints in text format when it starts.

    Attributes:
        kind: ``solver`` or ``net``.
        line: where it begins.
        text: the text, Latin-1.
        is_complete: False where it was cut (glog cuts at 30,000 bytes) or grew beyond what is kept.
    """

    kind: str
    line: int
    text: str
    is_complete: bool

    @property
    def phase(self) -> str:
        """Of a net: ``TRAIN`` or ``TEST``; its ``state`` comes before its layers."""
        return "TEST" if "\n  phase: TEST\n" in self.text[:400] else "TRAIN"


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """A log in summary.

    Attributes:
        path: what messages call it.
        lines: number of lines.
        records: number of lines that Caffe wrote.
        sources: lines of Caffe's source by (source file, kind of message).
        files: Caffe's source files that wrote something.
        traits: wordings that identify a fork: see ``forks``.
        tracks: blobs of debug_info in the order of their first mention.
        dropped: values of blobs beyond the number that is kept.
        nonfinite: the first blob that was NaN or infinite.
        totals: the first and the last line of totals over all parameters, or nothing.
        loss: of the ``Iteration`` lines.
        outputs: of the nets, in order of their first mention.
        rate: the learning rate.
        layers: that the first net to be set up creates, in order.
        shapes: dimensions of the tops of these, by layer.
        backward: which of these need backward computation.
        dumps: the solver's, and the first net's of each phase.
        nets: number of nets that were set up.
        weights: files that weights are taken from.
        ignored: layers of such files that the net does not have.
        fatal: what Caffe aborted with, and where; empty if it did not.
        fatal_line: line of the log.
        is_done: whether optimization came to its end.
        is_benchmark: whether the log is of ``caffe time``.
    """

    path: str
    lines: int
    records: int
    sources: dict[tuple[str, str], frozenset[int]]
    files: frozenset[str]
    traits: frozenset[str]
    tracks: tuple[Track, ...]
    dropped: int
    nonfinite: NonFinite | None
    totals: tuple[Totals, ...]
    loss: Series | None
    outputs: tuple[Series, ...]
    rate: Series | None
    layers: tuple[str, ...]
    shapes: dict[str, tuple[tuple[int, ...], ...]]
    backward: dict[str, bool]
    dumps: tuple[Dump, ...]
    nets: int
    weights: tuple[str, ...]
    ignored: tuple[str, ...]
    fatal: str
    fatal_line: int
    is_done: bool
    is_benchmark: bool

    @property
    def has_debug_info(self) -> bool:
        return bool(self.tracks)

    def of(self, direction: str, role: str, quantity: str) -> list[Track]:
        """The tracks of one kind, in order."""
        key = (direction, role, quantity)
        return [t for t in self.tracks if (t.direction, t.role, t.quantity) == key]

    @property
    def weights_data(self) -> list[Track]:
        """Values of parameters."""
        return self.of("Forward", "param", "data")

    @property
    def gradients(self) -> list[Track]:
        """Gradients of parameters; those with lr_mult 0 have none."""
        return self.of("Backward", "param", "diff") or self.of("Update", "param", "diff")

    @property
    def tops(self) -> list[Track]:
        return self.of("Forward", "top", "data")
