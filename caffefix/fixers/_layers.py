"""Code shared by findings about single layers: which files they check, fillers, and producers of bottoms."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from caffefix.caffe.net import Generation, Layer, Net, Phase, alike
from caffefix.caffe.roles import Role
from caffefix.caffe.schema import load
from caffefix.findings import Finding, Subject
from caffefix.syntax import comments
from caffefix.syntax.tree import Node


def bvlc_nets(subject: Subject) -> Iterator[Net]:
    """The nets of files that BVLC's parser accepts: in others a fork may give a layer another meaning."""
    if subject.forks & load().bit("bvlc"):
        yield from subject.nets


def bvlc_layers(subject: Subject) -> Iterator[Layer]:
    """The layers of ``bvlc_nets``."""
    for net in bvlc_nets(subject):
        yield from net.layers


def is_of_bvlc(layer: Layer) -> bool:
    """Whether a layer has only fields that BVLC's Caffe has: a fork's fields may change what it computes."""
    schema = load()
    bvlc = schema.bit("bvlc")
    stack = [(layer.node, "V1LayerParameter" if layer.generation is Generation.V1 else "LayerParameter")]
    while stack:
        node, message = stack.pop()
        for child in node.children():
            variants = schema.messages[message].get(child.name, ())
            known = next((variant for variant in variants if variant.forks & bvlc), None)
            if known is None:
                return False
            if child.is_message and known.kind == "message":
                stack.append((child, known.type))
    return True


def whole_nets(subject: Subject) -> Iterator[Net]:
    """``bvlc_nets`` without snippets, which lack the rest of their net."""
    for net in bvlc_nets(subject):
        if subject.role(net) is not Role.SNIPPET:
            yield net


def phase_layers(net: Net) -> Iterator[list[Layer]]:
    """The layers of TRAIN, and of TEST where they differ; without stages."""
    train, test = net.view(Phase.TRAIN), net.view(Phase.TEST)
    yield train
    if list(map(id, train)) != list(map(id, test)):
        yield test


def in_each_phase(net: Net, judge: Callable[[list[Layer]], Iterator[Finding]]) -> Iterator[Finding]:
    """What is found in the layers of each phase, once for each place."""
    found = {id(finding.node): finding for layers in phase_layers(net) for finding in judge(layers)}
    yield from found.values()


def only_in(layer: Layer, phase: Phase) -> bool:
    """Whether the layer's own rules keep it to one phase."""
    other = Phase.TEST if phase is Phase.TRAIN else Phase.TRAIN
    stages = layer.stages
    return layer.is_in(phase, stages) and not layer.is_in(other, stages) and not layer.is_in(other)


def phase_twins(net: Net, wanted: Callable[[Layer], bool]) -> Iterator[tuple[Layer, Layer]]:
    """Data layers of the same type for the same blob in TRAIN and TEST, where each phase has one."""
    by_top: dict[str, list[Layer]] = {}
    for layer in net.layers:
        if wanted(layer) and layer.tops and not layer.stages:
            by_top.setdefault(layer.tops[0], []).append(layer)
    for sources in by_top.values():
        train, test = ([x for x in sources if only_in(x, phase)] for phase in (Phase.TRAIN, Phase.TEST))
        if len(train) == len(test) == 1 and train[0].type == test[0].type:
            yield train[0], test[0]


def with_makers(view: Sequence[Layer]) -> Iterator[tuple[Layer, list[Layer | None]]]:
    """Each layer of a view and, for each bottom, the layer that produces the blob; None for an input."""
    makers: dict[str, Layer] = {}
    for layer in view:
        yield layer, [makers.get(bottom) for bottom in layer.bottoms]
        makers.update(dict.fromkeys(layer.tops, layer))


def fillers(layer: Layer) -> Iterator[Node]:
    """All filler messages in a layer's parameters: ``weight_filler``, ``data_filler``, ``filler`` etc."""
    for path in _paths(layer):
        node = layer.node
        for index in path:
            node = node.child(index)
        yield node


@alike
def _paths(layer: Layer) -> tuple[tuple[int, ...], ...]:
    """The paths to the fillers."""
    return tuple(_path(node, layer.node) for node in _all_fillers(layer.node))


def _path(node: Node, top: Node) -> tuple[int, ...]:
    """The path from a message to a field in it."""
    found: list[int] = []
    while node is not top:
        assert node.parent is not None
        found.append(node.index)
        node = node.parent
    return tuple(reversed(found))


def _all_fillers(layer: Node) -> Iterator[Node]:
    places = layer.block.places()
    for index in sorted(index for name in places if name.endswith("_param") for index in places[name]):
        holder = layer.child(index)
        if holder.is_message:
            yield from _fillers_in(holder)


def named_fillers(subject: Subject, whose: Iterable[Net] | None = None) -> Iterator[tuple[str, Node]]:
    """The fillers of ``bvlc_nets``, or of other nets, with the names of their layers.

    In a snippet of a layer: the fillers that it contains, without a name.
    """
    for layer in (layer for net in (bvlc_nets(subject) if whose is None else whose) for layer in net.layers):
        for filler in fillers(layer):
            yield layer.name, filler
    if not subject.all_nets and subject.role(None) is Role.SNIPPET:
        root = subject.document.root
        for holder in (root, *(n for n in root.children() if n.is_message and n.name.endswith("_param"))):
            for filler in _fillers_in(holder):
                yield "", filler


def _fillers_in(holder: Node) -> Iterator[Node]:
    for name in holder.block.places():
        if name == "filler" or name.endswith("_filler"):
            yield from (node for node in holder.fields(name) if node.is_message)


def alone(field: Node) -> Node:
    """What to delete with a field: the message around it, if the field is all that it contains."""
    holder = field.parent
    assert holder is not None
    return holder if len(list(holder.children())) == 1 and not comments.inside(holder) else field


def listed(names: Iterable[str], most: int = 3) -> str:
    """``a, b and 4 more``."""
    all_names = list(names)
    shown = ", ".join(all_names[:most])
    return shown if len(all_names) <= most else f"{shown} and {len(all_names) - most} more"


def transform_field(layer: Layer, name: str) -> Node | None:
    """A field of the transform: in V1 nets also where it was before ``transform_param`` existed."""
    holders = ["transform_param"]
    if layer.generation is Generation.V1 and layer.kind.v1_transform:
        holders.insert(0, layer.kind.v1_transform)  # if both have the field, this one wins
    for holder in holders:
        message = layer.node.message(holder)
        node = message.field(name) if message is not None else None
        if node is not None:
            return node
    return None
