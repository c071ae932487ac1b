"""Exact analysis: which weights can never receive a gradient.

An abstract interpretation of the TRAIN net. Each blob is known to be exactly zero, constant per channel with a
known or unknown sign, or anything; each parameter is zero, constant, or anything. Gradients are killed by weights
that are zero, by ReLU where its input is zero or a negative constant (Caffe's derivative at 0 is 0), and by paths
without a loss. Parameters that are live and trainable become anything, and the analysis is repeated until nothing
changes: whatever never became live is dead for ever.

It is sound: what it does not know (layers of forks, Python layers) is assumed to be live, so a layer that is
called dead is dead. The rules of layer types are in the book (``caffe/layers/zeros.py``); that a net whose last
layer alone is zero learns was confirmed by training.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.graph import Graph, build
from caffefix.caffe.layers.rules import zero_rule
from caffefix.caffe.layers.zeros import Params, Site, Value, ZeroRule, anything, batch_norm_with_gamma
from caffefix.caffe.net import Layer, Phase
from caffefix.caffe.roles import scores
from caffefix.syntax.scalars import number_value


@dataclass(slots=True)
class _Blob:
    """What is known about one version of a blob."""

    value: Value = Value.ANY
    live: bool = False  # whether its gradient may be other than zero
    consumed: bool = False


class _Step:
    """A layer and what is known about it; ``is_ruled`` says whether anything is known."""

    def __init__(self, site: Site, rule: ZeroRule | None, bottoms: list[_Blob], tops: list[_Blob]) -> None:
        self.site = site
        self.layer = site.layer
        self.params = site.params
        self.is_ruled = rule is not None
        self.rule = rule or anything
        self.bottoms = bottoms
        self.tops = tops
        down = site.layer.node.scalars("propagate_down")
        self.blocked = [v in ("false", "False", "f", "0") for v in down]


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
        changed = sum(_train(step.params) for step in steps) > 0  # all are trained
    return [
        step.layer
        for step in steps
        if step.layer.kind.weights and step.params.weight_trains and not step.params.weight_live
    ]


@dataclass(frozen=True, slots=True)
class Start:
    """What is exactly known about a net before its first step.

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
        tuple(flows and step.rule.reached(step.site) for flows, step in live),
        tuple(flows for flows, _ in live),
    )


def _steps(graph: Graph, filled: set[int], phase: Phase, zero_gamma: Collection[int] = frozenset()) -> list[_Step]:
    blobs = [_Blob(consumed=bool(readers)) for readers in graph.consumers]
    shared: dict[str, Params] = {}
    steps = []
    for step in graph.steps:
        layer = step.layer
        rule = batch_norm_with_gamma if id(layer) in zero_gamma else zero_rule(layer.kind)
        name = layer.param(0).shared_name
        params = shared.get(name) if name else None
        if params is None:
            params = (rule or anything).starts(layer)
            if id(layer) in filled:
                params.weight = Value.ANY
            if name:
                shared[name] = params
        bottoms = [blobs[blob.index] for blob in step.bottoms]
        tops = [blobs[blob.index] for blob in step.tops]
        steps.append(_Step(Site(layer, phase, params), rule, bottoms, tops))
    return steps


def _train(params: Params) -> bool:
    """Let live parameters learn; returns whether any is now less known than before."""
    before = (params.weight, params.bias)
    if params.weight_live and params.weight_trains:
        params.weight = Value.ANY
    if params.bias_live and params.bias_trains and params.bias is not Value.ANY:
        params.bias = Value.CONSTANT
    return (params.weight, params.bias) != before


def _forward(step: _Step) -> None:
    step.site.values = [blob.value for blob in step.bottoms]
    value = step.rule.forward(step.site) if step.bottoms else Value.ANY
    for top in step.tops:
        top.value = value


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
        step.params.weight_live |= live and step.rule.reached(step.site)
        step.params.bias_live |= live


def _passes(step: _Step, index: int, live: bool) -> bool:
    """Whether a bottom's gradient may be other than zero."""
    if scores(step.layer):
        return True
    if not step.layer.kind.gradient:
        return False
    if step.is_ruled:
        return live and step.rule.passes(step.site, index)
    return not _is_scoreless(step.layer)


def _is_scoreless(layer: Layer) -> bool:
    """A loss layer whose loss_weight is zero."""
    weights = layer.node.scalars("loss_weight")
    return bool(weights) and all(number_value(w) == 0 for w in weights)
