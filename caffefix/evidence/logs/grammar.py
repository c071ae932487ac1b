"""The grammar of log lines, with an example of each.

A record is a header of glog's and a body::

    I0123 23:19:12.688591 15230 net.cpp:608]     [Forward] Layer conv1_1, top blob conv1_1 data: 0
    ^ severity, month and day (newer: also year), time, thread, source file and line

Anything may precede it: a cloud's own time stamp, a number, the rest of a line of another thread. A line may hold
two records where one thread interrupted another, and may have lost its header where somebody elided it: then only
unmistakable bodies are read.

Numbers of debug_info are means of absolute values (net.cpp: asum / count), not L2 norms. Sources:
BVLC's net.cpp, solver.cpp, sgd_solver.cpp; ``[debug_info]`` and ``[Update]`` lines are of 2014–15.

The object created for each line of a log is a NamedTuple: a frozen dataclass takes three times as long to create.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from caffefix._startup.records import dataclass

_HEADER = re.compile(
    r"([IWEF])(?:\d{4}|\d{8}) +\d\d:\d\d:\d\d\.\d+ +(?:0x)?[\da-f]+ +([^\s:\]]+):(\d+)\] ?"
    r"|(INFO|WARNING|ERROR|FATAL): (?:\S*/)?(\S+) : line (\d+) : "
)
# Visual Studio before 2015 prints 1.#QNAN, -1.#IND and 1.#INF.
_NUMBER = r"[-+]?(?:nan|inf|\d\.#[A-Za-z]+\d*|\d+(?:\.\d*)?(?:e[-+]?\d+)?|\.\d+(?:e[-+]?\d+)?)"


def number(text: str) -> float:
    """A number as C++ prints it."""
    head, odd, kind = text.lower().partition(".#")
    if odd:
        return math.copysign(math.inf, float(head)) if kind.startswith("inf") else math.nan
    return float(text)


# Longer names and bodies are not Caffe's, or not worth the time.
_NAME_LIMIT = 512
_BODY_LIMIT = 4096


class Header(NamedTuple):
    """The header that glog writes: severity ``I``, ``W``, ``E`` or ``F``, source file and its line."""

    severity: str
    file: str
    line: int


class BlobValue(NamedTuple):
    """``[Forward] Layer conv1, top blob conv1 data: 3.80577``.

    Attributes:
        direction: ``Forward``, ``Backward`` or ``Update``.
        layer: the layer's name; layers named ``…_split`` are Caffe's own.
        role: ``top``, ``bottom`` or ``param``.
        blob: its name; for a param its index, or its name under ``param { name }``.
        quantity: ``data`` or ``diff``.
        value: mean of absolute values.
    """

    direction: str
    layer: str
    role: str
    blob: str
    quantity: str
    value: float


@dataclass(frozen=True, slots=True)
class Totals:
    """``[Backward] All net params (data, diff): L1 norm = (111.926, 0.125203); L2 norm = (1.18, 0.0578)``.

    Sums, not means, over all parameters that learn.
    """

    l1_data: float
    l1_diff: float
    l2_data: float
    l2_diff: float


@dataclass(frozen=True, slots=True)
class Iteration:
    """``Iteration 50 (2.5 iter/s, 8s/20 iters), loss = 0.69``."""

    iteration: int
    loss: float


@dataclass(frozen=True, slots=True)
class Rate:
    """``Iteration 50, lr = 0.001``; NVCaffe since 0.16 adds ``, m = 0.9, wd = 0.0005``."""

    iteration: int
    rate: float


@dataclass(frozen=True, slots=True)
class Output:
    """``Train net output #0: loss = 0.69 (* 1 = 0.69 loss)``; ``weight`` is None without a loss."""

    phase: str
    index: int
    name: str
    value: float
    weight: float | None


@dataclass(frozen=True, slots=True)
class Testing:
    """``Iteration 500, Testing net (#0)``."""

    iteration: int
    net: int


