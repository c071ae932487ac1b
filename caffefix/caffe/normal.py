"""The normal form of a file: what it means, regardless of its format.

Typed messages after Caffe's own upgrade, layer by layer; fields that only an old way of writing
needs are written the new way; a field with its default value is absent, and so is an empty message. Two files with
equal normal forms are the same net to Caffe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from caffefix._startup.records import dataclass
from caffefix.caffe import upgrade
from caffefix.caffe.dialect import DialectVerdict, judge, root_type
from caffefix.caffe.messages import UNKNOWN, Slot, canonical, message_class, message_of, slots
from caffefix.caffe.schema import load
from caffefix.caffe.slots import SIDES, unsaid
from caffefix.caffe.typecheck import NET, SOLVER
from caffefix.syntax.memo import Memo
from caffefix.syntax.tree import Document, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NETS = ("net_param", "train_net_param", "test_net_param")
_LAYERS = frozenset(("layer", "layers"))
_NOTHING: frozenset[str] = frozenset()

_USUAL = {"pad": 0, "stride": 1}
# An empty message means the same as an absent one, where Caffe does not check for its presence.
_HOLLOW = frozenset(("weight_filler", "bias_filler"))

REFUSING = (
    "Refusing to upgrade inconsistent NetParameter input; "
    "the definition includes both 'layer' and 'layers' fields."
)


@dataclass(frozen=True, slots=True)
class NormalLayer:
    """A layer.

    Attributes:
        name: its name, one character per byte.
        message: a ``LayerParameter`` (``V1LayerParameter`` where Caffe does not upgrade it);
            shared between normal forms, so it must never be changed.
    """

    name: str
    message: Any


@dataclass(frozen=True, slots=True)
class NormalNet:
    """A net.

    Attributes:
        place: the solver's field that holds it, ``test_net_param[0]``; empty for a file that is a net.
        message: the net's fields except its layers.
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
        rest: the solver's fields except its nets, or the fields of a file that is neither net nor solver.
        unloadable: why Caffe cannot load the file, in its own words; empty if some fork's parser accepts it. The
            contents of the file are given all the same.
    """

    nets: tuple[NormalNet, ...]
    rest: Any
    unloadable: str = ""


def normal_form(document: Document, verdict: DialectVerdict | None = None, forks: int | None = None) -> NormalForm:
    """The normal form of a file.

    Args:
        document: the file.
        verdict: what the forks' parsers say about it, if already known.
        forks: those that may load it; by default all.
    """
    root = root_type(document)
    if root is None:
        rest = message_class(NET)()
        getattr(rest, UNKNOWN).extend(canonical(node) for node in document.root.children())
        return NormalForm((), rest)
    verdict = verdict or judge(document)
    reason = _refused(verdict, load().everyone if forks is None else forks)
    bvlc = verdict is not None and verdict.accepted_by("bvlc")
    if root == NET:
        net, fatal = _net(document.root, document, bvlc)
        return NormalForm((net,), message_class(NET)(), reason or fatal)
    return _solver(document, reason, bvlc)


def _refused(verdict: DialectVerdict | None, forks: int) -> str:
    """Why none of these forks' parsers accepts the file."""
    if verdict is None or verdict.accepting & forks:
        return ""
    names = verdict.caffes.schema.names(forks)
    return verdict.reasons["bvlc" if "bvlc" in names else names[0]].text


def _solver(document: Document, reason: str, bvlc: bool) -> NormalForm:
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
            nets.append(_inline(node, place, bvlc))
    _resolve(solver, SOLVER, bvlc)
    return NormalForm(tuple(nets), solver, reason)


def _inline(node: Node, place: str, bvlc: bool) -> NormalNet:
    """A net inside a solver: Caffe does not upgrade it."""
    message = _fields(node)
    _resolve(message, NET, bvlc)
    layers = []
    for child in _layer_nodes(node):
        if child.name == "layers":
            layers.append(_normal(message_of(child, "V1LayerParameter"), "V1LayerParameter", bvlc))
        else:
            layers.append(_normal(_modern(message_of(child, "LayerParameter")), "LayerParameter", bvlc))
    return NormalNet(place, message, tuple(layers))


def _fields(net: Node) -> Any:
    """The fields of a net other than its layers."""
    message = message_of(net, NET, leave=_LAYERS)
    odd = (n for child in net.children() if child.name in _LAYERS for n in _elements(child) if not n.is_message)
    getattr(message, UNKNOWN).extend(map(canonical, odd))
    return message


def _elements(node: Node) -> Iterable[Node]:
    return node.children() if node.is_list else (node,)


def _layer_nodes(net: Node) -> Iterator[Node]:
    for child in net.children():
        if child.name in _LAYERS:
            yield from (element for element in _elements(child) if element.is_message)


def _net(node: Node, document: Document, bvlc: bool) -> tuple[NormalNet, str]:
    """A net after Caffe's upgrade, and the message with which Caffe aborts."""
    message = _fields(node)
    nodes = list(_layer_nodes(node))
    reason = ""
    if any(child.name == "layers" and child.message("layer") is not None for child in nodes):
        layers, reason = _first_format(message, nodes, bvlc)
    else:
        reason = REFUSING if len({child.name for child in nodes}) > 1 else ""
        layers = [_remembered(child, document.text, bvlc) for child in nodes]
    given = upgrade.input_layer(message)
    if given is not None:
        layers.insert(0, _normal(given, "LayerParameter", bvlc))
    _resolve(message, NET, bvlc)
    return NormalNet("", message, tuple(layers)), reason


