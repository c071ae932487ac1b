"""The blob graph of a net in one phase: which layer produces which version of which blob.

A blob's name does not name one thing: a layer that works in place (``top[i] == bottom[i]``)
produces a new version of it, and later layers see that one. This is what Caffe's ``InsertSplits`` and
``Net::AppendTop`` compute (insert_splits.cpp, net.cpp), with what they abort on kept separately.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.net import Layer, Net, Phase
from caffefix.caffe.roles import scores
from caffefix.syntax.scalars import number_value


@dataclass(frozen=True, slots=True, eq=False)
class Blob:
    """One version of a blob.

    Attributes:
        index: its place in ``Graph.blobs``.
        name: shared by all versions.
        version: 0 for the first of that name.
        producer: index of the step that produces it; None for an input of the net, and for a blob that no layer
            produces.
        slot: which of the producer's tops it is.
    """

    index: int
    name: str
    version: int
    producer: int | None
    slot: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A layer that runs, with its blobs resolved."""

    index: int
    layer: Layer
    bottoms: tuple[Blob, ...]
    tops: tuple[Blob, ...]


@dataclass(frozen=True, slots=True)
class Use:
    """A place where a step names a blob: its ``slot``-th bottom, or top."""

    step: int
    slot: int


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """A phase of a net.

    Attributes:
        steps: layers that run, in file order.
        blobs: all versions, in the order in which they appear.
        inputs: blobs from outside (``input:`` fields).
        consumers: by blob index, the bottoms that read it.
        undefined: bottoms that no earlier layer produces.
        redefined: tops of a name that exists already, where it is not in place for Caffe: either
            the layer has no bottom of that name at the same index, or others read that version too.
    """

    steps: tuple[Step, ...]
    blobs: tuple[Blob, ...]
    inputs: tuple[Blob, ...]
    consumers: tuple[tuple[Use, ...], ...]
    undefined: tuple[Use, ...]
    redefined: tuple[Use, ...]

    def producer(self, blob: Blob) -> Step | None:
        return None if blob.producer is None else self.steps[blob.producer]

    def readers(self, blob: Blob) -> Iterator[Step]:
        """The steps that read this version."""
        return (self.steps[use.step] for use in self.consumers[blob.index])

    def ends(self) -> Iterator[Blob]:
        """Blobs that nothing reads: the net's outputs."""
        return (blob for blob in self.blobs if not self.consumers[blob.index])

    def chain(self, blob: Blob) -> tuple[Blob, ...]:
        """The versions of a blob's name, in order, as in-place layers produce them."""
        return tuple(other for other in self.blobs if other.name == blob.name)

    def upstream(self, blob: Blob) -> tuple[Step, ...]:
        """The steps that a blob comes from, in file order."""
        found: set[int] = set()
        stack = [blob]
        while stack:
            made_by = stack.pop().producer
            if made_by is not None and made_by not in found:
                found.add(made_by)
                stack.extend(self.steps[made_by].bottoms)
        return tuple(self.steps[index] for index in sorted(found))

    def to_loss(self) -> frozenset[int]:
        """Indices of the blobs from which a loss is reached."""
        found: set[int] = set()
        for step in reversed(self.steps):
            if scores(step.layer) or any(top.index in found for top in step.tops):
                found.update(bottom.index for bottom in step.bottoms)
        return frozenset(found)


def graph(net: Net, phase: Phase, stages: frozenset[str] = frozenset()) -> Graph:
    """The graph of a net as one phase and set of stages see it."""
    return build(net.view(phase, stages), net.inputs)


def build(layers: Sequence[Layer], inputs: Sequence[str] = ()) -> Graph:
    """The graph of layers that run in this order.

    Args:
        layers: the view of a phase, in file order.
        inputs: names of blobs that come from outside.
    """
    builder = _Builder()
    outside = tuple(builder.make(name, None, 0) for name in inputs)
    steps = tuple(builder.add(index, layer) for index, layer in enumerate(layers))
    return Graph(
        steps=steps,
        blobs=tuple(builder.blobs),
        inputs=outside,
        consumers=tuple(map(tuple, builder.consumers)),
        undefined=tuple(builder.undefined),
        redefined=tuple(builder.redefined(steps)),
    )


class _Builder:
    def __init__(self) -> None:
        self.blobs: list[Blob] = []
        self.consumers: list[list[Use]] = []
        self.undefined: list[Use] = []
        self.latest: dict[str, Blob] = {}
        self.orphans: set[int] = set()

    def make(self, name: str, producer: int | None, slot: int) -> Blob:
        before = self.latest.get(name)
        blob = Blob(len(self.blobs), name, before.version + 1 if before else 0, producer, slot)
        self.blobs.append(blob)
        self.consumers.append([])
        self.latest[name] = blob
        return blob

    def add(self, index: int, layer: Layer) -> Step:
        bottoms = []
        for slot, name in enumerate(layer.bottoms):
            use = Use(index, slot)
            blob = self.latest.get(name)
            if blob is None:
                blob = self.make(name, None, 0)
                self.orphans.add(blob.index)
            if blob.index in self.orphans:
                self.undefined.append(use)
            self.consumers[blob.index].append(use)
            bottoms.append(blob)
        tops = [self.make(name, index, slot) for slot, name in enumerate(layer.tops)]
        return Step(index, layer, tuple(bottoms), tuple(tops))

    def redefined(self, steps: Sequence[Step]) -> Iterator[Use]:
        seen = {blob.name for blob in self.blobs if blob.producer is None and blob.index not in self.orphans}
        for step in steps:
            for top in step.tops:
                if top.name not in seen:
                    seen.add(top.name)
                elif not self._in_place(step, top.slot, steps):
                    yield Use(step.index, top.slot)

    def _in_place(self, step: Step, slot: int, steps: Sequence[Step]) -> bool:
        """Whether Caffe sees a top as in place: a version with another reader gets split."""
        if slot >= len(step.bottoms) or step.bottoms[slot].name != step.tops[slot].name:
            return False
        bottom = step.bottoms[slot]
        producer = None if bottom.producer is None else steps[bottom.producer].layer
        uses = len(self.consumers[bottom.index]) + (
            producer is not None and has_loss_weight(producer, bottom.slot)
        )
        return uses == 1


def has_loss_weight(layer: Layer, slot: int) -> bool:
    """Whether a top has a loss_weight of its own: Caffe counts that as a reader."""
    weights = layer.node.scalars("loss_weight")
    return slot < len(weights) and number_value(weights[slot]) != 0
