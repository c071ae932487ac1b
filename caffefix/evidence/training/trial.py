"""Proof by running: real Caffe trains a net before and after its repair on synthetic data.

The data layers are replaced by images of a few classes (``child``), everything else is the net's own, and Caffe's
own solver takes N steps. Both sides see the same images and the same seeds; each side's images pass through its
own transform.

``prove_verdict`` says when a net learns.
"""

from __future__ import annotations

import contextlib
import enum
import json
import math
import os
import re
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from caffefix.evidence.training.run import Exit, Interpreter, environment, find_interpreter, run, work_folder
from caffefix.evidence.training.sources import StatedInput, Unrepresentable
from caffefix.evidence.training.task import Feed, Task, make_task
from caffefix.evidence.training.verdict import Outcome, bound, mean_tail, outcome
from caffefix.evidence.training.words import caffes_words
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.scalars import quoted

# Called with the net's index, the number of iterations done and the latest loss, while Caffe trains.
Watch = Callable[[int, int, float], None]

# The script that runs inside Caffe's interpreter; never imported here.
_CHILD = Path(__file__).with_name("child")
_RESULT = "result.jsonl"
_OWN_NORM = (
    "this Caffe's BatchNorm does not normalise by the batch (tested): our own layer with BVLC's formulas ran"
)


class ProveError(Exception):
    """There is no verdict: the message says why and what to do."""


class TrialVerdict(enum.Enum):
    """What the repair did."""

    LEARNS = "learns"
    DOES_NOT_LEARN = "does not learn"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class TrialOptions:
    """How to train.

    Attributes:
        iterations: solver steps.
        batch: images in each; made even or a multiple of 3 or 5, so that classes fill it evenly.
        seed: of Caffe and of the data.
        timeout: seconds for each side.
        memory: bytes of address space for each side.
        caffe_python: interpreter, or empty to find one.
        given: what the user specifies about the data.
        solver: text of a solver whose rates are used, or None.
        rate: learning rate in place of the solver's; None to keep it.
    """

    iterations: int = 60
    batch: int = 10
    seed: int = 1
    timeout: float = 1800.0
    memory: int = 8 << 30
    caffe_python: str = ""
    given: StatedInput = field(default_factory=lambda: StatedInput({}))
    solver: str | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Side:
    """One net's run.

    Attributes:
        outcome: what training did.
        reason: why it does not load, in Caffe's words; empty otherwise.
        losses: one per iteration; NaN and infinity as Caffe gave them are the float ``nan``.
        baseline: loss of the best constant prediction.
        floor: the smallest possible loss.
        bound: the loss below which the net has learned.
        classes: of the task.
        parameters: numbers that the net learns or keeps.
        blobs: how many tops were watched.
        params: how many learnable parameter blobs were watched.
        frozen: parameter blobs with a learning rate of zero.
        dead_blobs: tops that were exactly zero whenever they were checked.
        died_blobs: tops that are exactly zero at the end, but were not always.
        dead_params: ``layer[i]`` of parameters that never had a gradient.
        died_params: those that have none at the end, but had one before.
        shapes: of what is fed, with the batch.
        own_norm: whether BatchNorm was our own layer, because this Caffe's is faulty.
    """

    outcome: Outcome
    reason: str = ""
    losses: tuple[float, ...] = ()
    baseline: float = math.nan
    floor: float = 0.0
    bound: float = math.nan
    classes: int = 0
    parameters: int = 0
    blobs: int = 0
    params: int = 0
    frozen: int = 0
    dead_blobs: tuple[str, ...] = ()
    died_blobs: tuple[str, ...] = ()
    dead_params: tuple[str, ...] = ()
    died_params: tuple[str, ...] = ()
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()
    own_norm: bool = False

    @property
    def tail(self) -> float:
        """Mean of the last tenth of the losses."""
        return mean_tail(self.losses)


@dataclass(frozen=True, slots=True)
class Proof:
    """Both runs, and what follows from them.

    Attributes:
        verdict: of the repair.
        before: the original net.
        after: the repaired net; the same as ``before`` where nothing changes.
        changed: whether the repair changes anything.
        interpreter: whose Caffe ran.
        options: as used, with the adjusted batch.
        solver: the solver's fields, as Caffe got them.
        notes: what was replaced, guessed or left out, one sentence each.
    """

    verdict: TrialVerdict
    before: Side
    after: Side
    changed: bool
    interpreter: Interpreter
    options: TrialOptions
    solver: tuple[str, ...]
    notes: tuple[str, ...]