@dataclass(frozen=True, slots=True)
class Batch:
    """``Batch 998, loss = 1.58``: a line of ``caffe test``."""

    index: int
    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Shape:
    """``Top shape: 32 3 227 227 (4946784)``."""

    dims: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A message that contains a name: ``Creating Layer conv1``, ``Finetuning from x.caffemodel``.

    Attributes:
        kind: which message it is; see ``_NAMED``.
        name: what it names; empty where it names nothing.
    """

    kind: str
    name: str = ""


Event = BlobValue | Totals | Iteration | Rate | Output | Testing | Batch | Shape | Setting


class Record(NamedTuple):
    """A header and its body, or a body that has lost its header.

    Attributes:
        is_cut: whether the body may continue elsewhere: another record interrupts it.
    """

    header: Header | None
    body: str
    is_cut: bool = False


def records(line: str) -> Iterator[Record]:
    """The records of a line; a line without a header is one body."""
    match = _HEADER.search(line)
    if match is None:
        yield Record(None, line)
        return
    while match is not None:
        start = match.end()
        header = _header(match)
        # A second header in a line is rare: search only where a file name makes it possible.
        again = line.find(".cpp:", start) >= 0 or line.find(".hpp:", start) >= 0
        match = _HEADER.search(line, start) if again else None
        end = match.start() if match is not None else len(line)
        yield Record(header, line[start:end], match is not None)


def _header(match: re.Match[str]) -> Header:
    severity, file, number, word, long_file, long_number = match.groups()
    return Header(severity or word[0], file or long_file, int(number or long_number))


def ends_in_number(event: Event) -> bool:
    """Whether a message ends in a number: where it was cut, the number may have more digits."""
    return isinstance(event, (BlobValue, Iteration, Rate, Batch)) or (
        isinstance(event, Output) and event.weight is None
    )


def kind_of(event: Event) -> str:
    """A name for the message, the same in all forks, from which the fingerprints of ``forks`` are built."""
    if isinstance(event, BlobValue):
        return f"{event.direction.lower()}-{event.role}"
    if isinstance(event, Output):
        return f"{event.phase}-output"
    return event.kind if isinstance(event, Setting) else type(event).__name__.lower()


def event(body: str, *, has_header: bool = True) -> Event | None:
    """The event of a body, or None for a body without meaning here.

    Args:
        body: what follows the header, or a whole line without one.
        has_header: whether there was a header; without one, only unmistakable bodies are read.
    """
    if len(body) > _BODY_LIMIT:
        return None
    text = body.strip()
    if not has_header:
        match = _UNMISTAKABLE.search(text)
        if match is None:
            return None
        text = text[match.start() :]
    read = _READERS.get(text.partition(" ")[0])
    found = read(text) if read is not None else None
    if found is None and has_header:
        found = _about_layer(text)
    return found


_UNMISTAKABLE = re.compile(
    r"\[(?:Forward|Backward|Update)\] (?:Layer|All)|Iteration \d+[,( ]|(?:Train|Test) net output #"
)
_BLOB = re.compile(
    r"\[(Forward|Backward|Update)\] Layer (.+?), (top blob|bottom blob|param blob|param) (.+?) "
    r"(?:\(owned by layer .*?\) )?"
    rf"(data|diff): ({_NUMBER})(?:; diff: ({_NUMBER}))?(?: \(({_NUMBER})\))?(?=\s|$)"
)
_TOTALS = re.compile(
    rf"All net params \(data, diff\): L1 norm = \(({_NUMBER}), ({_NUMBER})\); "
    rf"L2 norm = \(({_NUMBER}), ({_NUMBER})\)"
)
_LOSS = re.compile(rf"Iteration (\d+)(?: \([^)]*\))?, .*?loss = ({_NUMBER})(?=\s|$)")
_RATE = re.compile(rf"Iteration (\d+), lr = ({_NUMBER})(?=[\s,]|$)")
_TESTING = re.compile(r"Iteration (\d+), Testing net \(#(\d+)\)")
_OUTPUT = re.compile(
    rf"(Train|Test) net output #(\d+): (.+) = ({_NUMBER})(?: \(\* ({_NUMBER}) = {_NUMBER} loss\))?$"
)
_BATCH = re.compile(rf"Batch (\d+), (.+) = ({_NUMBER})$")
_DIMS = re.compile(r"Top shape: ((?:\d+ )*)\(\d+\)")


def _blob(text: str) -> Event | None:
    match = _BLOB.match(text)
    if match is None:
        return _totals(text)
    direction, layer, role, blob, quantity, value, diff, mean = match.groups()
    if len(layer) > _NAME_LIMIT or len(blob) > _NAME_LIMIT:
        return None
    if diff is not None:  # [Update] gives both; what matters is the step
        quantity, value = "diff", diff
    # The format of 2014 gives the sum, and the mean in parentheses.
    return BlobValue(
        direction=direction,
        layer=layer,
        role=role.partition(" ")[0],
        blob=blob,
        quantity=quantity,
        value=number(mean or value),
    )


def _totals(text: str) -> Event | None:
    match = _TOTALS.search(text)
    return Totals(*map(float, match.groups())) if match is not None else None


def _old_blob(text: str) -> Event | None:
    rest = text.removeprefix("[debug_info]").lstrip()
    return _blob(rest)


def _iteration(text: str) -> Event | None:
    match = _RATE.match(text)
    if match is not None:
        return Rate(int(match[1]), number(match[2]))
    match = _TESTING.match(text)
    if match is not None:
        return Testing(int(match[1]), int(match[2]))
    match = _LOSS.match(text)
    return Iteration(int(match[1]), number(match[2])) if match is not None else None


def _output(text: str) -> Event | None:
    match = _OUTPUT.match(text)
    if match is None or len(match[3]) > _NAME_LIMIT:
        return None
    weight = number(match[5]) if match[5] is not None else None
    return Output(match[1].lower(), int(match[2]), match[3], number(match[4]), weight)


def _batch(text: str) -> Event | None:
    match = _BATCH.match(text)
    if match is None or len(match[2]) > _NAME_LIMIT:
        return None
    return Batch(int(match[1]), match[2], number(match[3]))


def _shape(text: str) -> Event | None:
    match = _DIMS.match(text)
    return Shape(tuple(map(int, match[1].split()))) if match is not None else None


# Beginnings of messages; what follows is the name.
_NAMED = {
    "Creating Layer ": "creating-layer",
    "Setting up ": "setting-up",
    "Initializing solver from parameters:": "solver-parameters",
    "Initializing net from parameters:": "net-parameters",
    "Creating training net": "creating-train-net",
    "Creating test net": "creating-test-net",
    "Finetuning from ": "finetuning",
    "Resuming from ": "resuming",
    "Restoring previous solver status from ": "restoring",
    "Ignoring source layer ": "ignoring-layer",
    "This network produces output ": "network-output",
    "Network initialization done.": "network-done",
    "Memory required for data: ": "memory",
    "Solver scaffolding done.": "scaffolding",
    "Solving ": "solving",
    "Learning Rate Policy: ": "policy",
    "Optimization Done.": "done",
    "The NetState phase ": "phase-rule",
    "*** Benchmark begins ***": "benchmark",
    "GPUMemory::Manager initialized": "gpu-memory",
    "Starting Optimization": "starting",
    "Snapshotting to ": "snapshot",
}


def _named(text: str) -> Event | None:
    for beginning, kind in _NAMED.items():
        if text.startswith(beginning):
            return Setting(kind, text[len(beginning) :].strip()[:_NAME_LIMIT])
    return None


def _about_layer(text: str) -> Event | None:
    """Messages that begin with the name of a layer."""
    if text.endswith(" needs backward computation."):
        return Setting("needs-backward", text[: -len(" needs backward computation.")][:_NAME_LIMIT])
    if text.endswith(" does not need backward computation."):
        return Setting("no-backward", text[: -len(" does not need backward computation.")][:_NAME_LIMIT])
    if " -> " in text:
        return Setting("in-place" if text.endswith(" (in-place)") else "top")
    return Setting("bottom") if " <- " in text else None


_READERS: dict[str, Callable[[str], Event | None]] = {
    "[Forward]": _blob,
    "[Backward]": _blob,
    "[Update]": _blob,
    "[debug_info]": _old_blob,
    "Iteration": _iteration,
    "Train": _output,
    "Test": _output,
    "Batch": _batch,
    "Top": _shape,
    **dict.fromkeys((beginning.partition(" ")[0] for beginning in _NAMED), _named),
}
