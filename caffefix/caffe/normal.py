"""The normal form of a file: what it means, whatever format it is written in.

Typed messages after Caffe's own upgrade, layer by layer; fields that only an old way of writing
needs are written the new way; a field with its default's value is absent, and so is a message
with nothing in it. Two files with equal normal forms are the same net to Caffe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from caffefix.caffe import upgrade
from caffefix.caffe.dialect import Verdict, judge, root_type
from caffefix.caffe.messages import UNKNOWN, canonical, message_class, message_of, slots
from caffefix.caffe.schema import load
from caffefix.caffe.typecheck import NET, SOLVER
from caffefix.syntax.tree import Document, Node

_NETS = ("net_param", "train_net_param", "test_net_param")
_LAYERS = frozenset(("layer", "layers"))
_NOTHING: frozenset[str] = frozenset()

# Caffe asks whether these are given, so a default that is written out is not an absent one.
_PRESENCE = frozenset(("normalization", "pad", "pad_h", "pad_w", "stride", "slice_dim", "concat_dim"))

REFUSING = (
    "Refusing to upgrade inconsistent NetParameter input; "
    "the definition includes both 'layer' and 'layers' fields."
)


@dataclass(frozen=True, slots=True)
class NormalLayer:
    """A layer.

    Attributes:
        name: its name, one character a byte.
        message: a ``LayerParameter`` (``V1LayerParameter`` where Caffe does not upgrade it);
            shared between normal forms, so never to be changed.
    """

    name: str
    message: Any


@dataclass(frozen=True, slots=True)
class NormalNet:
    """A net.

    Attributes:
        place: the solver's field that holds it, ``test_net_param[0]``; empty for a file that is a net.
        message: the net's fields but its layers.
        layers: in the order in which Caffe sets them up.
    """

    place: str
    message: Any
    layers: tuple[NormalLayer, ...]

    def keys(self) -> Iterator[tuple[tuple[str, int], NormalLayer]]:
        """Layers by name and ordinal among those of the same name, in order."""
        seen: Counter[str] = Counter()
        for layer in self.layers:
            yield (layer.name, seen[layer.name]), layer
            seen[layer.name] += 1


@dataclass(frozen=True, slots=True)
class NormalForm:
    """What a file means.

    Attributes:
        nets: the file's net, or those that a solver holds.
        rest: the solver's fields but its nets, or the fields of a file that is neither net nor solver.
        unloadable: why Caffe cannot load the file, in its own words; empty if some fork's parser
            takes it. What stands in the file is told all the same.
    """

    nets: tuple[NormalNet, ...]
    rest: Any
    unloadable: str = ""


def normal_form(document: Document, verdict: Verdict | None = None, forks: int | None = None) -> NormalForm:
    """The normal form of a file.

    Args:
        document: the file.
        verdict: what the forks' parsers say of it, if that is known already.
        forks: those that may load it; by default all.
    """
    root = root_type(document)
    if root is None:
        rest = message_class(NET)()
        getattr(rest, UNKNOWN).extend(canonical(node) for node in document.root.children())
        return NormalForm((), rest)
    reason = _refused(verdict or judge(document), load().everyone if forks is None else forks)
    if root == NET:
        net, fatal = _net(document.root, document)
        return NormalForm((net,), message_class(NET)(), reason or fatal)
    return _solver(document, reason)


def _refused(verdict: Verdict | None, forks: int) -> str:
    """Why none of these forks' parsers takes the file."""
    if verdict is None or verdict.accepting & forks:
        return ""
    names = load().names(forks)
    return verdict.reasons["bvlc" if "bvlc" in names else names[0]].text


def _solver(document: Document, reason: str) -> NormalForm:
    root = document.root
    solver = message_of(root, SOLVER, leave=frozenset(_NETS))
    try:
        upgrade.solver_type(solver)
    except upgrade.Fatal as error:
        reason = reason or str(error)
    nets = []
    for name in _NETS:
        nodes = [node for node in root.fields(name) if node.is_message]
        repeated = slots(SOLVER)[name].repeated
        for index, node in enumerate(nodes):
            place = f"{name}[{index}]" if repeated else name
            nets.append(_inline(node, place))
    _resolve(solver, SOLVER)
    return NormalForm(tuple(nets), solver, reason)


def _inline(node: Node, place: str) -> NormalNet:
    """A net inside a solver: Caffe does not upgrade it."""
    message = message_of(node, NET, leave=_LAYERS)
    _resolve(message, NET)
    kinds = {"layer": "LayerParameter", "layers": "V1LayerParameter"}
    layers = [_normal(message_of(child, kinds[child.name]), kinds[child.name]) for child in _layer_nodes(node)]
    return NormalNet(place, message, tuple(layers))


