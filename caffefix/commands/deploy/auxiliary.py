"""Auxiliary heads: classifiers beside the trunk that only help training, such as GoogLeNet's loss1 and loss2.

This is determined from the graph, not from names. A head is auxiliary if another one of the same type, compared
with the same targets, has a larger loss_weight, does not depend on it, and reads learned blobs that it reads, too:
both are heads of one trunk, of which the author values one less. Heads of equal weight are outputs in their own
right, and so is one whose prediction is combined with others (an average of all).
"""

from __future__ import annotations

from collections.abc import Iterable

from caffefix._startup.records import dataclass
from caffefix.caffe.graph import Graph, Step
from caffefix.syntax.scalars import number_value

_MOST = 16  # a net with more side heads than this is no trunk with helpers


@dataclass(frozen=True, slots=True)
class _Head:
    """A loss with one prediction.

    Attributes:
        prediction: index of the blob.
        asked: what it is compared with, and how: the type, and the indices of the other bottoms.
        weight: its loss_weight.
    """

    prediction: int
    asked: tuple[str, tuple[int, ...]]
    weight: float


def auxiliary(made: Graph, learned: frozenset[int]) -> frozenset[int]:
    """The predictions of auxiliary heads.

    Args:
        made: the net.
        learned: blobs above which there is a layer with weights.
    """
    heads = [head for step in made.steps if (head := _head(step, learned)) is not None]
    mains: dict[tuple[str, tuple[int, ...]], _Head] = {}
    for head in heads:
        if head.asked not in mains or head.weight > mains[head.asked].weight:
            mains[head.asked] = head
    found = {head.prediction for head in heads if head.weight < mains[head.asked].weight}
    found -= {head.prediction for head in mains.values()}
    found -= {bottom for step in made.steps if _head(step, learned) is None for bottom in _compared(step)}
    if len(found) > _MOST:
        return frozenset()
    main = {head.prediction: mains[head.asked].prediction for head in heads if head.prediction in found}
    trunks = {other: above(made, [other])[1] & learned for other in set(main.values())}
    return frozenset(one for one in found if _is_beside(made, one, trunks[main[one]], learned))


def _head(step: Step, learned: frozenset[int]) -> _Head | None:
    """A step as a head; None if it is not a loss that compares one prediction with targets."""
    layer = step.layer
    if not layer.kind.loss or layer.kind.symmetric or layer.kind.predictions > 1 or len(step.bottoms) < 2:
        return None
    prediction, *others = step.bottoms
    if prediction.index not in learned or any(other.index in learned for other in others):
        return None
    weight = number_value((layer.node.scalars("loss_weight") or ["1"])[0])
    asked = layer.type, tuple(other.index for other in others)
    return _Head(prediction.index, asked, 0.0 if weight is None else weight)


def _compared(step: Step) -> list[int]:
    """What a loss of another kind reads: a blob that several losses need is no head of one of them."""
    return [bottom.index for bottom in step.bottoms] if step.layer.scores else []


def _is_beside(made: Graph, prediction: int, trunk: frozenset[int], learned: frozenset[int]) -> bool:
    """Whether a prediction leaves a trunk, and meets nothing else that is learned afterwards."""
    if prediction in trunk or not above(made, [prediction])[1] & trunk:
        return False
    own = below(made, [prediction])
    for step in made.steps:
        bottoms = {bottom.index for bottom in step.bottoms}
        if bottoms & own and bottoms & learned - own:
            return False
    return True


def above(made: Graph, blobs: Iterable[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Indices of the steps that the blobs depend on, and of all blobs on the way."""
    todo = list(blobs)
    seen = set(todo)
    steps: set[int] = set()
    while todo:
        producer = made.producer(made.blobs[todo.pop()])
        if producer is not None and producer.index not in steps:
            steps.add(producer.index)
            new = {bottom.index for bottom in producer.bottoms} - seen
            seen |= new
            todo += new
    return frozenset(steps), frozenset(seen)


def below(made: Graph, blobs: Iterable[int]) -> frozenset[int]:
    """Indices of the blobs, and of all that depend on them."""
    found = set(blobs)
    for step in made.steps:
        if any(bottom.index in found for bottom in step.bottoms):
            found.update(top.index for top in step.tops)
    return frozenset(found)
