"""Exact analysis: which weights can never receive a gradient.

An abstract interpretation of the TRAIN net. Each blob is known to be exactly zero, constant
per channel with a known or unknown sign, or is anything at all; each parameter is zero,
constant, or anything. Gradients are killed by weights that are zero, by ReLU where its input
is zero or a negative constant (Caffe's derivative at 0 is 0), and by paths without a loss.
Parameters that are live and trainable become anything, and the analysis is repeated until
nothing changes: what never came alive is dead for ever.

It is sound: what it does not know (layers of forks, Python layers) is taken to be alive, so a
layer that is called dead is dead. Rules and their confirmation by training: Caffe's layers'
``Forward_cpu``/``Backward_cpu``; a net whose last layer alone is zero learns.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Sequence
from functools import partial

from caffefix.caffe.graph import Graph, build
from caffefix.caffe.layer_types import WEIGHTED
from caffefix.caffe.net import Filler, Layer, Phase, alike
from caffefix.caffe.roles import scores
from caffefix.records import dataclass
from caffefix.syntax.scalars import number_value


class Value(enum.Enum):
    """What is known of a blob, or of a bias; constants are per channel."""

    ZERO = 0
    POSITIVE = 1
    NEGATIVE = 2
    CONSTANT = 3
    ANY = 4


_CONSTANTS = frozenset({Value.ZERO, Value.POSITIVE, Value.NEGATIVE, Value.CONSTANT})


@dataclass(slots=True)
class _Blob:
    """What is known of one version of a blob."""

    value: Value = Value.ANY
    live: bool = False  # may its gradient be other than zero?
    consumed: bool = False


@dataclass(slots=True)
class _State:
    """A layer's parameters: scale (weights, gamma) and offset (bias, beta)."""

    weight: Value = Value.ANY
    bias: Value = Value.ZERO
    weight_live: bool = False
    bias_live: bool = False
    weight_trains: bool = True
    bias_trains: bool = True
    is_gamma: bool = False  # of a BatchNorm that keeps gamma and beta among its blobs


class _Step:
    def __init__(self, layer: Layer, bottoms: list[_Blob], tops: list[_Blob], state: _State, phase: Phase) -> None:
        self.layer = layer
        self.phase = phase
        self.bottoms = bottoms
        self.tops = tops
        self.state = state
        down = layer.node.scalars("propagate_down")
        self.blocked = [v in ("false", "False", "f", "0") for v in down]


@alike
def is_zero_filled(layer: Layer) -> bool:
    """Whether the layer has weights and Caffe fills them with zeros."""
    weights = WEIGHTED.get(layer.type)
    if weights is None or layer.node.message(weights.message) is None:
        return False  # without its parameters it is some fork's layer of that name, or none
    return layer.filler(weights.message, "weight_filler").is_zero


def dead_weights(
    layers: Sequence[Layer],
    *,
    filled: Collection[Layer] = (),
    zero_gamma: Collection[Layer] = (),
    open_ended: bool = False,
) -> list[Layer]:
    """Trainable layers whose weights can never receive a gradient.

    Args:
        layers: the TRAIN view, in file order.
        filled: layers whose weights are to be taken as filled, whatever the file says.
        zero_gamma: BatchNorm layers of forks whose first two blobs are gamma and beta, both 0.
        open_ended: whether blobs that nothing consumes feed layers outside the file.
    """
    steps = _steps(build(layers), set(map(id, filled)), Phase.TRAIN, set(map(id, zero_gamma)))
    changed = True
    while changed:
        for step in steps:
            _forward(step)
        _backward(steps, open_ended)
        changed = sum(_train(step.state) for step in steps) > 0  # all are trained
    return [
        step.layer
        for step in steps
        if step.layer.type in WEIGHTED and step.state.weight_trains and not step.state.weight_live
    ]


@dataclass(frozen=True, slots=True)
class Start:
    """What is exactly known of a net before its first step.

    Attributes:
        values: of the blobs, by ``Blob.index``.
        weight_live: by step, whether the first parameter's gradient may be other than zero.
        bias_live: the same for the second (for Bias, its only one).
    """

    values: tuple[Value, ...]
    weight_live: tuple[bool, ...]
    bias_live: tuple[bool, ...]


