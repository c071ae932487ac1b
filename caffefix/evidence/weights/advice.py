"""Why weights do not fit a net, or are of no use in it, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from caffefix._startup.records import dataclass
from caffefix.evidence.weights.copying import Copying, Fate, Outcome, fits
from caffefix.evidence.weights.model import Model, SourceLayer
from caffefix.evidence.weights.numbers import Look

# Names that are listed.
_SOME = 4
_BATCH_NORM = "BatchNorm"
# Blobs of a BatchNorm layer: whose it is, and what makes it BVLC's three (mean, variance, scale factor).
_LAYOUTS = {
    1: "of a Caffe whose BatchNorm keeps one blob",
    2: "of a BatchNorm without a scale factor (statistics alone)",
    4: "of a Caffe whose BatchNorm also has scale and shift (in BVLC's Caffe a layer of its own)",
    5: "NVCaffe's: mean, variance, scale factor, then scale and shift (in BVLC's Caffe a layer of its own)",
}
# The statistics of BVLC's BatchNorm: mean and variance, each times the scale factor.
_VARIANCE, _FACTOR = 1, 2


@dataclass(frozen=True, slots=True)
class Advice:
    """What is wrong with the weights, or with how they are used.

    Attributes:
        name: of the pattern.
        message: what is wrong, what Caffe does because of it, what to do.
        layers: names of the layers that it is about.
    """

    name: str
    message: str
    layers: tuple[str, ...]


Looks = Mapping[str, Sequence[Look]]


def advice(model: Model, copying: Copying, looks: Looks) -> Iterator[Advice]:
    """What is worth knowing, the worst first.

    Args:
        model: the weights.
        copying: what Caffe does with them.
        looks: what the blobs of each layer of the model look like; empty if that is not known.
    """
    yield from _other_sizes(copying)
    yield from _layouts(copying)
    yield from _names(model, copying)
    yield from _values(model, looks)
    raw = [layer.name for layer in model.layers if any(blob.raw is not None for blob in layer.blobs)]
    if raw:
        words = "their numbers are stored as NVCaffe stores them (raw_data), which BVLC's Caffe does not read"
        yield Advice("nvcaffe-raw-data", words, tuple(raw))


def _other_sizes(copying: Copying) -> Iterator[Advice]:
    """Layers of the same name with another number of outputs: classes, as a rule."""
    for fate in copying.of(Outcome.ABORT):
        source, step = fate.source, fate.target
        params = copying.shapes.params_of(step) if step is not None else ()
        if source is None or step is None or len(params) != len(source.blobs) or not params:
            continue
        shape = params[0].shape
        if shape is None or not source.blobs[0].shape:
            continue
        had, has = _outputs(source), shape[0]
        if had != has:
            yield Advice(
                "other-size",
                f"{had} outputs in the model and {has} in the net, so Caffe aborts; to learn it anew, rename the "
                f"layer in the train and deploy nets alike, for example to {fate.name}_{has}",
                (fate.name,),
            )


def _outputs(source: SourceLayer) -> int:
    shape = source.blobs[0].shape
    is_matrix = source.blobs[0].legacy is not None and shape[:2] == (1, 1)
    return shape[2] if is_matrix else shape[0]


def _layouts(copying: Copying) -> Iterator[Advice]:
    """Blobs that another fork's BatchNorm has."""
    found: dict[int, list[str]] = {}
    for fate in copying.of(Outcome.ABORT):
        if fate.source is not None and fate.target is not None and fate.target.layer.type == _BATCH_NORM:
            found.setdefault(len(fate.source.blobs), []).append(fate.name)
    for count, names in found.items():
        what = _LAYOUTS.get(count)
        if what is not None:
            words = f"{count} blobs where the net's BatchNorm has 3: the layout is {what}; Caffe aborts"
            yield Advice("batch-norm-layout", words, tuple(names))


def _names(model: Model, copying: Copying) -> Iterator[Advice]:
    """Layers that do not meet because their names differ."""
    ignored = [f for f in copying.of(Outcome.IGNORED) if f.source is not None and f.source.blobs]
    unfilled = copying.of(Outcome.FILLER)
    prefix = _prefix(ignored, unfilled)
    if prefix is not None:
        old, new = prefix
        change = f'those of the model begin with "{old}"' if old else f'those of the net begin with "{new}"'
        words = f"the names differ, so Caffe ignores these layers and the net's keep their fillers: {change}"
        yield Advice("other-prefix", words, tuple(f.name for f in ignored))
        return
    for fate, target in _renamed(ignored, unfilled, copying):
        words = (
            f"the net has no {fate.name}, so Caffe ignores it, and {target.name}, whose blobs have the same "
            "shapes, keeps its fillers; if that is the same layer, give it its old name"
        )
        yield Advice("renamed-layer", words, (fate.name, target.name))
    copied = copying.of(Outcome.COPIED, Outcome.ABORT)
    if not copied and any(layer.blobs for layer in model.layers):
        words = "Caffe copies nothing and says so only in its log: no layer with weights has a name of the net's"
        yield Advice("nothing-copied", words, ())


