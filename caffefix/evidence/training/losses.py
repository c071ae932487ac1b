"""What the losses of a train net compare, and what synthetic targets they need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from caffefix.caffe.net import Layer
from caffefix.caffe.roles import scores
from caffefix.evidence.training.sources import Unrepresentable
from caffefix.syntax.scalars import integer_value, number_value


@dataclass(frozen=True, slots=True)
class Loss:
    """One loss layer.

    Attributes:
        layer: its name.
        type: V2's name of the type.
        prediction: the blob that the net produces.
        target: the blob that it is compared with.
        kind: of values in the target: class, vector, binary, similar.
        bottoms: all of its bottoms.
        top: the blob that holds the loss, with a generated name where the file has none.
        weights: (top, loss_weight) for each top that counts.
        axis: of the classes.
        normalization: as ``loss_param`` says, or empty.
        ignore: the label that does not count, or None.
        norm: of a HingeLoss.
        margin: of a ContrastiveLoss.
        legacy: its ``legacy_version``.
    """

    layer: str
    type: str
    prediction: str
    target: str
    kind: str
    bottoms: tuple[str, ...]
    top: str
    weights: tuple[tuple[str, float], ...]
    axis: int = 1
    normalization: str = ""
    ignore: int | None = None
    norm: str = "L1"
    margin: float = 1.0
    legacy: bool = False


class Roots:
    """The sources that each blob comes from, and whether there are weights in between."""

    def __init__(self, view: Sequence[Layer], source_blobs: Iterable[str]) -> None:
        self.roots: dict[str, frozenset[str]] = {name: frozenset([name]) for name in source_blobs}
        self.learned: set[str] = set()
        for layer in view:
            if not layer.bottoms:
                continue
            joined = frozenset().union(*(self.of(name) for name in layer.bottoms))
            learned = layer.kind.weights or not self.learned.isdisjoint(layer.bottoms)
            for top in layer.tops:
                self.roots[top] = joined
                if learned:
                    self.learned.add(top)

    def of(self, blob: str) -> frozenset[str]:
        return self.roots.get(blob, frozenset())


def losses(view: Sequence[Layer], roots: Roots) -> list[Loss]:
    """The losses of a train net.

    Raises:
        Unrepresentable: there is no loss, or one whose targets are not known.
    """
    found = [_loss(layer, roots, index) for index, layer in enumerate(view) if scores(layer)]
    if not found:
        raise Unrepresentable("the net has no loss in its TRAIN phase: there is nothing to learn")
    return found


def _loss(layer: Layer, roots: Roots, index: int) -> Loss:
    kind = layer.kind.labels
    if not kind:
        raise Unrepresentable(f"layer {layer.name!r}: targets for {layer.type} are not known")
    wanted = 3 if kind == "similar" else 2
    if len(layer.bottoms) < wanted:
        raise Unrepresentable(f"layer {layer.name!r}: {layer.type} needs {wanted} bottoms")
    prediction, target = layer.bottoms[0], layer.bottoms[wanted - 1]
    if layer.type == "EuclideanLoss" and prediction not in roots.learned and target in roots.learned:
        prediction, target = target, prediction
    if kind in ("class", "similar") and target in roots.learned:
        raise Unrepresentable(f"layer {layer.name!r}: its target {target!r} is produced by the net itself")
    softmax = layer.number("softmax_param", "axis", 1)
    top = layer.tops[0] if layer.tops else f"caffefix_loss_{index}"
    return Loss(
        layer=layer.name,
        type=layer.type,
        prediction=prediction,
        target=target,
        kind=kind,
        bottoms=tuple(layer.bottoms),
        top=top,
        weights=_weights(layer, top),
        axis=int(softmax),
        normalization=_normalization(layer),
        ignore=_ignored(layer),
        norm="L2" if layer.word("hinge_loss_param", "norm", "L1") in ("L2", "2") else "L1",
        margin=layer.number("contrastive_loss_param", "margin", 1.0),
        legacy=layer.flag("contrastive_loss_param", "legacy_version", False),
    )


def _weights(layer: Layer, top: str) -> tuple[tuple[str, float], ...]:
    weights = [number_value(value) or 0.0 for value in layer.node.scalars("loss_weight")] or [1.0]
    tops = layer.tops or [top]
    return tuple((name, weight) for name, weight in zip(tops, weights, strict=False) if weight)


def _normalization(layer: Layer) -> str:
    """``loss_param``'s normalization; the older ``normalize`` translated to it (softmax_loss_layer.cpp)."""
    word = layer.word("loss_param", "normalization", "")
    numbers = {"0": "FULL", "1": "VALID", "2": "BATCH_SIZE", "3": "NONE"}
    if word:
        return numbers.get(word, word)
    message = layer.node.message("loss_param")
    if message is None or not message.has("normalize"):
        return ""
    return "VALID" if layer.flag("loss_param", "normalize", True) else "BATCH_SIZE"


def _ignored(layer: Layer) -> int | None:
    message = layer.node.message("loss_param")
    value = message.scalar("ignore_label") if message is not None else None
    return integer_value(value) if value is not None else None