def at_start(graph: Graph, phase: Phase, *, filled: Collection[Layer] = ()) -> Start:
    """The exact analysis of one pass, forward and backward, with parameters as they are filled.

    Args:
        graph: of the net in that phase.
        phase: of the net.
        filled: layers whose weights are to be taken as filled, whatever the file says.
    """
    steps = _steps(graph, set(map(id, filled)), phase)
    for step in steps:
        _forward(step)
    _backward(steps, open_ended=False)
    values = [Value.ANY] * len(graph.blobs)
    for step, resolved in zip(steps, graph.steps, strict=True):
        for blob, top in zip(step.tops, resolved.tops, strict=True):
            values[top.index] = blob.value
    live = [(any(top.live for top in step.tops) or scores(step.layer), step) for step in steps]
    return Start(
        tuple(values),
        tuple(flows and _weight_live(step, flows) for flows, step in live),
        tuple(flows for flows, _ in live),
    )


def _steps(graph: Graph, filled: set[int], phase: Phase, zero_gamma: Collection[int] = frozenset()) -> list[_Step]:
    blobs = [_Blob(consumed=bool(readers)) for readers in graph.consumers]
    shared: dict[str, _State] = {}
    steps = []
    for step in graph.steps:
        layer = step.layer
        name = layer.param(0).shared_name
        state = shared.get(name) if name else None
        if state is None:
            state = _zero_gamma(layer) if id(layer) in zero_gamma else _initial(layer, id(layer) in filled)
            if name:
                shared[name] = state
        bottoms = [blobs[blob.index] for blob in step.bottoms]
        tops = [blobs[blob.index] for blob in step.tops]
        steps.append(_Step(layer, bottoms, tops, state, phase))
    return steps


def _sign(number: float) -> Value:
    return Value.ZERO if number == 0 else Value.POSITIVE if number > 0 else Value.NEGATIVE


def _filled_value(filler: Filler) -> Value:
    return _sign(filler.value) if filler.type == "constant" else Value.ANY


def _initial(layer: Layer, filled: bool) -> _State:
    """Parameters as Caffe fills them."""
    kind = layer.type
    trains = (layer.param(0).lr_mult != 0, layer.param(1).lr_mult != 0)
    if kind in WEIGHTED:
        weights = WEIGHTED[kind]
        bias = layer.filler(weights.message, "bias_filler")
        has_bias = layer.flag(weights.message, "bias_term", True)
        return _State(
            weight=Value.ZERO if is_zero_filled(layer) and not filled else Value.ANY,
            bias=_filled_value(bias) if has_bias else Value.ZERO,
            weight_trains=trains[0],
            bias_trains=trains[1] and has_bias,
        )
    if kind == "Scale" and len(layer.bottoms) == 1:
        gamma = layer.filler("scale_param", "filler")
        has_bias = layer.flag("scale_param", "bias_term", False)
        return _State(
            weight=Value.POSITIVE if gamma.node is None else _filled_value(gamma),
            bias=_filled_value(layer.filler("scale_param", "bias_filler")) if has_bias else Value.ZERO,
            weight_trains=trains[0],
            bias_trains=trains[1] and has_bias,
        )
    if kind == "Bias" and len(layer.bottoms) == 1:
        offset = _filled_value(layer.filler("bias_param", "filler"))
        return _State(weight=Value.POSITIVE, weight_trains=False, bias=offset, bias_trains=trains[0])
    return _State(weight_trains=False, bias_trains=False)


def _zero_gamma(layer: Layer) -> _State:
    """gamma and beta as NVCaffe up to 0.15 fills them without fillers."""
    beta = _filled_value(layer.filler("batch_norm_param", "bias_filler"))
    trains = (layer.param(0).lr_mult != 0, layer.param(1).lr_mult != 0)
    return _State(Value.ZERO, beta, weight_trains=trains[0], bias_trains=trains[1], is_gamma=True)


def _train(state: _State) -> bool:
    """Let live parameters learn; whether any is now less known than before."""
    before = (state.weight, state.bias)
    if state.weight_live and state.weight_trains:
        state.weight = Value.ANY
    if state.bias_live and state.bias_trains and state.bias is not Value.ANY:
        state.bias = Value.CONSTANT
    return (state.weight, state.bias) != before


# ---------------------------------------------------------------- forward


def _forward(step: _Step) -> None:
    layer, bottoms = step.layer, step.bottoms
    if not bottoms:
        value = Value.ANY
    elif layer.type in WEIGHTED or (layer.type in ("Scale", "Bias") and len(bottoms) == 1) or step.state.is_gamma:
        value = _affine(layer.type, bottoms[0].value, step.state)
    elif layer.type == "BatchNorm":
        value = _batch_norm(layer, bottoms[0].value, step.phase)
    elif layer.type in _MAPS:
        value = _MAPS[layer.type](layer, bottoms[0].value)
    elif layer.type in _JOINS:
        value = _JOINS[layer.type](layer, [b.value for b in bottoms])
    else:
        value = Value.ANY
    for top in step.tops:
        top.value = value


