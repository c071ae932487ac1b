"""A first layer whose weights absorb a factor of the input, so training stays the same.

If the input becomes a · x, weights W/a compute the same. They start at W/a if the filler is
divided by a; a gradient is then a times as large where W/a should move 1/a as far, so lr_mult
becomes lr_mult/a², and decay_mult · a² preserves the weight decay. The bias and all other layers are unchanged.
Exact for SGD with or without momentum, and Nesterov.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from caffefix.caffe.fillers import count
from caffefix.caffe.graph import graph
from caffefix.caffe.net import Generation, Layer, Net, Phase
from caffefix.caffe.refusal import Refusal
from caffefix.caffe.shapes import infer
from caffefix.syntax.edits import After, Edit, Insert, Last, NewField, NewMessage, Replace
from caffefix.syntax.scalars import float_text, number_value
from caffefix.syntax.tree import Node

_LINEAR = {
    "gaussian": (("mean", 0.0), ("std", 1.0)),
    "uniform": (("min", 0.0), ("max", 1.0)),
    "constant": (("value", 0.0),),
}


def _check_first(layer: Layer) -> None:
    """Refuse a reader of the input that cannot absorb a factor exactly."""

    def refuse(why: str, node: Node | None = None) -> Refusal:
        message = f'layer "{layer.name}" reads the input, but {why}'
        return Refusal("first-layer-not-exact", message, node or layer.node)

    if layer.generation is not Generation.V2:
        raise Refusal("old-format", "its layers are of V1; run caffefix on it first", layer.node)
    if not layer.kind.linear or len(layer.bottoms) != 1:
        raise refuse(f"a {layer.type} has no weights that could absorb the factor")
    if layer.param(0).shared_name:
        raise refuse("other layers share its weights")
    if layer.param(0).given and layer.param(0).lr_mult == 0:
        raise refuse("it is frozen: its weights come from a file, which does not change")
    filler = layer.filler(layer.kind.weights, "weight_filler")
    if filler.node is None:
        return
    if filler.type not in (*_LINEAR, "xavier", "msra"):
        raise refuse(f"its filler {filler.type} cannot be divided exactly", filler.node)
    if filler.node.has("sparse") or (filler.node.string("variance_norm") or "FAN_IN") not in ("FAN_IN", "0"):
        raise refuse("its filler has sparse or variance_norm, for which no exact rule is known", filler.node)


def first_layers(net: Net, blob: str) -> list[tuple[Layer, int | None]]:
    """The layers that read a blob, with the fan-in of their weights where the net determines it.

    Raises:
        Refusal: no layer reads the blob, or one that does cannot absorb a factor exactly.
    """
    found: dict[int, Layer] = {}
    fan_in: dict[int, int] = {}
    for phase in Phase:
        made = graph(net, phase)
        shapes = infer(made, net, phase)
        for step in made.steps:
            if any(b.name == blob for b in step.bottoms):
                _check_first(step.layer)
                found[id(step.layer)] = step.layer
                params = shapes.params_of(step)
                shape = params[0].shape if params else None
                total = count(shape)
                if shape and shape[0] and total:
                    fan_in[id(step.layer)] = total // shape[0]
    if not found:
        raise Refusal("first-layer-unknown", f"no layer reads {blob!r}")
    return [(layer, fan_in.get(key)) for key, layer in found.items()]


def take_up(layer: Layer, a: float, fan_in: int | None) -> Iterator[Edit]:
    """The edits that turn a layer's weights into W/a."""
    filler = layer.filler(layer.kind.weights, "weight_filler")
    if filler.node is not None:
        yield from _filler(layer, filler.node, filler.type, a, fan_in)
    given = next(layer.node.fields("param"), None)
    fields = []
    for name, factor in (("lr_mult", 1 / a**2), ("decay_mult", a**2)):
        node = given.field(name) if given is not None else None
        value = number_value(node.value) if node is not None else 1.0
        if node is not None and value is not None:
            yield Replace(node, float_text(value * factor))
        else:
            fields.append(NewField(name, float_text(factor)))
    if given is not None and fields:
        yield Insert(Last(given), tuple(fields))
    elif given is None:
        yield Insert(After(list(layer.node.fields("top"))[-1]), (NewMessage("param", tuple(fields)),))


def _filler(layer: Layer, node: Node, kind: str, a: float, fan_in: int | None) -> Iterator[Edit]:
    """The filler divided by the factor; xavier and msra, which have no gain, become the distribution they use."""
    if kind in _LINEAR:
        missing = []
        for name, default in _LINEAR[kind]:
            field = node.field(name)
            value = number_value(field.value) if field is not None else default
            if value and field is not None:
                yield Replace(field, float_text(value / a))
            elif value:
                missing.append(NewField(name, float_text(value / a)))
        if missing:
            yield Insert(Last(node), tuple(missing))
        return
    if not fan_in:
        message = (
            f'layer "{layer.name}": {kind} depends on the number of inputs (channels of the data), which the net '
            "does not define; give the layer a gaussian filler with a std"
        )
        raise Refusal("first-layer-unknown", message, node)
    field = node.field("type")
    assert field is not None
    if kind == "xavier":
        bound = math.sqrt(3 / fan_in) / a
        yield Replace(field, '"uniform"')
        fields = (NewField("min", float_text(-bound)), NewField("max", float_text(bound)))
    else:
        yield Replace(field, '"gaussian"')
        fields = (NewField("std", float_text(math.sqrt(2 / fan_in) / a)),)  # type: ignore[assignment]
    yield Insert(After(field), fields)