def _prefix(ignored: Sequence[Fate], unfilled: Sequence[Fate]) -> tuple[str, str] | None:
    """What all names of the model, or of the net, have in front, if that is all that differs."""
    ours, theirs = [f.name for f in unfilled], [f.name for f in ignored]
    if len(ours) < 2 or len(theirs) < 2:
        return None
    for long, short, is_model in ((theirs, ours, True), (ours, theirs, False)):
        first = next((name for name in long if name.endswith(short[0]) and name != short[0]), None)
        if first is None:
            continue
        front = first.removesuffix(short[0])
        if sum(front + name in long for name in short) > len(short) // 2:
            return (front, "") if is_model else ("", front)
    return None


def _renamed(ignored: Sequence[Fate], unfilled: Sequence[Fate], copying: Copying) -> Iterator[tuple[Fate, Fate]]:
    """Ignored layers, each with the one unfilled layer of the same type that its blobs fit."""
    for fate in ignored:
        source = fate.source
        assert source is not None
        same = [target for target in unfilled if _fits(source, target, copying)]
        others = [f for f in ignored if f.source is not None and same and _fits(f.source, same[0], copying)]
        if len(same) == 1 and len(others) == 1:
            yield fate, same[0]


def _fits(source: SourceLayer, target: Fate, copying: Copying) -> bool:
    params = copying.shapes.params_of(target.target) if target.target is not None else ()
    if not params or len(params) != len(source.blobs):
        return False
    known = all(param.shape is not None and None not in param.shape for param in params)
    return known and all(fits(blob, param.shape) for blob, param in zip(source.blobs, params, strict=True))


# ---------------------------------------------------------------- numbers


def _values(model: Model, looks: Looks) -> Iterator[Advice]:
    """Layers whose numbers are of no use."""
    weighted = [layer for layer in model.layers if looks.get(layer.name) and layer.type != _BATCH_NORM]
    first = {layer.name: looks[layer.name][0] for layer in weighted}
    zero = [name for name, look in first.items() if look.all_zero]
    if zero and len(zero) == len(first):
        words = (
            "all weights are zero: the net was saved as it began, or could never learn because its weights had no "
            "filler; caffefix NET says which"
        )
        yield Advice("all-zero", words, tuple(zero))
    elif zero:
        yield Advice(
            "zero-weights", "the weights are zero throughout, so the layer passes only its bias on", tuple(zero)
        )
    broken = [name for name, some in looks.items() if any(look.nans or look.infinite for look in some)]
    if broken:
        words = "there are NaN or infinite values: the training had diverged; go back to an older snapshot"
        yield Advice("not-finite", words, tuple(broken))
    equal = [name for name, look in first.items() if look.equal_rows]
    if equal:
        words = (
            "all outputs have equal weights, so they cannot tell anything apart: a constant filler, never undone"
        )
        yield Advice("equal-rows", words, tuple(equal))
    yield from _statistics(model, looks)


def _statistics(model: Model, looks: Looks) -> Iterator[Advice]:
    """BatchNorm layers whose statistics cannot be used."""
    norms = [layer for layer in model.layers if _is_batch_norm(layer) and len(looks.get(layer.name, ())) == 3]
    unused = [layer.name for layer in norms if looks[layer.name][_FACTOR].all_zero]
    if unused:
        words = (
            "the scale factor of BatchNorm is 0: no statistics were gathered, so in TEST Caffe takes mean 0 and "
            "variance 0, which blows every value up; train the net before it is tested"
        )
        yield Advice("no-statistics", words, tuple(unused))
    negative = [layer.name for layer in norms if looks[layer.name][_VARIANCE].low < 0]
    if negative:
        words = (
            "a variance of BatchNorm is negative: its root is NaN; the statistics were changed by a learning rate"
        )
        yield Advice("negative-variance", words, tuple(negative))


def _is_batch_norm(layer: SourceLayer) -> bool:
    return layer.type == _BATCH_NORM
