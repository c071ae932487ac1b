"""Numbers behind the numbers: what a log reveals implicitly.

- Before anything is learned, all C classes are equally likely: SoftmaxWithLoss is ln C, and the mean
  absolute gradient of its input 2(C − 1)/(C² N), N being what the loss is divided by (the batch, or
  1 where it is not normalised).
- The total L1 norm of all gradients is the sum of each mean times its number of values: where only
  one parameter has a gradient, the quotient is the number of its values.
- BatchNorm's third blob is Σ maf^i over its forward passes in TRAIN: n = ln(1 − b(1 − maf)) / ln maf.
"""

from __future__ import annotations

import math
from collections.abc import Collection

from caffefix._startup.records import dataclass
from caffefix.evidence.logs.model import Track, TrainingLog

_MAX_CLASSES = 1000  # beyond, the logarithms of integers are too close for six digits
_FRACTION = 0.999  # moving_average_fraction's default
_PRINTING = 1e-4  # relative error of a printed mean, with room for sums in single precision
_DIVISOR_BLUR = 5e-3
# ln C is recognised from six digits: hardly ever by accident among these.
_FEW_CLASSES = 100
_IMAGENET = 1000


@dataclass(frozen=True, slots=True)
class Decoded:
    """A number that was inferred.

    Attributes:
        name: ``classes``, ``batch size`` (``loss divisor`` where that is 1) or ``BatchNorm passes``.
        value: the number.
        how: what it was inferred from.
    """

    name: str
    value: int
    how: str


@dataclass(frozen=True, slots=True)
class SoleLearner:
    """The only parameter of all that gets a gradient: proved by the totals.

    Attributes:
        layer: its layer.
        index: its index in the layer, ``1`` for a bias.
        size: its number of values.
    """

    layer: str
    index: str
    size: int


def sole_learner(log: TrainingLog) -> SoleLearner | None:
    """The parameter that alone gets a gradient, if the total L1 norm is a whole multiple of its mean."""
    live = [t for t in log.gradients if t.zeros < t.count or t.bad_line]
    if len(live) != 1 or not log.totals or live[0].bad_line or not math.isfinite(live[0].last):
        return None
    quotient = log.totals[-1].l1_diff / live[0].last if live[0].last else 0.0
    size = round(quotient)
    if not math.isfinite(quotient) or not 1 <= size <= 10_000 or abs(quotient - size) > 2e-5 * size:
        return None
    return SoleLearner(live[0].layer, live[0].blob, size)


def decode(log: TrainingLog, num_output: int | None = None, losses: Collection[str] = ()) -> tuple[Decoded, ...]:
    """What can be inferred, in the order: classes, batch size, BatchNorm passes.

    Args:
        log: the log.
        num_output: the number of classes that a net file says; None without one.
        losses: names of its softmax losses; if empty, they are recognised by the names of their tops.
    """
    names = losses or {t.layer for t in log.tops if t.blob in ("loss", "(automatic)")}
    classes = _classes(log, num_output, names)
    count = classes.value if classes is not None else num_output
    if num_output not in (None, count):
        count = None  # one of the two is wrong, and so would be a batch size computed from it
    return tuple(d for d in (classes, batch_size(log, count, names), batch_norm_passes(log)) if d is not None)


def chance_classes(loss: float) -> int | None:
    """C where a printed loss is exactly ln C; None where it is not, or could be by accident."""
    if not 0.5 < loss < math.log(_MAX_CLASSES + 0.5):
        return None
    classes = round(math.exp(loss))
    return classes if float(f"{math.log(classes):.6g}") == float(f"{loss:.6g}") else None


def _classes(log: TrainingLog, num_output: int | None, losses: Collection[str]) -> Decoded | None:
    for value, what in _early_losses(log, losses):
        found = chance_classes(value)
        if found is not None and (found <= _FEW_CLASSES or found in (num_output, _IMAGENET)):
            return Decoded("classes", found, f"{what} is ln {found} = {math.log(found):.6g}")
    learner = sole_learner(log)
    if learner is not None and learner.index == "1" and learner.size > 1 and num_output in (None, learner.size):
        how = f"the total L1 gradient is {learner.size} times that of {learner.layer}'s bias; nothing else has one"
        return Decoded("classes", learner.size, how)
    return None


