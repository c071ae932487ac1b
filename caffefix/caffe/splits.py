"""The layers that Caffe itself inserts where a blob has several readers (insert_splits.cpp)."""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.graph import Graph, has_loss_weight


def split_names(graph: Graph) -> Iterator[tuple[int | None, str]]:
    """The split layers of a net: the step that each follows (None for an input of the net), and its name.

    A loss weight that is not zero counts as a reader.
    """
    for blob in graph.blobs:
        step = graph.producer(blob)
        readers = len(graph.consumers[blob.index])
        if step is not None:
            readers += has_loss_weight(step.layer, blob.slot)
        if readers > 1:
            layer = step.layer.name if step is not None else "input"
            yield blob.producer, f"{blob.name}_{layer}_{blob.slot}_split"
