"""Rules of the exact analysis: what is certainly zero, or constant, after a layer, and whose gradient is.

A blob is known to be exactly zero, constant per channel with a known or unknown sign, or anything; so is a
parameter. A rule gives the result of a layer in the forward pass, the bottoms that receive a gradient if a top
does, and how the layer's parameters start. The engine that walks nets is ``evidence/liveness.py``. Sources: the
layers' ``Forward_cpu`` and ``Backward_cpu``; Caffe's derivative of ReLU at 0 is 0.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from functools import partial

from caffefix._startup.records import dataclass
from caffefix.caffe.net import Filler, Layer, Phase, alike


class Value(enum.Enum):
    """What is known about a blob, or a bias; constants are per channel."""

    ZERO = 0
    POSITIVE = 1
    NEGATIVE = 2
    CONSTANT = 3
    ANY = 4


_CONSTANTS = frozenset({Value.ZERO, Value.POSITIVE, Value.NEGATIVE, Value.CONSTANT})


@dataclass(slots=True)
class Params:
    """A layer's parameters: scale (weights, gamma) and offset (bias, beta)."""

    weight: Value = Value.ANY
    bias: Value = Value.ZERO
    weight_live: bool = False
    bias_live: bool = False
    weight_trains: bool = True
    bias_trains: bool = True


@dataclass(slots=True)
class Site:
    """A layer where a rule is applied.

    Attributes:
        layer: the layer.
        phase: of the net.
        params: its parameters as they are known.
        values: of its bottoms; there is at least one.
    """

    layer: Layer
    phase: Phase
    params: Params
    values: Sequence[Value] = ()

    @property
    def value(self) -> Value:
        return self.values[0]


def _anything(site: Site) -> Value:
    return Value.ANY


def _comes_through(site: Site, index: int) -> bool:
    return True


def _multiplied(site: Site) -> bool:
    """A weight that multiplies zero has no gradient."""
    return not site.values or site.value is not Value.ZERO


def untrained(layer: Layer) -> Params:
    """The parameters of a layer that has none, or no known ones."""
    return Params(weight_trains=False, bias_trains=False)


@dataclass(frozen=True, slots=True)
class ZeroRule:
    """What is known about a layer type.

    Attributes:
        forward: the value of its tops.
        passes: whether a bottom's gradient may be other than zero, if a top's is.
        starts: its parameters as Caffe fills them.
        reached: whether the gradient of its first parameter may be other than zero, if a top's is.
    """

    forward: Callable[[Site], Value] = _anything
    passes: Callable[[Site, int], bool] = _comes_through
    starts: Callable[[Layer], Params] = untrained
    reached: Callable[[Site], bool] = _multiplied


# ---------------------------------------------------------------- values


def sign(number: float) -> Value:
    """What is known about a number."""
    return Value.ZERO if number == 0 else Value.POSITIVE if number > 0 else Value.NEGATIVE


def filled_value(filler: Filler) -> Value:
    """What is known about a blob with that filler."""
    return sign(filler.value) if filler.type == "constant" else Value.ANY


def _mixed(values: Sequence[Value]) -> Value:
    if all(v is values[0] for v in values):
        return values[0]
    return Value.CONSTANT if all(v in _CONSTANTS for v in values) else Value.ANY


def _constant_stays(value: Value) -> Value:
    return Value.CONSTANT if value in _CONSTANTS else Value.ANY


# ---------------------------------------------------------------- weights


def _trains(layer: Layer) -> tuple[bool, bool]:
    return layer.param(0).lr_mult != 0, layer.param(1).lr_mult != 0


@alike
def is_zero_filled(layer: Layer) -> bool:
    """Whether the layer has weights and Caffe fills them with zeros."""
    message = layer.kind.weights
    if not message or layer.node.message(message) is None:
        return False  # without its parameters it is some fork's layer of that name, or not a layer
    return layer.filler(message, "weight_filler").is_zero


def _filled_weights(layer: Layer) -> Params:
    message = layer.kind.weights
    trains = _trains(layer)
    has_bias = layer.flag(message, "bias_term", True)
    return Params(
        weight=Value.ZERO if is_zero_filled(layer) else Value.ANY,
        bias=filled_value(layer.filler(message, "bias_filler")) if has_bias else Value.ZERO,
        weight_trains=trains[0],
        bias_trains=trains[1] and has_bias,
    )