def _first_format(net: Any, nodes: list[Node], bvlc: bool) -> tuple[list[NormalLayer], str]:
    """V0: the net is upgraded as a whole, and most of its own fields are dropped."""
    old = [message_of(child, "V1LayerParameter") for child in nodes if child.name == "layers"]
    try:
        layers, missing = upgrade.from_v0(old, net.input)
    except upgrade.Fatal as error:
        return [_normal(layer, "V1LayerParameter", bvlc) for layer in old], str(error)
    for field, _ in net.ListFields():
        if field.name not in ("name", "input", "input_dim", "force_backward"):
            net.ClearField(field.name)
    return [_normal(_finished(upgrade.from_v1(layer)), "LayerParameter", bvlc) for layer in layers], missing


_memory: Memo[tuple[str, str, bool], NormalLayer] = Memo("layers in their normal form", 1 << 13)


def _remembered(node: Node, text: str, bvlc: bool) -> NormalLayer:
    """A layer by itself; layers with the same text mean the same."""
    key = node.name, text[node.offset : node.end], bvlc
    found = _memory.get(key) if not node.in_list else None
    if found is None:
        if node.name == "layers":
            layer = upgrade.from_v1(message_of(node, "V1LayerParameter"))
        else:
            layer = message_of(node, "LayerParameter")
        found = _normal(_finished(layer), "LayerParameter", bvlc)
        _memory.keep(key, found)
    return found


def _finished(layer: Any) -> Any:
    """Rules for every layer that Caffe upgrades."""
    upgrade.batch_norm(layer)
    return _modern(layer)


def _modern(layer: Any) -> Any:
    """A layer with fields that have a newer form in that form, as its own set-up reads them."""
    for holder, old in (("concat_param", "concat_dim"), ("slice_param", "slice_dim")):
        if layer.HasField(holder):
            param = getattr(layer, holder)
            if param.HasField(old) and not param.HasField("axis") and getattr(param, old) < 1 << 31:
                param.axis = getattr(param, old)
                param.ClearField(old)
    if layer.HasField("dummy_data_param"):
        _dummy_shapes(layer.dummy_data_param)
    for holder in ("convolution_param", "pooling_param"):
        if layer.HasField(holder):
            _windows(getattr(layer, holder))
    return layer


def _windows(param: Any) -> None:
    """Sides that are given separately and are equal become one size; defaults become absent."""
    for both, (height, width) in SIDES.items():
        value = getattr(param, both)
        repeated = hasattr(value, "append")
        given = len(value) > 0 if repeated else param.HasField(both)
        apart = [side for side in (height, width) if param.HasField(side)]
        if len(apart) == 2 and not given and getattr(param, height) == getattr(param, width):
            if repeated:
                value.append(getattr(param, height))
            else:
                setattr(param, both, getattr(param, height))
            param.ClearField(height)
            param.ClearField(width)
            apart = []
        if not apart and both in _USUAL:
            values = list(getattr(param, both)) if repeated else [getattr(param, both)]
            if all(v == _USUAL[both] for v in values):
                param.ClearField(both)
    if "dilation" in param.DESCRIPTOR.fields_by_name and all(v == 1 for v in param.dilation):
        param.ClearField("dilation")


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


def _normal(message: Any, kind: str, bvlc: bool) -> NormalLayer:
    name = message.name.decode("latin-1")
    _resolve(message, kind, bvlc)
    return NormalLayer(name, message)


def _resolve(message: Any, kind: str, bvlc: bool) -> None:
    """Clear fields that mean the same as an absent field, and messages that are empty.

    Args:
        message: the message to change.
        kind: its type in caffe.proto.
        bvlc: whether BVLC's Caffe accepts the file, so its defaults apply; otherwise those that all forks share.
    """
    order: list[tuple[Any, str, Any, str]] = [(message, kind, None, "")]
    for held, name, _, _ in order:  # grows: messages before those inside them
        for field, value in held.ListFields():
            slot = slots(name).get(field.name)
            if slot is None:
                continue
            if slot.kind == "message":
                hollow = held if field.name in _HOLLOW or field.name.endswith("_param") else None
                inner: Iterable[tuple[Any, Any]] = (
                    [(v, None) for v in value] if slot.repeated else [(value, hollow)]
                )
                order += [(element, slot.type, parent, field.name) for element, parent in inner]
            elif _is_default(held, name, slot, value, bvlc):
                held.ClearField(field.name)
    for held, _, parent, name in reversed(order):
        if parent is not None and not held.ListFields():
            parent.ClearField(name)


def _is_default(message: Any, kind: str, slot: Slot, value: Any, bvlc: bool) -> bool:
    if value not in (slot.default, slot.bvlc_default):
        return False
    default = unsaid(kind, slot, bvlc, lambda other: _given(message, other))
    return default is not None and bool(value == default)


def _given(message: Any, name: str) -> bool:
    if name not in message.DESCRIPTOR.fields_by_name:
        return False
    value = getattr(message, name)
    return len(value) > 0 if hasattr(value, "append") else bool(message.HasField(name))
