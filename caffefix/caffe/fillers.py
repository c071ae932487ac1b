"""Fillers: what a parameter is filled with before training, and the moments of it.

Source: ``include/caffe/filler.hpp``, ``FillerParameter`` (caffe.proto); Glorot and Bengio 2010
(xavier), He et al. 2015 (msra).
"""

from __future__ import annotations

from math import erf, exp, pi, prod, sqrt

from caffefix._startup.records import dataclass
from caffefix.syntax.scalars import number_value
from caffefix.syntax.tree import Node

Dim = int | None
Shape = tuple[Dim, ...] | None

FILLERS = frozenset({"constant", "uniform", "gaussian", "positive_unitball", "xavier", "msra", "bilinear"})


@dataclass(frozen=True, slots=True)
class FillerSpec:
    """A ``FillerParameter``; the defaults are Caffe's.

    Attributes:
        type: one of ``FILLERS``, or a fork's.
        variance_norm: ``FAN_IN``, ``FAN_OUT`` or ``AVERAGE``; for xavier and msra.
        sparse: for gaussian: the average number of non-zero weights in each row; −1 for all.
    """

    type: str = "constant"
    value: float = 0.0
    min: float = 0.0
    max: float = 1.0
    mean: float = 0.0
    std: float = 1.0
    sparse: float = -1.0
    variance_norm: str = "FAN_IN"

    @property
    def is_zero(self) -> bool:
        """Whether it fills with exactly zero."""
        return (
            (self.type == "constant" and self.value == 0)
            or (self.type == "uniform" and self.min == self.max == 0)
            or (self.type == "gaussian" and self.mean == self.std == 0)
        )

    @property
    def constant(self) -> float | None:
        """The one value that it fills with, if it is one."""
        if self.type == "constant":
            return self.value
        if self.type == "uniform" and self.min == self.max:
            return self.min
        return self.mean if self.type == "gaussian" and self.std == 0 and self.sparse < 0 else None


CAFFES_OWN = FillerSpec()


@dataclass(frozen=True, slots=True)
class Moments:
    """E[w], E[w²] and E|w| of a filled parameter."""

    mean: float
    square: float
    mean_abs: float


def read_filler(node: Node | None, default: FillerSpec = CAFFES_OWN) -> FillerSpec:
    """The filler that a message describes; ``default`` where there is no message."""
    if node is None:
        return default

    def number(name: str, otherwise: float) -> float:
        value = node.scalar(name)
        found = None if value is None else number_value(value)
        return otherwise if found is None else found

    norm = node.scalar("variance_norm") or "FAN_IN"
    return FillerSpec(
        type=node.string("type") or "constant",
        value=number("value", 0.0),
        min=number("min", 0.0),
        max=number("max", 1.0),
        mean=number("mean", 0.0),
        std=number("std", 1.0),
        sparse=number("sparse", -1.0),
        variance_norm={"0": "FAN_IN", "1": "FAN_OUT", "2": "AVERAGE"}.get(norm, norm),
    )


def count(shape: Shape) -> Dim:
    """Number of elements, or None if any axis is unknown."""
    if shape is None:
        return None
    known = [dim for dim in shape if dim is not None]
    return prod(known) if len(known) == len(shape) else None


def fans(shape: Shape) -> tuple[Dim, Dim]:
    """fan_in and fan_out as fillers see them: ``count/shape(0)``, and ``count/shape(1)`` if there are two axes."""
    if shape is None:
        return None, None
    total = count(shape)
    fan_in = count(shape[1:])
    fan_out = count((shape[0], *shape[2:])) if len(shape) > 1 else total
    return fan_in, fan_out


def moments(spec: FillerSpec, shape: Shape) -> Moments | None:
    """Moments of a parameter of that shape, or None where they are unknown."""
    constant = spec.constant
    if constant is not None:
        return Moments(constant, constant * constant, abs(constant))
    if spec.type == "uniform":
        return _uniform(spec.min, spec.max)
    if spec.type == "gaussian":
        return _gaussian(spec, shape)
    if spec.type in ("xavier", "msra"):
        fan = _fan(spec, shape)
        if not fan:
            return None
        if spec.type == "xavier":
            return _uniform(-sqrt(3 / fan), sqrt(3 / fan))
        return Moments(0.0, 2 / fan, sqrt(2 / pi) * sqrt(2 / fan))
    if spec.type == "bilinear":
        return _bilinear(shape)
    if spec.type == "positive_unitball":
        fan_in = fans(shape)[0]  # U(0, 1), rows divided by their sum, about fan_in/2
        return Moments(1 / fan_in, 4 / 3 / fan_in**2, 1 / fan_in) if fan_in else None
    return None


def _uniform(low: float, high: float) -> Moments:
    mean = (low + high) / 2
    square = (low * low + low * high + high * high) / 3
    if low >= 0 or high <= 0:
        return Moments(mean, square, abs(mean))
    return Moments(mean, square, (low * low + high * high) / 2 / (high - low))


def _gaussian(spec: FillerSpec, shape: Shape) -> Moments | None:
    mean, std = spec.mean, abs(spec.std)
    folded = abs(mean)
    if std:
        folded = std * sqrt(2 / pi) * exp(-mean * mean / (2 * std * std)) + mean * erf(mean / (std * sqrt(2)))
    share = 1.0
    if spec.sparse >= 0:
        rows = shape[0] if shape else None
        if not rows:
            return None
        share = min(1.0, spec.sparse / rows)  # each weight is kept with this probability
    return Moments(mean * share, (mean * mean + std * std) * share, folded * share)


def _fan(spec: FillerSpec, shape: Shape) -> float | None:
    fan_in, fan_out = fans(shape)
    if spec.variance_norm == "FAN_OUT":
        return fan_out
    if spec.variance_norm == "AVERAGE":
        return None if fan_in is None or fan_out is None else (fan_in + fan_out) / 2
    return fan_in


def _bilinear(shape: Shape) -> Moments | None:
    """The upsampling kernel, the same for each pair of channels."""
    if shape is None or len(shape) != 4 or shape[3] is None:
        return None
    size = shape[3]
    factor = (size + 1) // 2
    centre = (size - 1) / (2 * factor)
    row = [1 - abs(x / factor - centre) for x in range(size)]
    mean, square = sum(row) / size, sum(w * w for w in row) / size
    return Moments(mean * mean, square * square, (sum(map(abs, row)) / size) ** 2)
