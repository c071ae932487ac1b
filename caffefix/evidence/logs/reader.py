"""Reads a log as a stream: its length costs time, never memory.

What is kept is bounded: figures for at most ``_BLOBS`` blobs (a net of 1,000 layers has some 6,000),
the solver's parameters and two nets, a name for each layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from caffefix.evidence.logs import grammar
from caffefix.evidence.logs.grammar import (
    Batch,
    BlobValue,
    Header,
    Iteration,
    Output,
    Rate,
    Setting,
    Shape,
    Totals,
)
from caffefix.evidence.logs.model import Dump, NonFinite, Series, Track, TrainingLog
from caffefix.evidence.logs.stream import Line, Readable, lines

_BLOBS = 50_000
_OUTPUTS = 1_000
_LAYERS = 20_000
_PLACES = 2_000
_DUMP = 4 << 20
# glog's kMaxLogMessageLen: longer messages are cut here.
_GLOG_LIMIT = 29_900

_T = TypeVar("_T")


class NotALogError(Exception):
    """The file has nothing written by Caffe; the message says what it looks like."""


def read_log(path: str, stream: Readable, progress: Callable[[int], None] | None = None) -> TrainingLog:
    """The summary of a log.

    Args:
        path: what messages call it.
        stream: its bytes.
        progress: called with the number of bytes read, from time to time.

    Raises:
        NotALogError: it has no line written by Caffe.
    """
    reader = _Reader()
    first = ""
    for line in lines(stream, progress):
        first = first or line.text[:200]
        reader.line(line)
    log = reader.result(path)
    if not log.records:
        raise NotALogError(f"{path}: {_looks_like(first)}")
    return log


def _looks_like(first: str) -> str:
    if not first.strip():
        return "the log is empty; Caffe logs to standard error: caffe train … 2> train.log"
    if first.startswith("\x1f\x8b"):
        return "the log is compressed; unpack it: zcat LOG | caffefix log -"
    if "\0" in first:
        return "not a Caffe log: it is binary"
    return "no line in it was written by Caffe (I0123 23:17:49.498327 15230 solver.cpp:228] …)"


class _Dumping:
    """A message in text format that is being printed."""

    def __init__(self, kind: str, line: int) -> None:
        self.kind = kind
        self.line = line
        self.parts: list[str] = []
        self.size = 0
        self.is_whole = True

    def add(self, text: str) -> None:
        self.size += len(text) + 1
        if self.size > _DUMP:
            self.is_whole = False
        else:
            self.parts.append(text)

    def result(self) -> Dump:
        """The dump; one that glog cut keeps its whole top-level messages."""
        text = "".join(f"{part}\n" for part in self.parts)
        is_complete = self.is_whole and not (self.size >= _GLOG_LIMIT and not text.endswith("\n}\n"))
        if not is_complete:
            end = text.rfind("\n}\n")
            text = text[: end + 3] if end >= 0 else ""
        return Dump(self.kind, self.line, text, is_complete)


class _Reader:
    def __init__(self) -> None:
        self.number = 0
        self.records = 0
        self.places: set[tuple[str, int, type]] = set()
        self.sources: dict[tuple[str, str], set[int]] = {}
        self.files: set[str] = set()
        self.traits: set[str] = set()
        self.tracks: dict[tuple[str, str, str, str, str], Track] = {}
        self.dropped = 0
        self.nonfinite: NonFinite | None = None
        self.totals: list[Totals] = []
        self.loss = Series("train", "loss")
        self.rate = Series("train", "lr")
        self.outputs: dict[tuple[str, str], Series] = {}
        self.iteration = 0
        self.layers: dict[str, list[tuple[int, ...]]] = {}
        self.setting_up = ""
        self.backward: dict[str, bool] = {}
        self.nets = 0
        self.dumping: _Dumping | None = None
        self.dumps: dict[str, Dump] = {}
        self.weights: list[str] = []
        self.ignored: list[str] = []
        self.fatal = ""
        self.fatal_line = 0
        self.is_done = self.is_benchmark = False
        self.handlers: dict[type, Callable[..., None]] = {
            BlobValue: self._blob,
            Totals: self._totals,
            Iteration: self._iteration,
            Rate: self._rate,
            Output: self._output,
            Batch: self._batch,
            grammar.Testing: self._testing,
            Shape: self._shape,
            Setting: self._setting,
        }

    def line(self, line: Line) -> None:
        """Process a line."""
        self.number = line.number
        for record in grammar.records(line.text):
            header, body = record.header, record.body
            if header is None and body.startswith("*** SIG") and not self.fatal:
                self.fatal, self.fatal_line = body.strip("* \n")[:500], self.number
            event = grammar.event(body, has_header=header is not None)
            if header is None and event is None:
                if self.dumping is not None:
                    self.dumping.add(line.text)
                continue
            self.records += 1
            if header is not None:
                self._header(header, body, event)
            is_cut = record.is_cut or not line.is_whole
            if event is not None and not (is_cut and grammar.ends_in_number(event)):
                self.handlers[type(event)](event)

    def _header(self, header: Header, body: str, event: grammar.Event | None) -> None:
        if self.dumping is not None:
            self._end_dump()
        # What a line of the source prints is recorded once.
        place = (header.file, header.line, type(event))
        if place in self.places:
            return
        if len(self.places) < _PLACES:
            self.places.add(place)
        self._source(header, body, event)

    def _source(self, header: Header, body: str, event: grammar.Event | None) -> None:
        """Record which line of the source prints what."""
        if len(header.file) > 100 or len(self.files) >= _PLACES:
            return
        self.files.add(header.file)
        if header.severity == "F" and not self.fatal:
            self.fatal = f"{header.file}:{header.line}: {body.strip()[:500]}"
            self.fatal_line = self.number
        if event is None:
            return
        if isinstance(event, Rate) and ", wd = " in body:
            self.traits.add("rates-with-decay")
        if isinstance(event, BlobValue) and "[debug_info]" in body:
            self.traits.add("debug-info-prefix")
        self.sources.setdefault((header.file, grammar.kind_of(event)), set()).add(header.line)

    # ------------------------------------------------------------ what is logged while training

    def _blob(self, event: BlobValue) -> None:
        key = (event.direction, event.layer, event.role, event.blob, event.quantity)
        track = self.tracks.get(key)
        if track is None:
            if len(self.tracks) >= _BLOBS:
                self.dropped += 1
                return
            track = self.tracks[key] = Track(*key, self.number)
        track.add(event.value, self.number)
        if self.nonfinite is None and not math.isfinite(event.value):
            self.nonfinite = NonFinite(self.number, *key, event.value)

    def _totals(self, event: Totals) -> None:
        del self.totals[1:]
        self.totals.append(event)

    def _iteration(self, event: Iteration) -> None:
        self.iteration = event.iteration
        self.loss.add(event.iteration, event.loss)

    def _rate(self, event: Rate) -> None:
        self.rate.add(event.iteration, event.rate)

    def _testing(self, event: grammar.Testing) -> None:
        self.iteration = event.iteration

    def _output(self, event: Output) -> None:
        self._series(event.phase, event.name, event.weight).add(self.iteration, event.value)

    def _batch(self, event: Batch) -> None:
        self._series("batch", event.name, None).add(event.index, event.value)

    def _series(self, phase: str, name: str, weight: float | None) -> Series:
        found = self.outputs.get((phase, name))
        if found is None:
            found = Series(phase, name, weight)
            if len(self.outputs) < _OUTPUTS:
                self.outputs[phase, name] = found
        return found

    # ------------------------------------------------------------ what is logged at the start

    def _shape(self, event: Shape) -> None:
        tops = self.layers.get(self.setting_up)
        if self.nets <= 1 and tops is not None and len(tops) < 64:
            tops.append(event.dims)

    def _setting(self, event: Setting) -> None:
        kind, name = event.kind, event.name
        if kind in ("solver-parameters", "net-parameters"):
            self.nets += kind == "net-parameters"
            self.dumping = _Dumping(kind.partition("-")[0], self.number)
        elif kind in ("creating-layer", "setting-up"):
            self.setting_up = name
            if self.nets <= 1 and len(self.layers) < _LAYERS:
                self.layers.setdefault(name, [])
        elif kind in ("needs-backward", "no-backward"):
            if self.nets <= 1 and len(self.backward) < _LAYERS:
                self.backward.setdefault(name, kind == "needs-backward")
        elif kind in ("finetuning", "resuming", "restoring"):
            _remember(self.weights, name)
        elif kind == "ignoring-layer":
            _remember(self.ignored, name)
        elif kind == "gpu-memory":
            self.traits.add("gpu-memory-manager")
        self.is_done |= kind == "done"
        self.is_benchmark |= kind == "benchmark"

    def _end_dump(self) -> None:
        assert self.dumping is not None
        dump = self.dumping.result()
        self.dumping = None
        self.dumps.setdefault(dump.kind if dump.kind == "solver" else dump.phase, dump)

    def result(self, path: str) -> TrainingLog:
        """The summary of what was read."""
        if self.dumping is not None:
            self._end_dump()
        return TrainingLog(
            path=path,
            lines=self.number,
            records=self.records,
            sources={key: frozenset(found) for key, found in self.sources.items()},
            files=frozenset(self.files),
            traits=frozenset(self.traits),
            tracks=tuple(self.tracks.values()),
            dropped=self.dropped,
            nonfinite=self.nonfinite,
            totals=tuple(self.totals),
            loss=self.loss if self.loss.count else None,
            outputs=tuple(self.outputs.values()),
            rate=self.rate if self.rate.count else None,
            layers=tuple(self.layers),
            shapes={name: tuple(tops) for name, tops in self.layers.items() if tops},
            backward=self.backward,
            dumps=tuple(self.dumps.values()),
            nets=self.nets,
            weights=tuple(self.weights),
            ignored=tuple(self.ignored),
            fatal=self.fatal,
            fatal_line=self.fatal_line,
            is_done=self.is_done,
            is_benchmark=self.is_benchmark,
        )


def _remember(names: list[str], name: str) -> None:
    if len(names) < 200 and name not in names:
        names.append(name)
