"""The synthetic task of a net: its text without data layers, and the data that replace them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from caffefix.caffe.net import Generation, Layer, Net, Phase, nets
from caffefix.caffe.roles import scores
from caffefix.evidence.training.losses import Loss, Roots, losses
from caffefix.evidence.training.sources import Source, StatedInput, Unrepresentable, is_fed, sources
from caffefix.syntax.edits import After, Delete, Edit, First, Insert, NewField, NewMessage, Replace
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import parse
from caffefix.syntax.scalars import quoted
from caffefix.syntax.tree import Document, Node

# Net fields that the task sets itself, or that only produce log output.
_NET_FIELDS = ("input", "input_dim", "input_shape", "state", "debug_info")


@dataclass(frozen=True, slots=True)
class Feed:
    """A blob that is filled each iteration.

    Attributes:
        source: the blob, its shape and range.
        kind: data; or of a target: class, vector, binary, similar, ones.
        like: the prediction that gives the shape where the source has none; empty otherwise.
        axis: of the classes in that prediction.
        pair: how two images are compared: "both" in one blob, "first" or "second" of two; or empty.
    """

    source: Source
    kind: str
    like: str = ""
    axis: int = 1
    pair: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """What the child needs to train a net.

    Attributes:
        body: the net without data layers and phases, Latin-1.
        predictions: the same without losses, to obtain shapes from Caffe.
        own_norm: the body with BatchNorm replaced by the child's own layer, for a Caffe whose own is faulty; empty
            if the net has none.
        feeds: what is fed.
        losses: what is minimised.
        types: (layer, type) of the remaining layers.
        frozen: (layer, parameter) that has a learning rate of zero.
        dropped: layers that were removed in addition to the data layers.
    """

    body: str
    predictions: str
    own_norm: str
    feeds: tuple[Feed, ...]
    losses: tuple[Loss, ...]
    types: tuple[tuple[str, str], ...]
    frozen: tuple[tuple[str, int], ...]
    dropped: tuple[str, ...]


def make_task(text: str, given: StatedInput) -> Task:
    """The synthetic task for a net.

    Args:
        text: the net, one character per byte; it must parse.
        given: what the user specifies about the data.

    Raises:
        Unrepresentable: a layer that the task cannot represent, by name.
    """
    document = parse(text)
    net = _net(document)
    view = _train_view(net)
    _refuse_code(view)
    fed = sources(net, view, given)
    if not fed:
        raise Unrepresentable("the net has no data layer and no input in its TRAIN phase")
    by_name = {source.blob: source for source in fed}
    strange = next((blob for blob in given.shapes if blob not in by_name), None)
    if strange is not None:
        raise Unrepresentable(f"--shape names {strange!r}, but the inputs are {', '.join(map(repr, by_name))}")
    roots = Roots(view, by_name)
    found = losses(view, roots)
    split = _Split(view, roots, found)
    feeds = _feeds(by_name, split, found)
    kept = [layer for layer in view if id(layer) not in split.removed]
    kept_ids = {id(layer.node) for layer in kept}
    ends = {loss.layer: loss.top for loss in found}
    scoring = {id(layer.node) for layer in kept if scores(layer)}
    return Task(
        body=_body(document, net, kept, kept_ids, ends),
        predictions=_body(document, net, kept, kept_ids - scoring, ends),
        own_norm=_own_norm(_body(document, net, kept, kept_ids, ends)),
        feeds=tuple(feeds),
        losses=tuple(found),
        types=tuple((layer.name, layer.type) for layer in kept),
        frozen=tuple(_frozen(kept)),
        dropped=tuple(layer.name for layer in view if id(layer) in split.removed and not is_fed(layer)),
    )


def _net(document: Document) -> Net:
    found = list(nets(document))
    if not found or found[0].node.parent is not None:
        raise Unrepresentable("the file contains no net of its own; give the train net")
    if Generation.V0 in found[0].generations:
        raise Unrepresentable("the net is in V0 format; migrate it first: caffefix FILE")
    return found[0]


def _train_view(net: Net) -> list[Layer]:
    """The layers of the TRAIN phase, in the stage that has a loss if stages are used."""
    view = net.view(Phase.TRAIN)
    if net.stages and not any(scores(layer) for layer in view):
        for stage in sorted(net.stages):
            staged = net.view(Phase.TRAIN, frozenset({stage}))
            if any(scores(layer) for layer in staged):
                return staged
    return view


def _refuse_code(view: Sequence[Layer]) -> None:
    for layer in view:
        if layer.type == "Python":
            raise Unrepresentable(f"layer {layer.name!r} is a Python layer: its code is not run")
        if layer.kind.words:
            raise Unrepresentable(f"layer {layer.name!r}: {layer.type} reads words or time steps, not images")
        if layer.type == "InfogainLoss":
            raise Unrepresentable(f"layer {layer.name!r}: its matrix is in a file that is not read")


class _Split:
    """Which part of the net is data, which is target, and which layers are removed.

    A source is a target where no prediction depends on it. Layers that only process targets
    (a Slice of several labels, an Accuracy) are removed, and the losses are fed directly.
    """

    def __init__(self, view: Sequence[Layer], roots: Roots, found: Sequence[Loss]) -> None:
        self.data: frozenset[str] = frozenset().union(*(self._predictions(loss, roots) for loss in found))
        self.roots = roots
        self.removed: set[int] = set()
        gone: set[str] = set()
        for layer in view:
            if is_fed(layer):
                self.removed.add(id(layer))
                continue
            # They would write files, or measure what is not needed.
            idle = layer.kind.sink or layer.kind.metric
            dead_end = idle or not gone.isdisjoint(layer.bottoms)
            on_targets = any(self.is_target(name) for name in layer.bottoms)
            if (dead_end or on_targets) and not scores(layer):
                self.removed.add(id(layer))
                gone.update(top for top in layer.tops if top not in layer.bottoms)
        for layer in view:
            for name in layer.bottoms if id(layer) not in self.removed else ():
                if name in gone and not self.is_target(name):
                    raise Unrepresentable(
                        f"layer {layer.name!r} reads {name!r}, which is computed from labels and data"
                    )

    def is_target(self, blob: str) -> bool:
        found = self.roots.of(blob)
        return bool(found) and found.isdisjoint(self.data)

    @staticmethod
    def _predictions(loss: Loss, roots: Roots) -> frozenset[str]:
        if loss.kind == "similar":
            return roots.of(loss.bottoms[0]) | roots.of(loss.bottoms[1])
        return roots.of(loss.prediction)


def _feeds(by_name: dict[str, Source], split: _Split, found: Sequence[Loss]) -> list[Feed]:
    data = [by_name[name] for name in by_name if name in split.data]
    for source in data:
        if source.label:
            raise Unrepresentable(f"layer {source.layer!r}: its label {source.blob!r} feeds the net itself")
        if source.shape is None:
            raise Unrepresentable(
                f"layer {source.layer!r}: the shape of {source.blob!r} is not in the file; "
                f"give it: --shape {source.blob}=CHANNELS,HEIGHT,WIDTH"
            )
    pairs = any(loss.kind == "similar" for loss in found)
    feeds = [Feed(source, "data", pair=_pair(data, source) if pairs else "") for source in data]
    taken = set()
    for loss in found:
        for position, blob in enumerate(loss.bottoms):
            if not split.is_target(blob) or blob in taken:
                continue
            taken.add(blob)
            source = by_name.get(blob) or Source(blob, loss.layer, None)
            kind = loss.kind if blob == loss.target else "ones" if position > 1 else ""
            if not kind:
                raise Unrepresentable(f"layer {loss.layer!r}: {blob!r} does not depend on any data")
            feeds.append(Feed(source, kind, loss.prediction if source.shape is None else "", loss.axis))
    return feeds


def _pair(data: Sequence[Source], source: Source) -> str:
    if len(data) == 1:
        return "both"
    if len(data) == 2:
        return "first" if source is data[0] else "second"
    raise Unrepresentable(f"layer {source.layer!r}: pairs of more than two blobs are not supported")


def _frozen(kept: Iterable[Layer]) -> Iterable[tuple[str, int]]:
    for layer in kept:
        for index, param in enumerate(layer.params):
            if param.lr_mult == 0:
                yield layer.name, index


def _body(document: Document, net: Net, kept: Sequence[Layer], wanted: set[int], ends: dict[str, str]) -> str:
    """The text of the net with the wanted layers only, free of phases; losses get a top."""
    edits: list[Edit] = [Delete(node, comments=False) for node in _net_fields(net.node)]
    for layer in net.layers:
        if id(layer.node) not in wanted:
            edits.append(Delete(layer.node, comments=False))
    for layer in kept:
        if id(layer.node) not in wanted:
            continue
        for child in layer.node.children():
            if child.name in ("include", "exclude"):
                edits.append(Delete(child, comments=False))
        if layer.name in ends and not layer.tops and scores(layer):
            edits.append(_new_top(layer, ends[layer.name]))
    return apply(document.text, lower(document, edits, "prove"))


def _own_norm(body: str) -> str:
    """The body with each BatchNorm replaced by the Python layer ``child_norm.Normalize``."""
    document = parse(body)
    norms = [layer for layer in Net(document.root).layers if layer.is_bvlc_batch_norm]
    edits: list[Edit] = []
    for layer in norms:
        kind = layer.node.field("type")
        assert kind is not None, "a BatchNorm has its type"
        stored = layer.flag("batch_norm_param", "use_global_stats", False)
        eps = layer.number("batch_norm_param", "eps", 1e-5)
        own = [NewField("module", "child_norm", string=True), NewField("layer", "Normalize", string=True)]
        own.append(NewField("param_str", f"{eps!r} {int(stored)}", string=True))
        edits += [Replace(kind, '"Python"'), Insert(After(kind), (NewMessage("python_param", tuple(own)),))]
        gone = (child for child in layer.node.children() if child.name in ("param", "batch_norm_param"))
        edits += [Delete(child, comments=False) for child in gone]
    return apply(body, lower(document, edits, "prove")) if norms else ""


def _new_top(layer: Layer, name: str) -> Edit:
    field = NewField("top", quoted(name))
    last = [child for child in layer.node.children() if child.name == "bottom"]
    return Insert(After(last[-1]) if last else First(layer.node), (field,))


def _net_fields(root: Node) -> Iterable[Node]:
    return (child for child in root.children() if child.name in _NET_FIELDS)
