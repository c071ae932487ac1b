"""Where a log and a net file disagree: the log was then written with a different net or file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.net import Layer, Net, Phase, truth
from caffefix.evidence.logs import nets
from caffefix.evidence.logs.decode import Decoded
from caffefix.evidence.logs.model import Dump, TrainingLog
from caffefix.syntax.scalars import number_value
from caffefix.syntax.tree import Node

_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Disagreement:
    """A fact on which log and file disagree.

    Attributes:
        message: one line.
        node: where the file says it; None where it does not.
        line: where the log says it; 0 if it follows from several lines.
        layer: name of the layer, or empty.
    """

    message: str
    node: Node | None = None
    line: int = 0
    layer: str = ""


def disagreements(
    log: TrainingLog, net: Net, decoded: Sequence[Decoded], *, is_whole: bool
) -> tuple[Disagreement, ...]:
    """All facts on which log and file disagree.

    Args:
        log: the log.
        net: the file's net.
        decoded: numbers that were inferred from the log.
        is_whole: whether the file is a whole net; a snippet lacks layers without being a different net.
    """
    found = [*_names(log, net, is_whole), *_batch(net, decoded), *_classes(net, decoded), *_rates(log, net)]
    dump = nets.dump_of(log, "net")
    if dump is not None:
        found += _dump(dump, net)
    return tuple(dict.fromkeys(found))


def _names(log: TrainingLog, net: Net, is_whole: bool) -> Iterator[Disagreement]:
    layers = nets.by_name(net.layers)
    if not is_whole or not layers:
        return
    seen = dict.fromkeys(log.layers)
    first: dict[str, int] = {}
    for track in log.tracks:
        seen.setdefault(track.layer)
        first.setdefault(track.layer, track.line)
    own = {"input"} if net.inputs else set()  # the layer that Caffe creates for input fields
    strange = [n for n in seen if n not in layers and n not in own and not n.endswith(nets.SPLIT)]
    if strange:
        more = f" and {len(strange) - _SHOWN} more" if len(strange) > _SHOWN else ""
        message = f"the log has layers that the file does not have: {', '.join(strange[:_SHOWN])}{more}"
        yield Disagreement(message, None, first.get(strange[0], 0))
    if log.layers and log.nets:
        dump = nets.dump_of(log, "net")
        view = [n for n, layer in layers.items() if layer.is_in(Phase.TRAIN)]
        missing = [name for name in view if name not in seen]
        if missing and dump is not None and dump.phase == "TRAIN":
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            message = f"the file has layers that the log's net does not have: {', '.join(missing[:_SHOWN])}{more}"
            yield Disagreement(message, layers[missing[0]].node, dump.line)


def _batch(net: Net, decoded: Sequence[Decoded]) -> Iterator[Disagreement]:
    given = nets.batch_size(net.view(Phase.TRAIN))
    size = next((d for d in decoded if d.name == "batch size"), None)
    if given is None or size is None or size.value == given[1]:
        return
    layer, number = given
    message = f"the log was written with batches of {size.value} where the file says batch_size: {number}"
    yield Disagreement(message, layer.node, 0, layer.name)


def _classes(net: Net, decoded: Sequence[Decoded]) -> Iterator[Disagreement]:
    given = nets.num_output(net.view(Phase.TRAIN))
    classes = next((d.value for d in decoded if d.name == "classes"), given)
    if given is not None and classes != given:
        message = f"the log is of {classes} classes, but the layer that feeds the loss has num_output: {given}"
        yield Disagreement(message)


def _rates(log: TrainingLog, net: Net) -> Iterator[Disagreement]:
    """A parameter whose lr_mult is 0 has no gradient in the log, unless all backward steps are forced."""
    if truth(net.node.scalar("force_backward") or "false"):
        return
    with_gradient = {(t.layer, t.blob) for t in log.gradients}
    for name, layer in nets.by_name(net.view(Phase.TRAIN)).items():
        for index, param in enumerate(layer.params):
            if param.lr_mult == 0 and (name, str(index)) in with_gradient:
                line = next(t.line for t in log.gradients if (t.layer, t.blob) == (name, str(index)))
                message = f"param {index} has a gradient in the log, but lr_mult 0 in the file"
                yield Disagreement(message, layer.node, line, name)


def _dump(dump: Dump, net: Net) -> Iterator[Disagreement]:
    """Compares the net that Caffe printed with the file's, layer by layer."""
    dumped = nets.dumped_net(dump)
    if dumped is None:
        return
    names = dumped.node.string("name"), net.node.string("name")
    if all(names) and names[0] != names[1]:
        message = f"the net that the log prints is called {names[0]}, the file's {names[1]}"
        yield Disagreement(message, net.node.field("name"), dump.line)
    ours = nets.by_name(net.view(Phase.TRAIN))
    for theirs in dumped.layers:
        layer = ours.get(theirs.name)
        if layer is None:
            continue
        for what, in_log, in_file in _facts(theirs, layer):
            if in_log != in_file:
                message = f"{what} is {in_log} in the net that the log prints, {in_file} in the file"
                yield Disagreement(message, layer.node, dump.line, layer.name)


def _facts(theirs: Layer, ours: Layer) -> Iterator[tuple[str, str, str]]:
    """The facts compared for two layers: name of the fact, the log's value, the file's."""
    yield "type", theirs.type, ours.type
    # Caffe sets the rates of BatchNorm's statistics to 0 before it prints them.
    count = max(len(theirs.params), len(ours.params)) if ours.type != "BatchNorm" else 0
    for index in range(count):
        yield f"lr_mult of param {index}", f"{theirs.param(index).lr_mult:g}", f"{ours.param(index).lr_mult:g}"
    weights = ours.kind.weights
    if weights and theirs.type == ours.type:
        for name in ("num_output", "kernel_size", "stride", "pad", "group"):
            yield name, _numbers(theirs, weights, name), _numbers(ours, weights, name)
        yield "weight_filler", _filler(theirs, weights), _filler(ours, weights)
    size, given = nets.batch_size([theirs]), nets.batch_size([ours])
    if size is not None and given is not None:
        yield "batch_size", str(size[1]), str(given[1])


def _numbers(layer: Layer, message: str, name: str) -> str:
    node = layer.node.message(message)
    values = node.scalars(name) if node is not None else []
    numbers = [number_value(v) for v in values]
    default = _DEFAULTS.get(name, "not given")
    return ", ".join(f"{n:g}" for n in numbers if n is not None) or default


_DEFAULTS = {"stride": "1", "pad": "0", "group": "1"}


def _filler(layer: Layer, message: str) -> str:
    filler = layer.filler(message, "weight_filler")
    std = number_value(filler.node.scalar("std") or "") if filler.node is not None else None
    extra = f" {filler.value:g}" if filler.type == "constant" else f" std {std:g}" if std is not None else ""
    return f"{filler.type}{extra}"
