"""Predictions about a net's signals: plain results of ``signal.predict``, and when they are out of range.

What counts is the standard deviation τ of the logits, which a softmax or sigmoid turns into a loss
(facts: the first loss is about ln C + τ²/2 for small τ; a net that learns starts with τ of 0.1..10).
A prediction is a bracket: signals are out of range only if the whole bracket is.
"""

from __future__ import annotations

from caffefix._startup.records import dataclass
from caffefix.caffe.net import Layer, Phase

# A net learns with logits between these.
LOW, HIGH = 0.1, 10.0
# A net whose bracket ends below this starts at chance and may stay there.
_VANISHED = 0.05
# … unless tiny weights see large inputs (CIFAR-10's first layer, std 0.0001 on pixels): then they move fast.
_MOVES = 300.0
# Range for the mean |x| of blobs on the way; outside it, single steps are lost or overshoot.
TINY, HUGE = 1e-4, 1e3


@dataclass(frozen=True, slots=True)
class BlobPrediction:
    """A top before the first step.

    Attributes:
        layer: the layer that produces it.
        blob: its name; ``(automatic)`` for a loss without a top.
        type: of the layer.
        mean_abs: predicted E|x|, or None where it is not known.
        low: lower end of the bracket.
        high: upper end.
        zero: whether it is exactly zero; None where that is not decided.
    """

    layer: str
    blob: str
    type: str
    mean_abs: float | None
    low: float | None
    high: float | None
    zero: bool | None


@dataclass(frozen=True, slots=True)
class ParamPrediction:
    """A parameter blob as filled by its filler.

    Attributes:
        layer: that has it.
        index: among the layer's blobs.
        type: of the layer.
        role: as in ``ParamBlob``.
        mean_abs: predicted E|w|, or None where it is not known.
        low: lower end of the bracket.
        high: upper end.
        zero: whether it is exactly zero.
        gradient_zero: whether the first gradient is exactly zero; None where that is not decided,
            in TEST, and for what is not trained.
    """

    layer: str
    index: int
    type: str
    role: str
    mean_abs: float | None
    low: float | None
    high: float | None
    zero: bool | None
    gradient_zero: bool | None


@dataclass(frozen=True, slots=True)
class Stopped:
    """A layer after which nothing is predicted."""

    layer: str
    type: str
    why: str


@dataclass(frozen=True, slots=True)
class Logits:
    """The input of a softmax or sigmoid loss, before the first step.

    Attributes:
        loss: the layer that reads the logits.
        blob: their name.
        feeders: the layers that they come from, in file order.
        std: predicted standard deviation, or None where it is not known.
        low: lower end of the bracket.
        high: upper end.
        reach: E‖∂logit/∂w‖² over the weights that learn, an upper limit: how far a step of rate 1
            moves a logit. None where it is not known.
    """

    loss: Layer
    blob: str
    feeders: tuple[Layer, ...]
    std: float | None
    low: float | None
    high: float | None
    reach: float | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is predicted for a phase of a net.

    Attributes:
        phase: the phase.
        blobs: every top, in the order of the layers.
        params: every parameter blob whose existence is known.
        stopped: where prediction ends, and why.
        assumed: what was assumed about the data, in words.
        loss: sum of the losses by their weights, or None where one is not known.
        logits: one entry for each softmax or sigmoid loss.
    """

    phase: Phase
    blobs: tuple[BlobPrediction, ...]
    params: tuple[ParamPrediction, ...]
    stopped: tuple[Stopped, ...]
    assumed: tuple[str, ...]
    loss: float | None
    logits: tuple[Logits, ...] = ()

    def blob(self, name: str) -> BlobPrediction | None:
        """The last version of a blob."""
        return next((b for b in reversed(self.blobs) if b.blob == name), None)


def exploded(prediction: Prediction) -> Logits | None:
    """The first logits that are too large to learn from."""
    return next(filter(is_large, prediction.logits), None)


def vanished(prediction: Prediction) -> Logits | None:
    """The last logits of a net all of whose logits are too small to learn from."""
    small = [logits for logits in prediction.logits if _is_small(logits)]
    return small[-1] if small and len(small) == len(prediction.logits) else None


def is_large(logits: Logits) -> bool:
    """Whether logits are too large to learn from."""
    return logits.low is not None and logits.low > HIGH


def _is_small(logits: Logits) -> bool:
    reach = logits.reach
    return logits.high is not None and logits.high < _VANISHED and reach is not None and reach < _MOVES