def _layer_nodes(net: Node) -> Iterator[Node]:
    for child in net.children():
        if child.name in _LAYERS:
            yield from (n for n in ([child] if child.is_message else child.children()) if n.is_message)


def _net(node: Node, document: Document) -> tuple[NormalNet, str]:
    """A net after Caffe's upgrade, and what Caffe aborts with."""
    message = message_of(node, NET, leave=_LAYERS)
    nodes = list(_layer_nodes(node))
    names = {child.name for child in nodes}
    reason = REFUSING if len(names) > 1 else ""
    if any(child.name == "layers" and child.message("layer") is not None for child in nodes):
        layers, fatal = _first_format(message, nodes)
        reason = reason or fatal
    else:
        layers = [_remembered(child, document.text) for child in nodes]
    given = upgrade.input_layer(message)
    if given is not None:
        layers.insert(0, _normal(given, "LayerParameter"))
    _resolve(message, NET)
    return NormalNet("", message, tuple(layers)), reason


def _first_format(net: Any, nodes: list[Node]) -> tuple[list[NormalLayer], str]:
    """V0: the net is upgraded as a whole, and most of its own fields are dropped."""
    old = [message_of(child, "V1LayerParameter") for child in nodes if child.name == "layers"]
    try:
        layers = upgrade.from_v0(old, net.input)
    except upgrade.Fatal as error:
        return [_normal(layer, "V1LayerParameter") for layer in old], str(error)
    for field, _ in net.ListFields():
        if field.name not in ("name", "input", "input_dim", "force_backward"):
            net.ClearField(field.name)
    return [_normal(_finished(upgrade.from_v1(layer)), "LayerParameter") for layer in layers], ""


_memory: dict[tuple[str, str], NormalLayer] = {}
_MEMORY = 1 << 13  # as many layers are remembered, across files


def _remembered(node: Node, text: str) -> NormalLayer:
    """A layer by itself; layers with the same text mean the same."""
    key = node.name, text[node.offset : node.end]
    found = _memory.get(key) if not node.in_list else None
    if found is None:
        if node.name == "layers":
            layer = upgrade.from_v1(message_of(node, "V1LayerParameter"))
        else:
            layer = message_of(node, "LayerParameter")
        found = _normal(_finished(layer), "LayerParameter")
        if len(_memory) >= _MEMORY:
            _memory.clear()
        _memory[key] = found
    return found


def _finished(layer: Any) -> Any:
    """What holds for every V2 layer: BatchNorm's statistics, and fields that have a newer form."""
    upgrade.batch_norm(layer)
    for holder, old in (("concat_param", "concat_dim"), ("slice_param", "slice_dim")):
        if layer.HasField(holder):
            param = getattr(layer, holder)
            if param.HasField(old) and not param.HasField("axis"):
                param.axis = getattr(param, old)
                param.ClearField(old)
    if layer.HasField("dummy_data_param"):
        _dummy_shapes(layer.dummy_data_param)
    return layer


def _dummy_shapes(param: Any) -> None:
    """``num``, ``channels``, ``height``, ``width`` become ``shape``s (DummyDataLayer::LayerSetUp)."""
    lists = [list(getattr(param, name)) for name in ("num", "channels", "height", "width")]
    count = max(map(len, lists))
    if param.shape or not all(len(values) in (1, count) for values in lists):
        return
    for index in range(count):
        param.shape.add().dim.extend(values[index if len(values) > 1 else 0] for values in lists)
    for name in ("num", "channels", "height", "width"):
        param.ClearField(name)


def _normal(message: Any, kind: str) -> NormalLayer:
    name = message.name.decode("latin-1")
    _resolve(message, kind)
    return NormalLayer(name, message)


def _resolve(message: Any, kind: str) -> None:
    """Clear fields that say what an absent field says, and messages that say nothing."""
    order: list[tuple[Any, str, Any, str]] = [(message, kind, None, "")]
    for held, name, _, _ in order:  # grows: messages before those inside them
        for field, value in held.ListFields():
            slot = slots(name).get(field.name)
            if slot is None:
                continue
            if slot.kind == "message":
                inner: Iterable[tuple[Any, Any]] = [(v, None) for v in value] if slot.repeated else [(value, held)]
                order += [(element, slot.type, parent, field.name) for element, parent in inner]
            elif slot.default is not None and value == slot.default and field.name not in _PRESENCE:
                held.ClearField(field.name)
    for held, _, parent, name in reversed(order):
        if parent is not None and not held.ListFields():
            parent.ClearField(name)