def _affine(kind: str, value: Value, state: _State) -> Value:
    """weight · x + bias."""
    if kind == "Bias":
        if value is Value.ZERO:
            return state.bias
        return value if state.bias is Value.ZERO else _mixed([value, state.bias])
    if state.weight is Value.ZERO or (value is Value.ZERO and kind != "Embed"):
        if kind in ("LSTM", "RNN") and state.bias is not Value.ZERO:
            return Value.ANY
        return state.bias
    if kind == "Scale" and value in _CONSTANTS:
        keeps = state.weight is Value.POSITIVE and state.bias is Value.ZERO
        return value if keeps else Value.CONSTANT
    return Value.ANY


def _mixed(values: Sequence[Value]) -> Value:
    if all(v is values[0] for v in values):
        return values[0]
    return Value.CONSTANT if all(v in _CONSTANTS for v in values) else Value.ANY


def _relu(layer: Layer, value: Value) -> Value:
    leaky = layer.number("relu_param", "negative_slope", 0.0) != 0
    return Value.ZERO if value is Value.NEGATIVE and not leaky else value


def _relu6(layer: Layer, value: Value) -> Value:
    return Value.ZERO if value is Value.NEGATIVE else value


def _same(layer: Layer, value: Value) -> Value:
    return value


def _pooling(layer: Layer, value: Value) -> Value:
    # Padding enters averages, so that a constant is no longer one at the border.
    padded = any(layer.number("pooling_param", n, 0.0) for n in ("pad", "pad_h", "pad_w"))
    return Value.ANY if padded and value is not Value.ZERO else value


def _batch_norm(layer: Layer, value: Value, phase: Phase) -> Value:
    if not layer.is_bvlc_batch_norm:
        return Value.ANY
    if value is Value.ANY:
        return value
    if layer.flag("batch_norm_param", "use_global_stats", phase is Phase.TEST):
        return value if value is Value.ZERO else Value.CONSTANT
    return Value.ZERO  # a constant less its mean


def _zero_stays(layer: Layer, value: Value) -> Value:
    return value if value is Value.ZERO else Value.ANY


def _positive(layer: Layer, value: Value) -> Value:
    return Value.POSITIVE if value in _CONSTANTS else Value.ANY


def _absolute(layer: Layer, value: Value) -> Value:
    return Value.POSITIVE if value in (Value.POSITIVE, Value.NEGATIVE) else value


def _power(layer: Layer, value: Value) -> Value:
    power, scale, shift = _power_numbers(layer)
    if power != 1:
        if value is Value.ZERO and shift == 0 and power > 0:
            return Value.ZERO
        return Value.CONSTANT if value in _CONSTANTS else Value.ANY
    if value is Value.ZERO or scale == 0:
        return _sign(shift)
    if shift == 0 and scale > 0:
        return value
    return Value.CONSTANT if value in _CONSTANTS else Value.ANY


def _eltwise(layer: Layer, values: Sequence[Value]) -> Value:
    operation = layer.word("eltwise_param", "operation", "SUM")
    if operation in ("PROD", "0") and Value.ZERO in values:
        return Value.ZERO
    return values[0] if all(v is Value.ZERO for v in values) else _mixed([*values, Value.CONSTANT])


def _product(layer: Layer, values: Sequence[Value]) -> Value:
    return Value.ZERO if Value.ZERO in values else _mixed([*values, Value.CONSTANT])


def _axpy(layer: Layer, values: Sequence[Value]) -> Value:
    """a · x + y."""
    if len(values) != 3:
        return Value.ANY
    scaled, added = _product(layer, values[:2]), values[-1]
    return added if scaled is Value.ZERO else _mixed([scaled, added, Value.CONSTANT])


def _concat(layer: Layer, values: Sequence[Value]) -> Value:
    return _mixed(values)