def _early_losses(log: TrainingLog, losses: Collection[str]) -> list[tuple[float, str]]:
    found = []
    if log.loss is not None:
        found.append((log.loss.first, f"the loss of iteration {log.loss.first_iteration}"))
    for series in log.outputs:
        if series.weight == 1:
            found.append((series.first, f"{series.name} of iteration {series.first_iteration}"))
    found += [(t.first, f"the top of {t.layer}") for t in log.tops if t.layer in losses]
    return found


def batch_size(log: TrainingLog, classes: int | None, losses: Collection[str]) -> Decoded | None:
    """What divides the loss, from the gradient of the softmax at chance; confirmed by the labels' mean."""
    if classes is None or classes < 2:
        return None
    for track in log.of("Backward", "bottom", "diff"):
        if track.layer not in losses or not track.first > 0 or not math.isfinite(track.first):
            continue
        exact = 2 * (classes - 1) / (classes**2 * track.first)
        size = round(exact)
        how = (
            f"gradient {track.first:g} of {track.layer}'s input is 2(C-1)/(C² N) at chance "
            f"for C = {classes}, N = {exact:.6g}"
        )
        loss = next((t.first for t in log.tops if t.layer == track.layer), math.nan)
        if abs(exact - 1) < _DIVISOR_BLUR and loss > 2 * math.log(classes):
            return Decoded("loss divisor", 1, f"{how}: {_sum_of(loss, classes)}")
        # Away from chance by d, the right class has about e^-d/C, and the gradient is off by d/(C - 1).
        blur = exact * (2 * abs(loss - math.log(classes)) / (classes - 1) + _PRINTING)
        if 1 <= size <= 100_000 and blur < 0.25 and abs(exact - size) <= blur:
            return Decoded("batch size" if size > 1 else "loss divisor", size, how + _label_check(log, size))
    return None


def _sum_of(loss: float, classes: int) -> str:
    """Describes a loss that is not divided by anything."""
    items = loss / math.log(classes)
    return f"the loss is not normalised, and {loss:g} is the sum of about {items:.0f} times ln {classes}"


def _label_check(log: TrainingLog, size: int) -> str:
    """Whether the sum of the labels is an integer, as it must be."""
    label = next((t for t in log.tops if t.blob == "label"), None)
    if label is None or not math.isfinite(label.first) or not label.first:
        return ""
    total = label.first * size
    exact = abs(total - round(total)) <= 5e-6 * total + 1e-9
    return f"; labels add up to {label.first:g} × {size} = {round(total)}" if exact else ""


def batch_norm_passes(log: TrainingLog) -> Decoded | None:
    """Forward passes in TRAIN that BatchNorm layers have counted, by the latest of their blobs."""
    for track in _counters(log):
        passes = passes_of(track.last)
        if passes is not None:
            how = f"blob 2 of {track.layer} is {track.last:g} = Σ {_FRACTION}^i over {passes} passes"
            return Decoded("BatchNorm passes", passes, how)
    return None


def passes_of(blob: float, fraction: float = _FRACTION) -> int | None:
    """n where Σ fraction^i over n passes prints as ``blob``; None where six digits cannot tell."""
    rest = 1 - blob * (1 - fraction)
    if not blob > 0 or not 0 < rest < 1:
        return None
    passes = math.log(rest) / math.log(fraction)
    # What half a unit in the sixth digit amounts to.
    digits = 0.5 * 10.0 ** (math.floor(math.log10(blob)) - 5)
    blur = digits * (1 - fraction) / rest / -math.log(fraction)
    n = round(passes)
    return n if n >= 1 and blur < 0.05 and abs(passes - n) <= 1.1 * blur + 1e-6 else None


def _counters(log: TrainingLog) -> list[Track]:
    """Third blobs of layers that have exactly three."""
    params: dict[str, dict[str, Track]] = {}
    for track in log.weights_data:
        params.setdefault(track.layer, {})[track.blob] = track
    return [blobs["2"] for blobs in params.values() if set(blobs) == {"0", "1", "2"}]


def top_batch(log: TrainingLog) -> int | None:
    """The batch size of the first net, from the shape of its first top."""
    shapes = next((log.shapes[layer] for layer in log.layers if layer in log.shapes), ())
    first = shapes[0] if shapes else ()
    return first[0] if first else None