def prove(before: str, after: str, options: TrialOptions, watch: Watch | None = None) -> Proof:
    """Train a net before and after its repair.

    Args:
        before: the net's text, one character per byte.
        after: the repaired net's text; equal to ``before`` if nothing is repaired.
        options: how to train.
        watch: shows how far Caffe is.

    Raises:
        NoCaffeError: no interpreter has Caffe.
        ProveError: time or memory ran out, Caffe crashed, or neither net loads.
        Unrepresentable: synthetic data cannot represent something in the net.
    """
    texts = [before] if before == after else [before, after]
    tasks = [make_task(text, options.given) for text in texts]
    options = _fitting(options)
    solver = solver_fields(options)
    with work_folder() as folder:
        interpreter = find_interpreter(options.caffe_python, folder)
        sides = []
        for index, task in enumerate(tasks):
            place = folder / str(index)
            follow = _Follower(place / _RESULT, index, watch) if watch is not None else None
            sides.append(_side(task, place, interpreter, options, solver, follow))
    if all(side.outcome is Outcome.UNLOADABLE for side in sides):
        raise ProveError(f"Caffe does not load the net: {sides[-1].reason}{_doubt(tasks[-1])}")
    verdict = _verdict(sides[0], sides[-1])
    notes = tuple(_notes(tasks))
    if any(side.own_norm for side in sides):
        notes += (_OWN_NORM,)
    return Proof(
        verdict=verdict,
        before=sides[0],
        after=sides[-1],
        changed=len(sides) > 1,
        interpreter=interpreter,
        options=options,
        solver=solver,
        notes=notes,
    )


def _fitting(options: TrialOptions) -> TrialOptions:
    """A batch that 2 to 5 classes can fill evenly."""
    batch = max(options.batch, 2)
    while all(batch % classes for classes in (2, 3, 5)):
        batch += 1
    return replace(options, batch=batch)


# ---------------------------------------------------------------- the verdict


def _verdict(before: Side, after: Side) -> TrialVerdict:
    if after.outcome.rank < before.outcome.rank:
        return TrialVerdict.WORSE
    return TrialVerdict.LEARNS if after.outcome is Outcome.LEARNS else TrialVerdict.DOES_NOT_LEARN


# ---------------------------------------------------------------- the solver

# Fields of a solver that determine how weights change; everything else is set here.
_RATES = frozenset(
    """
    base_lr lr_policy gamma power stepsize stepvalue max_iter momentum momentum2 rms_decay delta
    weight_decay regularization_type clip_gradients type solver_type
    """.split()
)
_DEFAULT_RATES = ("base_lr: 0.01", 'lr_policy: "fixed"', "momentum: 0.9", "weight_decay: 0.0005")


def solver_fields(options: TrialOptions) -> tuple[str, ...]:
    """The fields of the solver that determine rates, as passed to Caffe.

    Raises:
        ProveError: the solver does not parse, or gives no base_lr.
    """
    fields = list(_DEFAULT_RATES)
    if options.solver is not None:
        try:
            root = parse(options.solver).root
        except PrototxtError as error:
            raise ProveError(f"the solver does not parse: {error}") from None
        names = [child.name for child in root.children() if child.name in _RATES]
        fields = [f"{name}: {value}" for name in dict.fromkeys(names) for value in root.scalars(name)]
        if not any(text.startswith("base_lr:") for text in fields) and options.rate is None:
            raise ProveError("the solver has no base_lr: give a solver, not a net")
    if options.rate is not None:
        fields = [f"base_lr: {options.rate!r}", *(text for text in fields if not text.startswith("base_lr:"))]
    return tuple(" ".join(text.split()) for text in fields)


# ---------------------------------------------------------------- one side


