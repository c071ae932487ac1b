"""What mean-field prediction knows about a blob.

Values of a blob are described over channels, places and items. Two places of one channel have
something in common (``common``): the channel's own mean, which random weights produce from whatever their inputs
have in common. BatchNorm removes it and nothing else does, so it must be kept separately.
"""

from __future__ import annotations

from math import exp, pi, sqrt

from caffefix._startup.records import dataclass, replace
from caffefix.caffe.layers.moments import gauss

# Standard deviations of ln E|x| to either side of a bracket.
_WIDTH = 2.2


@dataclass(frozen=True, slots=True)
class Signal:
    """Moments of a blob's values.

    Attributes:
        mean: E[x].
        square: E[x²].
        mean_abs: E|x|.
        common: E[x·y] for two places, or items, of the same channel.
        length: how far places are alike, in pixels: their correlation falls to zero over this distance.
            1 is white noise.
        doubt: variance of ln E|x| of a single net around this prediction.
        sized: whether its size is known; if not, only that it is not zero.
        latent: where x is ``scale·max(z, 0)`` or z, mean, variance and covariance of that normal z.
        rectified: which of the two.
        scale: see latent.
    """

    mean: float
    square: float
    mean_abs: float
    common: float
    length: float = 1.0
    doubt: float = 0.0
    sized: bool = True
    latent: tuple[float, float, float] | None = None
    rectified: bool = False
    scale: float = 1.0

    @property
    def variance(self) -> float:
        return max(0.0, self.square - self.mean * self.mean)

    @property
    def normal(self) -> tuple[float, float, float]:
        """Mean, variance and covariance of the normal that it is, or that approximates it."""
        if self.latent is not None and not self.rectified:
            return self.latent
        return self.mean, self.variance, min(self.variance, max(0.0, self.common - self.mean * self.mean))

    @property
    def positive(self) -> bool:
        """Whether no value is negative."""
        return self.mean_abs <= abs(self.mean) * (1 + 1e-9) and self.mean >= 0

    def with_doubt(self, more: float) -> Signal:
        return replace(self, doubt=self.doubt + more)

    def times(self, factor: float) -> Signal:
        """factor · x."""
        squared = factor * factor
        latent = self.latent
        if latent is not None and not self.rectified:
            latent = (latent[0] * factor, latent[1] * squared, latent[2] * squared)
        elif factor < 0:
            latent = None
        return replace(
            self,
            mean=self.mean * factor,
            square=self.square * squared,
            mean_abs=self.mean_abs * abs(factor),
            common=self.common * squared,
            latent=latent,
            scale=self.scale * factor if self.rectified else self.scale,
        )


def normal(mean: float, var: float, cov: float, like: Signal) -> Signal:
    """A blob of normal values; length and doubt come from another blob."""
    cov = min(max(cov, 0.0), var)
    return Signal(
        mean=mean,
        square=mean * mean + var,
        mean_abs=gauss.mean_abs(mean, var),
        common=mean * mean + cov,
        length=like.length,
        doubt=like.doubt,
        sized=like.sized,
        latent=(mean, var, cov),
    )


def rectified(mean: float, var: float, cov: float, like: Signal, scale: float = 1.0) -> Signal:
    """``scale · max(z, 0)`` of a normal z."""
    average, square = gauss.rectified_mean(mean, var), gauss.rectified_square(mean, var)
    common = gauss.rectified_product(mean, var, cov)
    made = Signal(
        mean=average,
        square=square,
        mean_abs=average,
        common=common,
        length=like.length,
        doubt=like.doubt,
        sized=like.sized,
    )
    return replace(made.times(scale), latent=(mean, var, cov), rectified=True, scale=scale)


def scaled_to(signal: Signal, mean_abs: float) -> Signal:
    """The same, scaled to that mean absolute value."""
    return signal.times(mean_abs / signal.mean_abs) if signal.mean_abs else signal


def noise(mean_abs: float, length: float = 1.0) -> Signal:
    """Centred normal values."""
    var = mean_abs * mean_abs * pi / 2
    return replace(normal(0.0, var, 0.0, Signal(0, 0, 0, 0)), length=length)


def images(mean_abs: float, *, centred: bool, length: float) -> Signal:
    """Images: smooth, and with a mean of about twice their spread where no mean is subtracted."""
    if centred:
        return noise(mean_abs, length)
    var = (mean_abs / 2) ** 2
    made = normal(mean_abs, var, 0.0, Signal(0, 0, 0, 0))
    return scaled_to(replace(made, length=length), mean_abs)


def constant(value: float) -> Signal:
    """A blob of one value."""
    return Signal(value, value * value, abs(value), value * value, latent=(value, 0.0, 0.0))


def spread(signals: list[Signal]) -> tuple[float, float, float]:
    """Geometric mean, minimum and maximum of several predictions of E|x|."""
    lows = [s.mean_abs * _exp(-_WIDTH * sqrt(s.doubt)) for s in signals]
    highs = [s.mean_abs * _exp(_WIDTH * sqrt(s.doubt)) for s in signals]
    product = 1.0
    for signal in signals:
        product *= signal.mean_abs ** (1 / len(signals))
    return product, min(lows), max(highs)


def _exp(x: float) -> float:
    return exp(min(x, 300.0))
