"""What Caffe does with a model's weights in a net: ``Net::CopyTrainedLayersFrom`` (net.cpp), blob by blob."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.fillers import Shape
from caffefix.caffe.graph import Graph, Step, graph
from caffefix.caffe.layers.shapes import ParamBlob
from caffefix.caffe.net import Net, Phase
from caffefix.caffe.shapes import Shapes, infer
from caffefix.caffe.splits import split_names
from caffefix.evidence.weights.model import Blob, Layout, Model, SourceLayer

_AXES, _INT_MAX = 32, 0x7FFFFFFF
# UpgradeNetAsNeeded (upgrade_proto.cpp).
_BOTH = (
    "Refusing to upgrade inconsistent NetParameter input; the definition includes both 'layer' and 'layers' "
    "fields. The current format defines 'layer' fields with string type like layer { type: 'Layer' ... } and not "
    "layers { type: LAYER ... }. Manually switch the definition to 'layer' format to continue."
)


class Outcome(enum.Enum):
    """What becomes of a layer of the model, or of the net."""

    COPIED = "copied"
    NOTHING = "nothing to copy"  # neither has parameters
    IGNORED = "ignored"  # the net has no layer of that name
    ABORT = "abort"
    UNKNOWN = "unknown"  # what the layer of the net holds is not known
    FILLER = "filler"  # of the net: the model has no layer of that name


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a layer.

    Attributes:
        name: the layer's, in the model and in the net.
        outcome: what Caffe does.
        source: the layer of the model; None for a layer that keeps its fillers.
        target: the layer of the net; None if there is none, or Caffe itself inserts it.
        message: Caffe's words, without file and line, where it says something.
        assumed: what was not known of the net and is taken to be as in the model.
    """

    name: str
    outcome: Outcome
    source: SourceLayer | None = None
    target: Step | None = None
    message: str = ""
    assumed: str = ""


@dataclass(frozen=True, slots=True)
class Copying:
    """What becomes of all layers.

    Attributes:
        fates: of the model's layers, in the model's order, then of the net's that the model does not fill.
        abort: Caffe's words where it aborts first; empty if it loads the model.
        graph: the net in that phase.
        shapes: of the net.
    """

    fates: tuple[Fate, ...]
    abort: str
    graph: Graph
    shapes: Shapes

    def log(self) -> Iterator[str]:
        """What Caffe writes while it loads the model, up to where it aborts, without its notes on upgrades."""
        if self.abort != _BOTH:
            for fate in self.fates:
                if fate.message:
                    yield fate.message
                if fate.outcome is Outcome.ABORT:
                    return
        else:
            yield self.abort

    def of(self, *outcomes: Outcome) -> list[Fate]:
        """The fates of some kinds, in order."""
        return [fate for fate in self.fates if fate.outcome in outcomes]


def copy(
    model: Model,
    net: Net,
    phase: Phase,
    stages: frozenset[str] = frozenset(),
    given: Mapping[str, Shape] | None = None,
) -> Copying:
    """What Caffe does with a model in a net.

    Args:
        model: the weights.
        net: the net; its layers may be of V1 or V2.
        phase: in which it is loaded.
        stages: likewise.
        given: shapes of blobs that sources produce, by name, where the caller knows more than the file.
    """
    found = graph(net, phase, stages)
    shapes = infer(found, net, phase, given)
    targets = _targets(found)
    fates = [_fate(source, targets, shapes) for source in model.layers]
    filled = {fate.target.index for fate in fates if fate.target is not None}
    fates += [
        Fate(step.layer.name, Outcome.FILLER, target=step)
        for step in found.steps
        if step.index not in filled and shapes.params[step.index] != ()
    ]
    abort = next((fate.message for fate in fates if fate.outcome is Outcome.ABORT), "")
    return Copying(tuple(fates), _BOTH if model.has_both else abort, found, shapes)


def _targets(found: Graph) -> dict[str, Step | None]:
    """The layers of the net by name, the first of each; None for a split layer."""
    after: dict[int | None, list[str]] = {}
    for index, name in split_names(found):
        after.setdefault(index, []).append(name)
    targets: dict[str, Step | None] = dict.fromkeys(after.get(None, ()))
    for step in found.steps:
        targets.setdefault(step.layer.name, step)
        for name in after.get(step.index, ()):
            targets.setdefault(name, None)
    return targets