def _sum(site: Site) -> Value:
    """weight · x + bias."""
    params = site.params
    return params.bias if Value.ZERO in (params.weight, site.value) else Value.ANY


def _lookup(site: Site) -> Value:
    """A row of weights: the size does not depend on which one."""
    return site.params.bias if site.params.weight is Value.ZERO else Value.ANY


def _recurrence(site: Site) -> Value:
    return _sum(site) if site.params.bias is Value.ZERO else Value.ANY


def _by_weight(site: Site, index: int) -> bool:
    return site.params.weight is not Value.ZERO


weighted = ZeroRule(_sum, _by_weight, _filled_weights)
embed = ZeroRule(_lookup, _by_weight, _filled_weights, lambda site: True)
recurrent = ZeroRule(_recurrence, _by_weight, _filled_weights)


def zero_gamma(layer: Layer) -> Params:
    """gamma and beta as NVCaffe up to 0.15 fills them without fillers."""
    beta = filled_value(layer.filler("batch_norm_param", "bias_filler"))
    trains = _trains(layer)
    return Params(Value.ZERO, beta, weight_trains=trains[0], bias_trains=trains[1])


def _filled_scale(layer: Layer) -> Params:
    if len(layer.bottoms) != 1:
        return untrained(layer)
    gamma = layer.filler("scale_param", "filler")
    has_bias = layer.flag("scale_param", "bias_term", False)
    trains = _trains(layer)
    return Params(
        weight=Value.POSITIVE if gamma.node is None else filled_value(gamma),
        bias=filled_value(layer.filler("scale_param", "bias_filler")) if has_bias else Value.ZERO,
        weight_trains=trains[0],
        bias_trains=trains[1] and has_bias,
    )


def _scaled(site: Site) -> Value:
    params, value = site.params, site.value
    if len(site.values) > 1:
        return _product(site)
    if Value.ZERO in (params.weight, value):
        return params.bias
    if value in _CONSTANTS and params.weight is Value.POSITIVE and params.bias is Value.ZERO:
        return value
    return _constant_stays(value)


def _scale_passes(site: Site, index: int) -> bool:
    return _by_weight(site, index) if len(site.values) == 1 else _others_are_not_zero(site, index)


def _filled_bias(layer: Layer) -> Params:
    if len(layer.bottoms) != 1:
        return untrained(layer)
    offset = filled_value(layer.filler("bias_param", "filler"))
    return Params(Value.POSITIVE, weight_trains=False, bias=offset, bias_trains=layer.param(0).lr_mult != 0)


def _shifted(site: Site) -> Value:
    offset = site.params.bias
    if len(site.values) > 1:
        return Value.ANY
    if site.value is Value.ZERO:
        return offset
    return site.value if offset is Value.ZERO else _mixed([site.value, offset])


scale = ZeroRule(_scaled, _scale_passes, _filled_scale)
bias = ZeroRule(_shifted, starts=_filled_bias)


# ---------------------------------------------------------------- elementwise


def _unchanged(site: Site) -> Value:
    return site.value


def _zero_stays(site: Site) -> Value:
    return site.value if site.value is Value.ZERO else Value.ANY


def _above_zero(site: Site) -> Value:
    return Value.POSITIVE if site.value in _CONSTANTS else Value.ANY


def _is_leaky(layer: Layer) -> bool:
    return layer.number("relu_param", "negative_slope", 0.0) != 0


def _rectified(site: Site) -> Value:
    return Value.ZERO if site.value is Value.NEGATIVE and not _is_leaky(site.layer) else site.value


def _relu_passes(site: Site, index: int) -> bool:
    return _is_leaky(site.layer) or site.value not in (Value.ZERO, Value.NEGATIVE)


def _rectified6(site: Site) -> Value:
    return Value.ZERO if site.value is Value.NEGATIVE else site.value


def _absolute(site: Site) -> Value:
    return Value.POSITIVE if site.value in (Value.POSITIVE, Value.NEGATIVE) else site.value


def _absolute_passes(site: Site, index: int) -> bool:
    return site.value is not Value.ZERO


def _power_numbers(layer: Layer) -> tuple[float, float, float]:
    """power, scale and shift."""
    number = partial(layer.number, "power_param")
    return number("power", 1.0), number("scale", 1.0), number("shift", 0.0)


def _bounds(layer: Layer) -> tuple[float, float]:
    return layer.number("clip_param", "min", 0.0), layer.number("clip_param", "max", 0.0)