class _Follower:
    """Reads what the child has written since it last looked, and passes on how far it is."""

    def __init__(self, path: Path, index: int, watch: Watch) -> None:
        self._path = path
        self._index = index
        self._watch = watch
        self._offset = self._done = 0
        self._loss = math.nan

    def __call__(self) -> None:
        with contextlib.suppress(OSError), self._path.open("rb") as file:
            file.seek(self._offset)
            lines = file.read().splitlines(keepends=True)
            whole = [line for line in lines if line.endswith(b"\n")]
            self._offset += sum(map(len, whole))
            losses = [event["value"] for event in map(json.loads, whole) if event["event"] == "loss"]
            self._done += len(losses)
            self._loss = _number(losses[-1]) if losses else self._loss
        self._watch(self._index, self._done, self._loss)


def _side(
    task: Task,
    folder: Path,
    interpreter: Interpreter,
    options: TrialOptions,
    solver: Sequence[str],
    follow: Callable[[], None] | None,
) -> Side:
    folder.mkdir()
    (folder / "body.prototxt").write_bytes(task.body.encode("latin-1"))
    (folder / "predictions.prototxt").write_bytes(task.predictions.encode("latin-1"))
    (folder / "own_norm.prototxt").write_bytes(task.own_norm.encode("latin-1"))
    own = ('train_net: "net.prototxt"', f"random_seed: {options.seed}", "solver_mode: CPU", "display: 0")
    (folder / "solver.prototxt").write_bytes("\n".join([*solver, *own, ""]).encode("latin-1"))
    (folder / "job.json").write_text(json.dumps(_job(task, options)), encoding="utf-8")
    for module in _CHILD.glob("*.py"):  # copies: our modules are not on its path
        (folder / module.name).write_bytes(module.read_bytes())
    try:
        done = run(
            [interpreter.path, "caffe_child.py"],
            folder=folder,
            timeout=options.timeout,
            environment=environment(),
            watch=follow,
        )
    except OSError as error:
        raise ProveError(f"{interpreter.path} cannot be run: {error.strerror or error}") from None
    if follow is not None:
        follow()  # what was written since the last look
    return _judged(done, _events(folder / _RESULT), options)


def _job(task: Task, options: TrialOptions) -> dict[str, Any]:
    silent = {_unicode(feed.source.blob) for feed in task.feeds} | {_unicode(loss.top) for loss in task.losses}
    return {
        "parent": os.getpid(),
        "memory": options.memory,
        "cpu_seconds": int(options.timeout * (os.cpu_count() or 1)) + 10,
        "iterations": options.iterations,
        "has_norm": bool(task.own_norm),
        "batch": options.batch,
        "seed": options.seed,
        "feeds": [_feed(feed) for feed in task.feeds],
        "losses": [
            {
                "layer": _unicode(loss.layer),
                "type": loss.type,
                "prediction": _unicode(loss.prediction),
                "target": _unicode(loss.target),
                "axis": loss.axis,
                "weight": next((weight for top, weight in loss.weights if top == loss.top), 0.0),
                "normalization": loss.normalization,
                "ignore": loss.ignore,
                "norm": loss.norm,
                "margin": loss.margin,
                "legacy": loss.legacy,
                "measured": loss.kind in ("vector", "binary"),
            }
            for loss in task.losses
        ],
        "scores": [(_unicode(top), weight) for loss in task.losses for top, weight in loss.weights],
        "types": [(_unicode(name), kind) for name, kind in task.types],
        "frozen": [(_unicode(name), index) for name, index in task.frozen],
        "silent": sorted(silent),
    }


def _feed(feed: Feed) -> dict[str, Any]:
    source = feed.source
    return {
        "name": _unicode(source.blob),
        "literal": quoted(source.blob),
        "shape": list(source.shape) if source.shape is not None else None,
        "mean": list(source.means),
        "scale": source.scale,
        "kind": feed.kind,
        "like": _unicode(feed.like),
        "axis": feed.axis,
        "pair": feed.pair,
    }


def _unicode(name: str) -> str:
    """A name as Caffe's Python sees it: ours has one character per byte."""
    return name.encode("latin-1", "replace").decode("utf-8", "replace")