_Map = Callable[[Layer, Value], Value]
_MAPS: dict[str, _Map] = {
    "ReLU": _relu, "PReLU": _same, "ELU": _same, "TanH": _same, "Dropout": _same, "Flatten": _same,
    "Reshape": _same, "Split": _same, "Slice": _same, "LRN": _same, "Crop": _same, "Permute": _zero_stays,
    "Pooling": _pooling, "MVN": _zero_stays, "Reduction": _zero_stays,
    "Tile": _zero_stays, "Sigmoid": _positive, "BNLL": _positive, "Exp": _positive, "AbsVal": _absolute,
    "Swish": _same, "Power": _power,
    # of forks, after the sources that their shape rules name
    "SELU": _same, "SeLu": _same, "ReLU6": _relu6, "ShuffleChannel": _same, "BatchReindex": _same, "Interp": _same,
    "BilinearInterpolation": _same, "Upsample": _zero_stays, "ROIPooling": _zero_stays, "ROIAlign": _zero_stays,
    "PSROIPooling": _zero_stays, "Reorg": _zero_stays, "Normalize": _zero_stays, "SPP": _zero_stays,
    "Im2col": _zero_stays,
}  # fmt: skip
_JOINS: dict[str, Callable[[Layer, Sequence[Value]], Value]] = {
    "Concat": _concat, "Eltwise": _eltwise, "Scale": _product, "Axpy": _axpy,
}  # fmt: skip


# ---------------------------------------------------------------- backward

_NO_GRADIENT = frozenset({"Silence", "Accuracy", "ArgMax", "HDF5Output", "Threshold"})
_PASSING = frozenset({"BatchNorm", "Softmax", "Log", "Bias"})
# Types that are told apart here, losses (``roles.scores``) aside; of all others anything is possible.
RULED = frozenset({*_MAPS, *_JOINS, *WEIGHTED, *_NO_GRADIENT, *_PASSING})


def _backward(steps: Sequence[_Step], open_ended: bool) -> None:
    for step in steps:
        for blob in (*step.bottoms, *step.tops):
            blob.live = False
    for step in reversed(steps):
        if open_ended:
            for top in step.tops:
                top.live = top.live or not top.consumed
        live = any(top.live for top in step.tops)
        for index, blob in enumerate(step.bottoms):
            if not (index < len(step.blocked) and step.blocked[index]):
                blob.live = _passes(step, index, live) or blob.live
        state = step.state
        state.weight_live |= _weight_live(step, live)
        state.bias_live |= live


def _weight_live(step: _Step, live: bool) -> bool:
    bottom = step.bottoms[0].value if step.bottoms else Value.ANY
    return live and (bottom is not Value.ZERO or step.layer.type == "Embed")


def _passes(step: _Step, index: int, live: bool) -> bool:
    """Whether a bottom's gradient may be other than zero."""
    layer = step.layer
    if scores(layer):
        return True
    if layer.type in _NO_GRADIENT or (layer.type == "Crop" and index):
        return False
    if layer.type in WEIGHTED or (layer.type == "Scale" and len(step.bottoms) == 1) or step.state.is_gamma:
        return live and step.state.weight is not Value.ZERO
    if layer.type == "ReLU":
        leaky = layer.number("relu_param", "negative_slope", 0.0) != 0
        return live and (leaky or step.bottoms[0].value not in (Value.ZERO, Value.NEGATIVE))
    if layer.type == "Power":
        return live and _power_passes(layer, step.bottoms[0].value)
    if layer.type == "AbsVal":
        return live and step.bottoms[0].value is not Value.ZERO
    if layer.type == "Scale" or (
        layer.type == "Eltwise" and layer.word("eltwise_param", "operation", "SUM") in ("PROD", "0")
    ):
        others = (b.value for i, b in enumerate(step.bottoms) if i != index)
        return live and all(v is not Value.ZERO for v in others)
    if layer.type in _MAPS or layer.type in _JOINS or layer.type in _PASSING:
        return live
    return not _is_scoreless(layer)


def _power_numbers(layer: Layer) -> tuple[float, float, float]:
    """power, scale and shift."""
    number = partial(layer.number, "power_param")
    return number("power", 1.0), number("scale", 1.0), number("shift", 0.0)


def _power_passes(layer: Layer, value: Value) -> bool:
    """Whether the derivative power · scale · (shift + scale · x)^(power − 1) may be other than zero."""
    power, scale, shift = _power_numbers(layer)
    flat = value is Value.ZERO and shift == 0 and power > 1
    return power * scale != 0 and not flat


def _is_scoreless(layer: Layer) -> bool:
    """A loss layer whose loss_weight is zero."""
    weights = layer.node.scalars("loss_weight")
    return bool(weights) and all(number_value(w) == 0 for w in weights)