def _clipped(site: Site) -> Value:
    low, high = _bounds(site.layer)
    return sign(max(low, min(0.0, high))) if site.value is Value.ZERO else _constant_stays(site.value)


def _clip_passes(site: Site, index: int) -> bool:
    """The derivative is 1 at the bounds."""
    low, high = _bounds(site.layer)
    return low <= 0 <= high or site.value is not Value.ZERO


def _powered(site: Site) -> Value:
    exponent, factor, shift = _power_numbers(site.layer)
    value = site.value
    if exponent != 1:
        if value is Value.ZERO and shift == 0 and exponent > 0:
            return Value.ZERO
        return _constant_stays(value)
    if value is Value.ZERO or factor == 0:
        return sign(shift)
    return value if shift == 0 and factor > 0 else _constant_stays(value)


def _power_passes(site: Site, index: int) -> bool:
    """The derivative is power · scale · (shift + scale · x)^(power − 1)."""
    exponent, factor, shift = _power_numbers(site.layer)
    flat = site.value is Value.ZERO and shift == 0 and exponent > 1
    return exponent * factor != 0 and not flat


same = ZeroRule(_unchanged)  # zero, and the sign of a constant, stay unchanged
zero_stays = ZeroRule(_zero_stays)
positive = ZeroRule(_above_zero)
anything = ZeroRule()
relu = ZeroRule(_rectified, _relu_passes)
relu6 = ZeroRule(_rectified6)
absolute = ZeroRule(_absolute, _absolute_passes)
clip = ZeroRule(_clipped, _clip_passes)
power = ZeroRule(_powered, _power_passes)


# ---------------------------------------------------------------- over several values


def _pooled(site: Site) -> Value:
    # Padding enters averages, so a constant is no longer constant at the border.
    padded = any(site.layer.number("pooling_param", n, 0.0) for n in ("pad", "pad_h", "pad_w"))
    return Value.ANY if padded and site.value is not Value.ZERO else site.value


def _normalised(site: Site) -> Value:
    layer, value = site.layer, site.value
    if not layer.is_bvlc_batch_norm:
        return Value.ANY
    if value is Value.ANY:
        return value
    if layer.flag("batch_norm_param", "use_global_stats", site.phase is Phase.TEST):
        return value if value is Value.ZERO else Value.CONSTANT
    return Value.ZERO  # a constant minus its mean


pooling = ZeroRule(_pooled)
batch_norm = ZeroRule(_normalised)
# BatchNorm with gamma and beta among its blobs, where the log or the fork shows that they start at zero.
batch_norm_with_gamma = ZeroRule(_sum, _by_weight, zero_gamma)


# ---------------------------------------------------------------- joins


def _multiplies(layer: Layer) -> bool:
    return layer.word("eltwise_param", "operation", "SUM") in ("PROD", "0")


def _others_are_not_zero(site: Site, index: int) -> bool:
    return all(value is not Value.ZERO for i, value in enumerate(site.values) if i != index)


def _times(values: Sequence[Value]) -> Value:
    return Value.ZERO if Value.ZERO in values else _mixed([*values, Value.CONSTANT])


def _product(site: Site) -> Value:
    return _times(site.values)


def _scaled_and_added(site: Site) -> Value:
    """a · x + y."""
    if len(site.values) != 3:
        return Value.ANY
    scaled, added = _times(site.values[:2]), site.values[2]
    return added if scaled is Value.ZERO else _mixed([scaled, added, Value.CONSTANT])


def _joined(site: Site) -> Value:
    if _multiplies(site.layer) and Value.ZERO in site.values:
        return Value.ZERO
    return Value.ZERO if all(v is Value.ZERO for v in site.values) else _mixed([*site.values, Value.CONSTANT])


def _join_passes(site: Site, index: int) -> bool:
    return not _multiplies(site.layer) or _others_are_not_zero(site, index)


def _side_by_side(site: Site) -> Value:
    return _mixed(site.values)


def _only_first(site: Site, index: int) -> bool:
    return index == 0


def _chosen(site: Site) -> Value:
    """What all blobs have in common from which items are chosen."""
    return _mixed(site.values[:-1])


def _but_the_last(site: Site, index: int) -> bool:
    return index < len(site.values) - 1


eltwise = ZeroRule(_joined, _join_passes)
concat = ZeroRule(_side_by_side)
choice = ZeroRule(_chosen, _but_the_last)
crop = ZeroRule(_unchanged, _only_first)
axpy = ZeroRule(_scaled_and_added)
