"""Queries that patches make on layers: by type and by blob, joined by blob, consumers and producers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from caffefix._startup.records import cached_property
from caffefix.caffe.graph import Blob, Graph, Step, graph
from caffefix.caffe.net import Generation, Layer, Net, Phase
from caffefix.patching.front_matter import Where
from caffefix.syntax.tree import Node


def graphs(net: Net) -> list[Graph]:
    """A net in each phase and each of its stages."""
    stages = [frozenset[str](), *(frozenset({stage}) for stage in sorted(net.stages)[:16])]
    return [graph(net, phase, each) for phase in Phase for each in stages]


class Layers:
    """The layers of a net as patches look them up; layers of the old formats are omitted.

    Attributes:
        net: the net.
        all: layers, in file order.
    """

    def __init__(self, net: Net) -> None:
        self.net = net
        self.all: list[Layer] = [
            layer for layer in net.layers if layer.generation is Generation.V2 and not layer.node.in_list
        ]

    @cached_property
    def by_name(self) -> dict[str, list[Layer]]:
        """Layers by their names, in file order."""
        return self._table(lambda layer: (layer.name,))

    @cached_property
    def by_bottom(self) -> dict[str, list[Layer]]:
        """Layers by the blobs that they read, in file order."""
        return self._table(lambda layer: layer.bottoms)

    @cached_property
    def by_top(self) -> dict[str, list[Layer]]:
        """Layers by the blobs that they produce, in file order."""
        return self._table(lambda layer: layer.tops)

    def _table(self, names: Callable[[Layer], Iterable[str]]) -> dict[str, list[Layer]]:
        found: dict[str, list[Layer]] = {}
        for layer in self.all:
            for name in dict.fromkeys(names(layer)):
                found.setdefault(name, []).append(layer)
        return found

    @cached_property
    def _by_node(self) -> dict[int, Layer]:
        return {id(layer.node): layer for layer in self.all}

    def of(self, node: Node) -> Layer:
        """The layer of a message."""
        return self._by_node[id(node)]

    @cached_property
    def graphs(self) -> list[Graph]:
        """The net in each phase and each of its stages."""
        return graphs(self.net)

    @cached_property
    def _steps(self) -> dict[int, list[tuple[Graph, Step]]]:
        """Where each layer runs, by the id of its node."""
        found: dict[int, list[tuple[Graph, Step]]] = {}
        for view in self.graphs:
            for step in view.steps:
                found.setdefault(id(step.layer.node), []).append((view, step))
        return found

    def runs(self, node: Node) -> list[tuple[Graph, Step]]:
        """A layer's steps, in each view that has it."""
        return self._steps.get(id(node), [])

    # ---- blobs

    def feeds(self, maker: Node, reader: Node, blob: str) -> bool:
        """Whether, in some phase, one layer reads the very blob of that name that the other produces."""
        for view, step in self.runs(reader):
            for bottom in step.bottoms:
                made_by = view.producer(bottom) if bottom.name == blob else None
                if made_by is not None and made_by.layer.node is maker:
                    return True
        return False

    def share(self, one: Node, other: Node, blob: str) -> bool:
        """Whether two layers read the same version of a blob where they run together, if they ever do."""
        pairs = [(a, b) for view, a in self.runs(one) for where, b in self.runs(other) if where is view]
        return not pairs or any(self._reads(a, blob) & self._reads(b, blob) for a, b in pairs)

    @staticmethod
    def _reads(step: Step, blob: str) -> set[int]:
        return {bottom.index for bottom in step.bottoms if bottom.name == blob}

    def producers(self, node: Node) -> set[str]:
        """Types of the layers that produce a layer's bottoms."""
        found = (view.producer(bottom) for view, step in self.runs(node) for bottom in step.bottoms)
        return {maker.layer.type for maker in found if maker is not None}

    def consumers(self, node: Node) -> set[str]:
        """Types of the layers that read a layer's tops."""
        return {reader.layer.type for view, step in self.runs(node) for reader in _readers(view, step.tops)}

    # ---- conditions

    def holds(self, where: Where, node: Node) -> bool:
        """Whether a condition holds for a layer."""
        if where.phase is not None and not _only_in(self.of(node), where.phase):
            return False
        if where.producers or where.no_producers:
            makers = self.producers(node)
            if where.producers and not makers & set(where.producers):
                return False
            if makers & set(where.no_producers):
                return False
        if not (where.consumers or where.only_consumers or where.no_consumers):
            return True
        readers = self.consumers(node)
        return (
            (not where.consumers or bool(readers & set(where.consumers)))
            and (not where.only_consumers or (bool(readers) and readers <= set(where.only_consumers)))
            and not readers & set(where.no_consumers)
        )


def _readers(view: Graph, tops: tuple[Blob, ...]) -> Iterator[Step]:
    for top in tops:
        yield from view.readers(top)


def _only_in(layer: Layer, phase: Phase) -> bool:
    """Whether the layer's own rules keep it to one phase."""
    other = Phase.TEST if phase is Phase.TRAIN else Phase.TRAIN
    stages = layer.stages
    return layer.is_in(phase, stages) and not layer.is_in(other, stages) and not layer.is_in(other)