def _fate(source: SourceLayer, targets: Mapping[str, Step | None], shapes: Shapes) -> Fate:
    if source.name not in targets:
        words = f"Ignoring source layer {source.name}"
        return Fate(source.name, Outcome.IGNORED, source, message=words)
    step = targets[source.name]
    params = shapes.params[step.index] if step is not None else ()
    if params is None:
        return Fate(source.name, Outcome.UNKNOWN, source, step)
    if len(params) != len(source.blobs):
        counts = f"({len(params)} vs. {len(source.blobs)})"
        words = (
            f"Check failed: target_blobs.size() == source_layer.blobs_size() {counts} "
            f"Incompatible number of blobs for layer {source.name}"
        )
        return Fate(source.name, Outcome.ABORT, source, step, words)
    if not params:
        return Fate(source.name, Outcome.NOTHING, source, step)
    words = next(_problems(source, params), "")
    outcome = Outcome.ABORT if words else Outcome.COPIED
    return Fate(source.name, outcome, source, step, words, "" if words else _assumed(source, params))


def _problems(source: SourceLayer, params: Sequence[ParamBlob]) -> Iterator[str]:
    for index, (blob, param) in enumerate(zip(source.blobs, params, strict=True)):
        if fits(blob, param.shape):
            if param.shape is not None and None not in param.shape:
                yield from _miscounted(blob, _count(param.shape))
            continue
        yield from _unreadable(blob)
        yield (
            f"Cannot copy param {index} weights from layer '{source.name}'; shape mismatch.  "
            f"Source param shape is {_text(blob.shape)}; target param shape is {_text(param.shape or ())}. "
            "To learn this layer's parameters from scratch rather than copying from a saved net, rename the layer."
        )


def _unreadable(blob: Blob) -> Iterator[str]:
    """``Blob::Reshape`` and ``FromProto``: a blob of another shape is read before Caffe compares."""
    if len(blob.shape) > _AXES:
        yield f"Check failed: shape.size() <= kMaxBlobAxes ({len(blob.shape)} vs. {_AXES})"
    count = 1
    for dim in blob.shape:
        if dim < 0:
            yield f"Check failed: shape[i] >= 0 ({dim} vs. 0)"
        if count and dim > _INT_MAX // count:
            most = f"({dim} vs. {_INT_MAX // count})"
            yield f"Check failed: shape[i] <= 0x7fffffff / count_ {most} blob size exceeds INT_MAX"
        count *= dim
    if not count:
        yield "Check failed: data_"
    yield from _miscounted(blob, count)


def _miscounted(blob: Blob, count: int) -> Iterator[str]:
    if blob.count != count:
        what = "double_data" if any(n.layout is Layout.DOUBLE for n in blob.numbers) else "data"
        yield f"Check failed: count_ == proto.{what}_size() ({count} vs. {blob.count})"


def fits(blob: Blob, shape: Shape) -> bool:
    """``Blob::ShapeEquals``: old sizes equal a shape of at most four axes that is filled up with ones in front.

    What is not known of the shape is taken to fit.
    """
    if shape is None:
        return True
    if blob.legacy is None:
        return len(blob.shape) == len(shape) and _alike(blob.shape, shape)
    if len(shape) > len(blob.legacy):
        return False
    padded = (*(1,) * (len(blob.legacy) - len(shape)), *shape)
    return _alike(blob.legacy, padded)


def _alike(stored: Sequence[int], shape: Sequence[int | None]) -> bool:
    return all(other is None or one == other for one, other in zip(stored, shape, strict=True))


def _assumed(source: SourceLayer, params: Sequence[ParamBlob]) -> str:
    """What of the net's shapes is not known, as the model has it."""
    unknown = [
        f"param {index} is {_text(blob.shape)}"
        for index, (blob, param) in enumerate(zip(source.blobs, params, strict=True))
        if param.shape is None or None in param.shape
    ]
    return "; ".join(unknown)


def _count(shape: Sequence[int | None]) -> int:
    count = 1
    for dim in shape:
        count *= dim or 0
    return count


def _text(shape: Sequence[int | None]) -> str:
    """``Blob::shape_string``, with ? for what is not known."""
    dims = "".join(f"{'?' if dim is None else dim} " for dim in shape)
    return f"{dims}({'?' if None in shape else _count(shape)})"