def _events(path: Path) -> list[dict[str, Any]]:
    """The whole lines that the child wrote."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").split("\n")[:-1]
    except OSError:
        return []
    return [json.loads(line) for line in lines]


def _judged(done: Exit, events: Sequence[dict[str, Any]], options: TrialOptions) -> Side:
    """The result of a run, or why there is none."""
    found = {event["event"]: event for event in events}
    losses = tuple(_number(event["value"]) for event in events if event["event"] == "loss")
    if "refused" in found:
        raise Unrepresentable(found["refused"]["reason"])
    if "unloadable" in found:
        return Side(Outcome.UNLOADABLE, found["unloadable"]["reason"])
    if "end" not in found:
        return _failed(done, "memory" in found, "loaded" in found, len(losses), options)
    loaded, end = found["loaded"], found["end"]
    baseline, floor = float(loaded["baseline"]), float(loaded["floor"])
    return Side(
        outcome(losses, baseline, floor),
        losses=losses,
        baseline=baseline,
        floor=floor,
        bound=bound(losses, baseline, floor),
        classes=loaded["classes"],
        parameters=loaded["parameters"],
        blobs=end["blobs"],
        params=end["params"],
        frozen=end["frozen"],
        dead_blobs=tuple(end["dead_blobs"]),
        died_blobs=tuple(end["died_blobs"]),
        dead_params=tuple(f"{name}[{index}]" for name, index in end["dead_params"]),
        died_params=tuple(f"{name}[{index}]" for name, index in end["died_params"]),
        shapes=tuple((name, tuple(shape)) for name, shape in sorted(loaded["shapes"].items())),
        own_norm=loaded["own_norm"],
    )


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


_OUT_OF_MEMORY = re.compile(r"bad_alloc|MemoryError|host allocation|Cannot allocate memory|out of memory", re.I)


def _failed(done: Exit, memory: bool, loaded: bool, steps: int, options: TrialOptions) -> Side:
    """A run that did not finish: Caffe refused the net, or there is no verdict."""
    smaller = "try a smaller --size, --batch or --iterations"
    words = caffes_words(done.errors)
    if done.status is None or done.status == -getattr(signal, "SIGXCPU", 0):
        raise ProveError(
            f"Caffe was stopped after {options.timeout:g} s, in iteration {steps} of {options.iterations}; "
            f"{smaller}, or a longer --timeout"
        )
    if memory or _OUT_OF_MEMORY.search(done.errors) or done.status == -getattr(signal, "SIGKILL", 9):
        limit = f"{options.memory / (1 << 30):g} GB"
        raise ProveError(f"Caffe ran out of memory (limit {limit}); {smaller}, or a larger --memory")
    if words and not loaded:
        return Side(Outcome.UNLOADABLE, words)
    if done.status < 0:
        name = signal.Signals(-done.status).name if -done.status in list(signal.Signals) else str(-done.status)
        raise ProveError(f"Caffe crashed ({name}) in iteration {steps}{': ' + words if words else ''}")
    last = (done.errors.strip().splitlines() or ["it said nothing"])[-1]
    raise ProveError(f"Caffe's process ended with status {done.status}: {words or last}")


# ---------------------------------------------------------------- notes


def _notes(tasks: Sequence[Task]) -> list[str]:
    """What replaces the data, on each side where they differ, and what was left out."""
    before, after = _data(tasks[0]), _data(tasks[-1])
    if before == after:
        notes = after
    else:
        notes = [f"before, {note}" for note in before] + [f"after, {note}" for note in after]
    dropped = tasks[-1].dropped
    return [*notes, f"left out: {', '.join(dropped)}"] if dropped else notes


def _data(task: Task) -> list[str]:
    notes = []
    for source in (feed.source for feed in task.feeds if feed.kind == "data"):
        means = ", ".join(f"{mean:g}" for mean in source.means)
        note = f" ({source.note})" if source.note else ""
        notes.append(f"{source.blob}: 8-bit images, (x − {means}) · {source.scale:.6g}{note}")
    return notes


def _doubt(task: Task) -> str:
    """A hint where the shape of the images is a guess."""
    guesses = [feed.source for feed in task.feeds if "unknown" in feed.source.note]
    hints = (
        f"\n{g.blob}: {g.note}; perhaps another fits: --shape {g.blob}=CHANNELS,HEIGHT,WIDTH" for g in guesses
    )
    return "".join(hints)
