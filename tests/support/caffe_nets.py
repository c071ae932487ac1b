"""Nets for real Caffe: sources replaced by DummyData, many nets judged by one process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from caffefix.caffe.fillers import Shape
from caffefix.caffe.graph import build
from caffefix.caffe.net import Generation, Layer, Net, Phase
from caffefix.caffe.shapes import infer
from caffefix.syntax.green import pieces
from caffefix.syntax.parse import parse
from caffefix.syntax.tree import Node
from tests.conftest import ROOT

_KEPT = frozenset({"DummyData", "Input", "Parameter"})


@dataclass
class Job:
    """A net for Caffe to load, and to run, or to save and load again, if told so.

    ``beside`` has files for its folder, by name. With ``steps`` it is a solver, which takes as many.
    """

    name: str
    text: str
    phase: Phase = Phase.TRAIN
    run: bool = False
    reload: bool = False
    seed: int = 1
    beside: dict[str, str] = field(default_factory=dict)
    steps: int = 0


@dataclass
class Answer:
    """What Caffe said: why it aborted, or shapes, and the debug_info log of a pass; a solver's files."""

    name: str
    abort: str | None = None
    blobs: dict[str, list[int]] = field(default_factory=dict)
    params: dict[str, list[list[int]]] = field(default_factory=dict)
    layers: list[str] = field(default_factory=list)
    tops: dict[str, list[str]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)


def ask(python: str, jobs: Iterable[Job]) -> list[Answer]:
    """Give the nets to one process with real Caffe."""
    lines = "".join(json.dumps({**asdict(job), "phase": job.phase.value}) + "\n" for job in jobs)
    done = subprocess.run(
        [python, str(ROOT / "tests" / "support" / "caffe_batch.py")],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
    )
    return [Answer(**json.loads(line)) for line in done.stdout.splitlines()]


def with_dummy_data(
    text: str, phase: Phase, shapes: Mapping[str, Shape] | None = None, *, batch: int = 2, channels: int = 3
) -> str:
    """The net with its sources replaced: known sizes are kept, the batch is small.

    Args:
        text: the net.
        phase: whose sources count.
        shapes: of tops, by name, where the caller knows better.
        batch: for all sources.
        channels: of images where nothing says how many there are.
    """
    net = Net(parse(text).root)
    graph = build(net.view(phase), net.inputs)
    known = infer(graph, net, phase)
    edits = []
    for step in graph.steps:
        layer = step.layer
        if layer.bottoms or not layer.tops or layer.type in _KEPT:
            continue
        found = {top.name: known.of(top) for top in step.tops}
        filled = {
            name: (shapes or {}).get(name) or _complete(shape, slot, batch, channels)
            for slot, (name, shape) in enumerate(found.items())
        }
        edits.append((layer.node.start, layer.node.stop, _dummy(layer, filled)))
    for start, stop, new in reversed(edits):
        text = text[:start] + new + text[stop:]
    return text


def _complete(shape: Shape, slot: int, batch: int, channels: int) -> Shape:
    if (slot and shape is None) or (shape is not None and len(shape) == 1):
        return (batch,)
    if shape is None or len(shape) != 4:
        return (batch, channels, 224, 224)
    return (batch, shape[1] or channels, shape[2] or 224, shape[3] or 224)


def _dummy(layer: Layer, shapes: Mapping[str, Shape]) -> str:
    kind = 'layer { type: "DummyData"' if layer.generation is Generation.V2 else "layers { type: DUMMY_DATA"
    rules = [_source(node) for node in layer.node.children() if node.name in ("include", "exclude")]
    tops = [f'top: "{name}"' for name in shapes]
    dims = [f"shape {{ {' '.join(f'dim: {dim}' for dim in shape or ())} }}" for shape in shapes.values()]
    images, labels = 'data_filler { type: "gaussian" std: 1 }', "data_filler { value: 1 }"
    fillers = [images if len(shape or ()) > 1 else labels for shape in shapes.values()]
    fields = " ".join([*tops, *rules, "dummy_data_param {", *dims, *fillers, "}"])
    return f'{kind} name: "{layer.name}" {fields} }}'


def _source(node: Node) -> str:
    """A message as the file writes it."""
    return "".join(piece.text for piece in pieces(node.block)) + "\n"


def means(log: Sequence[str], what: str) -> dict[tuple[str, str], float]:
    """``[Forward]``/``[Backward]`` lines of a log as {(layer, blob): mean absolute value}."""
    found = {}
    for line in log:
        head, _, number = line.rpartition(": ")
        if head.startswith(what):
            layer, _, rest = head[len(what) :].partition(", ")
            found[layer.strip().removeprefix("Layer "), rest] = float(number)
    return found
