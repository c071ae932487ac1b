"""Made-up training logs: lines as Caffe writes them, and what is said of them."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Iterator

from caffefix.commands.log.results import LogReport
from caffefix.commands.log.work import report
from caffefix.evidence.logs.model import TrainingLog
from caffefix.evidence.logs.reader import read_log
from caffefix.syntax.source import Source

# net.cpp of BVLC 1.0: forward top, forward param, backward bottom, backward param, totals.
BVLC = (591, 603, 619, 630, 719)
NVCAFFE_15 = (638, 650, 665, 676, 760)


def record(body: str, file: str = "net.cpp", line: int = 1, severity: str = "I") -> str:
    return f"{severity}0304 10:00:00.000137   901 {file}:{line}] {body}\n"


def top(layer: str, value: float | str, blob: str = "", lines: tuple[int, ...] = BVLC) -> str:
    return record(f"    [Forward] Layer {layer}, top blob {blob or layer} data: {_number(value)}", line=lines[0])


def param(layer: str, index: int, value: float | str, lines: tuple[int, ...] = BVLC) -> str:
    return record(f"    [Forward] Layer {layer}, param blob {index} data: {_number(value)}", line=lines[1])


def bottom_diff(layer: str, blob: str, value: float | str) -> str:
    return record(f"    [Backward] Layer {layer}, bottom blob {blob} diff: {_number(value)}", line=BVLC[2])


def param_diff(layer: str, index: int, value: float | str) -> str:
    return record(f"    [Backward] Layer {layer}, param blob {index} diff: {_number(value)}", line=BVLC[3])


def totals(l1_data: float, l1_diff: float, l2_data: float = 1.5, l2_diff: float = 0.5) -> str:
    norms = f"L1 norm = ({l1_data:g}, {l1_diff:g}); L2 norm = ({l2_data:g}, {l2_diff:g})"
    return record(f"    [Backward] All net params (data, diff): {norms}", line=BVLC[4], severity="E")


def iteration(number: int, loss: float | str) -> str:
    speed = "(10 iter/s, 2s/20 iters)"
    return record(f"Iteration {number} {speed}, loss = {_number(loss)}", "solver.cpp", 218)


def losses(values: Iterable[float | str], step: int = 20) -> str:
    return "".join(iteration(index * step, value) for index, value in enumerate(values))


def read(text: str | bytes, name: str = "train.log") -> TrainingLog:
    return read_log(name, io.BytesIO(text.encode("latin-1") if isinstance(text, str) else text))


def told(text: str, net: str = "") -> LogReport:
    """What is said of a log, by itself or beside a net."""
    return report(read(text), Source("net.prototxt", net.encode()) if net else None)


def passes(count: int, fraction: float = 0.999) -> float:
    """BatchNorm's third blob after so many passes."""
    return math.fsum(fraction**i for i in range(count))


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


class Stream:
    """A stream of bytes that are made when they are asked for."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.size = 0

    def read(self, size: int, /) -> bytes:
        chunk = next(self._chunks, b"")
        self.size += len(chunk)
        return chunk


# conv2 is dead from the start, and what reads it.
DEAD = (
    top("data", 0.4, "data") + top("data", 0, "label")
    + top("conv1", 3) + param("conv1", 0, 0.1) + param("conv1", 1, 0) + top("relu1", 1.5, "conv1")
    + top("conv2", 0) + param("conv2", 0, 0) + param("conv2", 1, 0) + top("relu2", 0, "conv2")
    + top("ip", 0.01) + param("ip", 0, 0) + param("ip", 1, 0.01) + top("loss", 1.38)
)  # fmt: skip
