"""The inputs of signal rules, and what they share."""

from __future__ import annotations

from collections.abc import Callable

from caffefix._startup.records import dataclass
from caffefix.caffe.fillers import Moments, Shape, count, moments
from caffefix.caffe.layers.moments.signal import Signal, normal
from caffefix.caffe.layers.shapes import ParamBlob
from caffefix.caffe.layers.shapes.base import Fields
from caffefix.caffe.net import Layer, Phase


class Stop(Exception):
    """Prediction stops here; the text says why."""


@dataclass(frozen=True, slots=True)
class Place:
    """A layer where a rule is applied.

    Attributes:
        layer: the layer.
        phase: of the net.
        bottoms: shapes of its bottoms.
        tops: shapes of its tops.
        params: its parameter blobs, with the fillers to assume.
    """

    layer: Layer
    phase: Phase
    bottoms: tuple[Shape, ...]
    tops: tuple[Shape, ...]
    params: tuple[ParamBlob, ...]

    def fields(self, name: str) -> Fields:
        return Fields(self.layer.node.message(name))

    def filled(self, index: int) -> Moments:
        """Moments of a parameter."""
        blob = self.params[index]
        found = moments(blob.filler, blob.shape)
        if found is None:
            raise Stop(f"the output of filler '{blob.filler.type}' is not known here")
        return found

    @property
    def channels(self) -> int:
        """Channels of the first top; few if unknown."""
        shape = self.tops[0] if self.tops else None
        return (shape[1] or 8) if shape is not None and len(shape) > 1 else 8

    @property
    def places(self) -> int:
        """Places and items over which a channel of the first bottom is averaged."""
        shape = self.bottoms[0]
        if shape is None or len(shape) < 2:
            return 2
        return (shape[0] or 2) * (count(shape[2:]) or 1)


Rule = Callable[[Place, list[Signal]], list[Signal]]


def few(place: Place, signal: Signal) -> float:
    """Variance of ln E|x| because the number of channels and places is limited, with at least two items."""
    if signal.square <= 0:
        return 0.0
    alike = min(1.0, signal.common / signal.square)
    shape = place.tops[0] if place.tops else None
    places = max(1.0, (count(shape[2:]) or 1) / signal.length**2) if shape is not None and len(shape) > 2 else 1.0
    return 0.57 / place.channels * (alike**2 + (1 - alike**2) / (2 * places))


def shifted(signal: Signal, offset: Moments) -> Signal:
    """x + b."""
    if offset.square == 0:
        return signal
    mean, var, cov = signal.normal
    extra = max(0.0, offset.square - offset.mean**2)
    return normal(mean + offset.mean, var + extra, cov + extra, signal).with_doubt(0.001)
