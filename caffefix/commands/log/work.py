"""A log compared with its net: which findings in the net file explain what the log shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from caffefix._startup.records import replace
from caffefix.caffe.net import Layer, Net, Phase
from caffefix.caffe.roles import LEARNS
from caffefix.commands.log.next_command import next_command
from caffefix.commands.log.results import Diagnosed, Difference, LogReport
from caffefix.engine.repair import Request, repair
from caffefix.evidence.logs import nets
from caffefix.evidence.logs.compare import Disagreement, disagreements
from caffefix.evidence.logs.decode import decode
from caffefix.evidence.logs.diagnosis import Observation, diagnose
from caffefix.evidence.logs.evidence import evidence_of
from caffefix.evidence.logs.forks import fingerprint
from caffefix.evidence.logs.model import TrainingLog
from caffefix.findings import Pass, Severity, Subject
from caffefix.fixers import fixers
from caffefix.results import Diagnostic
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source

# Findings that certainly kill a signal, and the observations of a dead signal.
_KILLERS = frozenset({"missing-weight-filler", "batch-norm-zero-gamma"})
_DEATHS = frozenset({"dead-blob", "sole-learner"})
# Observations that any fault of the layer, or of the layers that it reads, may have caused.
_ILLS = frozenset({"dying-blob", "nonfinite-blob", "exploding-blob"})


def report(log: TrainingLog, source: Source | None = None, request: Request | None = None) -> LogReport:
    """What a log shows, with the findings in a net file that explain it.

    Args:
        log: the log.
        source: the net file; None for the log alone.
        request: which findings may explain it; by default all.
    """
    if source is None:
        told = _report(log, None)
        return replace(told, next=next_command(log.path, "", [d.observation for d in told.observations]))
    try:
        subject = Subject(parse(source.text))
    except PrototxtError as error:
        return replace(_report(log, None), net=source.path, net_error=error.render(source))
    net = subject.all_nets[0] if subject.all_nets else None
    if net is None:
        reason = f"{source.path}: this file contains no net; give the net that was trained, not its solver"
        return replace(_report(log, None), net=source.path, net_error=reason)
    asked = request or Request()
    result = repair(source, replace(asked, options=replace(asked.options, log=evidence_of(log))))
    told = _report(log, net)
    observations = tuple(_explained(d.observation, net, log, result.findings) for d in told.observations)
    found = disagreements(log, net, told.decoded, is_whole=subject.role(net) in LEARNS)
    differences = tuple(_difference(source, d) for d in found)
    reason = result.reason if result.status.failed else ""
    following = next_command(log.path, source.path, [d.observation for d in told.observations], result.findings)
    return replace(
        told,
        observations=observations,
        differences=differences,
        net=source.path,
        net_error=reason,
        next=() if reason else following,
    )


def _report(log: TrainingLog, net: Net | None) -> LogReport:
    """The report without findings; where no file is given, the net in the log is used."""
    dumped = nets.dumped_net(nets.first_dump(log)) if net is None else None
    # Caffe prints the net of one phase only.
    view = net.view(Phase.TRAIN) if net is not None else dumped.layers if dumped is not None else []
    outputs = nets.num_output(view)
    decoded = decode(log, outputs, nets.softmax_losses(view))
    classes = next((d.value for d in decoded if d.name == "classes"), outputs)
    observations = diagnose(log, nets.by_name(view), classes)
    return LogReport(log, fingerprint(log), decoded, tuple(map(Diagnosed, observations)))


def _explained(observation: Observation, net: Net, log: TrainingLog, findings: Sequence[Diagnostic]) -> Diagnosed:
    """An observation with the findings of its layer, or of the nearest layers before it."""
    is_death = observation.name in _DEATHS
    if not is_death and observation.name not in _ILLS:
        return Diagnosed(observation)
    start = observation.layer
    if observation.name == "sole-learner":
        # The first dead layer keeps the others from learning.
        start = next((t.layer for t in log.weights_data if t.blob == "0" and t.always_zero), start)
    layers = nets.by_name(net.view(Phase.TRAIN))
    killers = [found for found in findings if found.name in _KILLERS]
    causes = _nearest(start, layers, _by_layer(killers)) if is_death else ()
    if causes:
        return Diagnosed(observation, tuple(causes), is_certain=True)
    format_only = {f.name for f in fixers() if f.runs_in is Pass.UPGRADE}
    others = [f for f in findings if f.name not in format_only and f.severity is not Severity.INFO]
    return Diagnosed(observation, tuple(_nearest(start, layers, _by_layer(others))))


def _by_layer(findings: Sequence[Diagnostic]) -> dict[str, list[Diagnostic]]:
    about: dict[str, list[Diagnostic]] = {}
    for found in findings:
        if found.layer:
            about.setdefault(found.layer, []).append(found)
    return about


def _nearest(
    start: str, layers: Mapping[str, Layer], about: Mapping[str, Sequence[Diagnostic]]
) -> Sequence[Diagnostic]:
    """Findings of a layer, or of the first layers upstream that have any."""
    producers: dict[str, list[str]] = {}  # layer -> layers whose tops it reads
    tops: dict[str, str] = {}
    for name, layer in layers.items():
        producers[name] = [tops[b] for b in layer.bottoms if b in tops]
        tops.update((top, name) for top in layer.tops)
    seen, level = {start}, [start]
    while level:
        found = [d for name in level for d in about.get(name, ())]
        if found:
            return found
        level = [p for name in level for p in producers.get(name, ()) if p not in seen]
        level = list(dict.fromkeys(level))
        seen.update(level)
    return ()


def _difference(source: Source, found: Disagreement) -> Difference:
    line = source.position(found.node.start).line if found.node is not None else 0
    return Difference(found.message, found.layer, found.line, line)
