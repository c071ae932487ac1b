"""What went wrong according to a log, and what went well.

A zero blob is a finding where something came in and nothing came out: labels, losses and accuracies
may be zero, and so may everything that reads a zero. Bottoms are known from a net, or from an in-place layer;
without either, a layer that has parameters is assumed to have received input.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.net import Layer
from caffefix.caffe.roles import scores
from caffefix.evidence.logs.decode import sole_learner
from caffefix.evidence.logs.model import SATURATED, Series, Track, TrainingLog
from caffefix.evidence.logs.nets import SPLIT

# A blob of this mean size has exploded in any net that still learns; so has one that grew by _GROWTH.
_HUGE = 1e4
_GROWTH = 1e3
_NOTEWORTHY = 1e2
# What counts as flat: deviation from a level, and number of values; fewer values suffice for a direction.
_NEAR = 0.03
_ENOUGH = 20
_FEW = 5
_SHOWN = 6
# ln C of 2 to 20,000 classes, with some room.
_LEAST_CHANCE, _MOST_CHANCE = 0.6, 10.0
# A layer of a fork with gamma and beta among BatchNorm's blobs has five.
_GAMMA_BLOBS = frozenset("01234")


@dataclass(frozen=True, slots=True)
class Observation:
    """Something that a log shows.

    Attributes:
        name: what it is, in kebab-case: ``dead-blob``, ``loss-falls`` …
        is_wrong: whether it is a fault.
        message: one line.
        line: of the log; 0 if it is about the whole.
        layer: name of the layer that it is about, or empty.
    """

    name: str
    is_wrong: bool
    message: str
    line: int = 0
    layer: str = ""


def diagnose(log: TrainingLog, layers: Mapping[str, Layer], classes: int | None) -> tuple[Observation, ...]:
    """All that a log shows, worst first.

    Args:
        log: the log.
        layers: of the net by name, as far as it is known.
        classes: their number, as far as it is known.
    """
    dead = first_dead(log, layers)
    found = [*_aborted(log), *_nonfinite(log), *_dead(log, dead), *_dying(log, layers, dead)]
    found += [*_exploding(log, layers), *_losses(log, classes, dead is not None), *_rate(log)]
    found += [*_gradients(log), *_weights(log)]
    return tuple(sorted(found, key=lambda o: not o.is_wrong))


# ---------------------------------------------------------------- blobs


def first_dead(log: TrainingLog, layers: Mapping[str, Layer]) -> Track | None:
    """The first top that is exactly zero throughout although its input was not.

    A layer whose weights get a gradient will not stay zero: a last layer may well start at zero.
    """
    learning = {t.layer for t in log.gradients if t.blob == "0" and t.zeros < t.count}
    return next((t for t in _fed_tops(log, layers) if t.always_zero and t.layer not in learning), None)


def _fed_tops(log: TrainingLog, layers: Mapping[str, Layer]) -> Iterator[Track]:
    """Tops of layers whose bottoms are not zero; neither data nor scores."""
    has_params = {t.layer for t in log.weights_data}
    zero: dict[str, bool] = {}
    for track in log.tops:
        layer = layers.get(track.layer)
        if layer is not None and layer.bottoms:
            is_fed = any(zero.get(name) is False for name in layer.bottoms) and not _is_score(layer)
        else:
            is_fed = track.layer in has_params or zero.get(track.blob) is False
        if is_fed and not track.layer.endswith(SPLIT):
            yield track
        zero[track.blob] = track.always_zero


def _is_score(layer: Layer) -> bool:
    return scores(layer) or not layer.kind.gradient


def has_zero_gamma(log: TrainingLog, layer: str) -> bool:
    """Whether a layer has the five blobs of a BatchNorm with gamma, all zero, and a top that is zero."""
    blobs = {t.blob: t for t in log.weights_data if t.layer == layer}
    tops = [t for t in log.tops if t.layer == layer]
    values = all(t.always_zero for t in blobs.values()) and all(t.always_zero for t in tops)
    return blobs.keys() == _GAMMA_BLOBS and bool(tops) and values


def _dead(log: TrainingLog, dead: Track | None) -> Iterator[Observation]:
    if dead is None:
        return
    weights = next((t for t in log.weights_data if t.layer == dead.layer and t.blob == "0"), None)
    why = ""
    if has_zero_gamma(log, dead.layer):
        why = ": its five blobs are all 0, gamma among them"
    elif weights is not None and weights.always_zero:
        why = ": its weights are exactly 0"
    zero = [t for t in log.tops if t.always_zero and t.line > dead.line and not t.layer.endswith(SPLIT)]
    after = f"; so {'is 1 top' if len(zero) == 1 else f'are {len(zero)} tops'} after it" if zero else ""
    message = f"top {dead.blob} of {dead.layer} is the first that is exactly 0{why}{after}"
    yield Observation("dead-blob", True, message, dead.line, dead.layer)


def _dying(log: TrainingLog, layers: Mapping[str, Layer], dead: Track | None) -> Iterator[Observation]:
    died = [t for t in _fed_tops(log, layers) if t.died]
    if dead is None and died:
        first = min(died, key=lambda t: t.zero_line)
        message = (
            f"top {first.blob} of {first.layer} was {first.first:g} and is exactly 0 since line {first.zero_line}"
        )
        yield Observation("dying-blob", True, message, first.zero_line, first.layer)


def _nonfinite(log: TrainingLog) -> Iterator[Observation]:
    bad = log.nonfinite
    if bad is not None:
        blob = f"{bad.role} {bad.blob} {bad.quantity} of {bad.layer}"
        message = f"the first value that is not a finite number: {blob} is {bad.value:g} ({bad.direction.lower()})"
        yield Observation("nonfinite-blob", True, message, bad.line, bad.layer)


def _exploding(log: TrainingLog, layers: Mapping[str, Layer]) -> Iterator[Observation]:
    """The first top that explodes; a loss that is not normalised may have any size."""
    losses = {series.name for series in log.outputs} | {"(automatic)", "loss"}
    for track in _fed_tops(log, layers):
        if track.blob in losses or not track.count > track.zeros:
            continue
        grown = track.high > _NOTEWORTHY and 0 < track.first < track.high / _GROWTH
        if track.high > _HUGE or grown:
            message = f"top {track.blob} of {track.layer} is {track.high:g} on average"
            message += f", and was {track.first:g} at first" if grown else ""
            yield Observation("exploding-blob", True, message, track.line, track.layer)
            return


# ---------------------------------------------------------------- losses


def _losses(log: TrainingLog, classes: int | None, is_dead: bool) -> Iterator[Observation]:
    parts = [s for s in log.outputs if s.phase == "train" and s.weight is not None]
    whole = [log.loss] if log.loss is not None else []
    for series in whole:
        yield _loss(series, classes if len(parts) <= 1 else None, is_dead)
    for series in parts if len(parts) > 1 else ():  # with one loss, the sum is that loss
        found = _loss(series, classes, is_dead)
        if found.is_wrong:
            yield found


def is_saturated(series: Series) -> bool:
    """Whether a loss ends at the largest value that SoftmaxWithLoss can have."""
    return bool(series.saturated) and abs(series.last - SATURATED) < 1e-3


def _loss(series: Series, classes: int | None, is_dead: bool) -> Observation:
    name, count = series.name, series.count
    if series.bad_iteration is not None:
        message = f"{name} is not a finite number since iteration {series.bad_iteration}"
        return Observation("loss-not-finite", True, message)
    if is_saturated(series):
        message = (
            f"{name} is {SATURATED} = -log(FLT_MIN) {series.saturated} times: the softmax gives the "
            "right class no chance, or its input is not a number (on a GPU both print this)"
        )
        return Observation("loss-saturated", True, message)
    course = f"{name}: {series.first:g} at iteration {series.first_iteration}"
    if count > 1:
        course += f", {series.last:g} at {series.last_iteration}"
    chance = math.log(classes) if classes is not None and classes > 1 else None
    if chance is not None and all(abs(v - chance) <= _NEAR * chance for v in series.tail):
        if count >= _ENOUGH:
            message = f"{course}; stuck at ln {classes} = {chance:.6g}: all {classes} classes equally likely"
            return Observation("loss-stuck-at-chance", True, message)
        return Observation("loss-at-chance", False, f"{course}; that is ln {classes}: chance")
    if is_dead and chance is not None and count >= _ENOUGH and _is_flat(series) and series.level < chance:
        message = (
            f"{course}; flat below ln {classes} = {chance:.6g}, in a net that is dead: the entropy of the "
            "labels' shares, which is all that a last bias can learn"
        )
        return Observation("loss-stuck-at-prior", True, message)
    if chance is None and count >= _ENOUGH and _is_flat(series) and _LEAST_CHANCE < series.level < _MOST_CHANCE:
        course += f"; flat at {series.level:.4g}: chance, if there are about {math.exp(series.level):.0f} classes"
    return Observation(*_course(series), course)


def _course(series: Series) -> tuple[str, bool]:
    if series.count < _FEW:
        return "loss", False
    if series.level < series.first - 0.1 * abs(series.first):
        return "loss-falls", False
    enough = series.count >= _ENOUGH or series.level > _GROWTH * abs(series.first)
    rises = enough and series.level > series.first + 0.5 * abs(series.first)
    return ("loss-rises", True) if rises else ("loss-does-not-fall", False)


def _is_flat(series: Series) -> bool:
    return all(abs(v - series.level) <= _NEAR * abs(series.level) for v in series.tail)


def _rate(log: TrainingLog) -> Iterator[Observation]:
    rate = log.rate
    if rate is None:
        return
    if rate.bad_iteration is not None:
        yield Observation(
            "rate-not-finite",
            True,
            f"the learning rate is not a finite number since iteration {rate.bad_iteration}",
        )
    elif rate.high <= 0:
        yield Observation("rate-zero", True, "the learning rate is 0: nothing is learned")


# ---------------------------------------------------------------- gradients, weights, end


def _gradients(log: TrainingLog) -> Iterator[Observation]:
    statistics = _statistics(log)
    tracks = [t for t in log.gradients if t.layer not in statistics]
    if not tracks:
        return
    live = [t for t in tracks if t.zeros < t.count]
    learner = sole_learner(log)
    if learner is not None:
        message = (
            f"only param {learner.index} of {learner.layer} ({learner.size} values) gets a gradient: it alone "
            "makes up the total over all parameters"
        )
        yield Observation("sole-learner", True, message, 0, learner.layer)
    elif not live:
        yield Observation("no-gradient", True, f"none of {len(tracks)} parameters gets a gradient")
    else:
        dead = [t for t in tracks if t.zeros == t.count]
        without = f"; none for {_some(dead)}" if dead else ""
        yield Observation("gradients", False, f"{len(live)} of {len(tracks)} parameters get a gradient{without}")


def _statistics(log: TrainingLog) -> set[str]:
    """Layers whose three blobs never have a gradient: BatchNorm's are statistics, not parameters."""
    blobs: dict[str, set[str]] = {}
    for track in log.gradients:
        if track.always_zero:
            blobs.setdefault(track.layer, set()).add(track.blob)
    return {layer for layer, names in blobs.items() if names == {"0", "1", "2"}}


def _some(tracks: Sequence[Track]) -> str:
    names = [f"{t.layer}[{t.blob}]" for t in tracks[:_SHOWN]]
    more = len(tracks) - len(names)
    return ", ".join(names) + (f" and {more} more" if more else "")


def _weights(log: TrainingLog) -> Iterator[Observation]:
    if log.weights:
        yield Observation("weights-loaded", False, f"weights are loaded from {', '.join(log.weights[:3])}")
    if log.ignored:
        names = ", ".join(log.ignored[:_SHOWN])
        more = f" and {len(log.ignored) - _SHOWN} more" if len(log.ignored) > _SHOWN else ""
        yield Observation("ignored-source-layers", False, f"the net has no layer for the weights of {names}{more}")


def _aborted(log: TrainingLog) -> Iterator[Observation]:
    if log.fatal:
        yield Observation("aborted", True, f"Caffe aborted: {log.fatal}", log.fatal_line)
