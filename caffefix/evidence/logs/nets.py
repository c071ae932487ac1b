"""Nets in a log: Caffe prints the net it was given, after its own upgrades, when it starts."""

from __future__ import annotations

from collections.abc import Iterable

from caffefix.caffe.net import Layer, Net
from caffefix.evidence.logs.model import Dump, TrainingLog
from caffefix.syntax.parse import PrototxtError, parse

# The layers that Caffe inserts where a blob feeds several others.
SPLIT = "_split"


def dump_of(log: TrainingLog, kind: str, phase: str = "TRAIN") -> Dump | None:
    """The dump of the solver, or of the first net of a phase."""
    for dump in log.dumps:
        if dump.kind == kind and (kind == "solver" or dump.phase == phase):
            return dump
    return None


def first_dump(log: TrainingLog) -> Dump | None:
    """The dump of the first net, whatever its phase."""
    return dump_of(log, "net") or dump_of(log, "net", "TEST")


def dumped_net(dump: Dump | None) -> Net | None:
    """The net of a dump; None without one, or where other output was mixed into it."""
    if dump is None or not dump.text:
        return None
    try:
        return Net(parse(dump.text).root)
    except PrototxtError:
        return None


def by_name(layers: Iterable[Layer]) -> dict[str, Layer]:
    """Layers by name; of several with one name, the first, which Caffe uses when it loads weights."""
    found: dict[str, Layer] = {}
    for layer in layers:
        found.setdefault(layer.name, layer)
    return found


def num_output(layers: Iterable[Layer]) -> int | None:
    """The number of classes: outputs of the layer that feeds the softmax loss; None if in doubt."""
    producers: dict[str, Layer] = {}
    counts = set()
    for layer in layers:
        if layer.type == "SoftmaxWithLoss" and layer.bottoms:
            weighted = producers.get(layer.bottoms[0])
            counts.add(_outputs(weighted) if weighted is not None else None)
        if layer.kind.weights or layer.tops != layer.bottoms:
            source = producers.get(layer.bottoms[0]) if layer.bottoms else None
            producer = source if _keeps_outputs(layer) and source is not None else layer
            producers.update((top, producer) for top in layer.tops)
    return counts.pop() if len(counts) == 1 else None


def softmax_losses(layers: Iterable[Layer]) -> list[str]:
    """Names of the softmax losses."""
    return [layer.name for layer in layers if layer.type == "SoftmaxWithLoss"]


def _keeps_outputs(layer: Layer) -> bool:
    """Whether a layer's top has as many outputs as its bottom."""
    return layer.kind.keeps_shape or layer.kind.keeps_channels


def _outputs(layer: Layer) -> int | None:
    return _count(layer, layer.kind.weights, "num_output") if layer.kind.weights else None


def _count(layer: Layer, message: str, name: str) -> int | None:
    """A number that counts something; None where it is not given, or is not such a number."""
    number = layer.number(message, name, 0)
    return int(number) if 0 < number < 2**31 else None


def batch_size(layers: Iterable[Layer]) -> tuple[Layer, int] | None:
    """The first data layer that gives its batch size, and that size."""
    for layer in layers:
        for message in _BATCHED:
            size = _count(layer, message, "batch_size")
            if size is not None and not layer.bottoms:
                return layer, size
    return None


_BATCHED = ("data_param", "image_data_param", "hdf5_data_param", "window_data_param", "memory_data_param")
