"""Code shared by the graph findings: the views of a net that may be run, and what they agree on.

A net file contains several nets, one for each phase and set of stages. The file does not say which of
them are run; a view without any source of data cannot be. A problem with a layer is reported only if
every runnable view of a phase that has the layer has the problem.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator

from caffefix._startup.records import dataclass
from caffefix.caffe.graph import Graph, graph
from caffefix.caffe.layers.bvlc import is_bvlc_type
from caffefix.caffe.net import Layer, Net, Phase
from caffefix.caffe.roles import Role, scores
from caffefix.caffe.schema import load
from caffefix.findings import Severity, Subject
from caffefix.fixers._layers import only_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    K = TypeVar("K", bound=Hashable)


# Nets with more stages are not checked: there are too many sets of stages.
_MAX_STAGES = 6

_RULE_FIELDS = frozenset(("phase", "min_level", "max_level", "stage", "not_stage"))


@dataclass(frozen=True, slots=True)
class View:
    """A net as one phase and set of stages see it."""

    net: Net
    phase: Phase
    stages: frozenset[str]
    graph: Graph


def subjects(subject: Subject) -> Iterator[Net]:
    """Whole nets, in files that BVLC's parser accepts: other nets may be for a fork, or incomplete."""
    if subject.forks & load().bit("bvlc"):
        yield from _wholes(subject)


def of_every_fork(subject: Subject) -> Iterator[Net]:
    """Whole nets, whichever parser accepts them, for findings that need only names, phases, bottoms and tops.

    Forks have layers and fields of their own, but build the graph with the same code (net.cpp, insert_splits.cpp).
    Left out are nets in which something specific to a fork may add layers or blobs, or decide when a layer runs.
    """
    for net in _wholes(subject):
        if subject.forks & load().bit("bvlc") or not any(map(_may_change_the_graph, net.layers)):
            yield net


def severity(subject: Subject, net: Net, phases: tuple[Phase, ...]) -> Severity:
    """The severity of an abort in some phases of a net.

    A note, if Caffe aborts only in phase TEST and nothing shows that TEST is run: no layer is for TEST only. A
    warning, if no known parser accepts the file, so it may be for an unknown fork.
    """
    everywhere = {view.phase for view in views(net)}
    if set(phases) != everywhere and Phase.TEST in phases and not _is_tested(net):
        return Severity.INFO
    return Severity.ERROR if is_accepted(subject) else Severity.WARNING


def is_accepted(subject: Subject) -> bool:
    """Whether a known parser accepts the file."""
    return subject.verdict is None or bool(subject.verdict.accepting)


def _wholes(subject: Subject) -> Iterator[Net]:
    for net in subject.nets:
        whole = subject.role(net) is not Role.SNIPPET
        if whole and not _uses_levels(net) and len(net.stages) <= _MAX_STAGES:
            yield net


def _may_change_the_graph(layer: Layer) -> bool:
    """Whether a fork's layer may produce blobs that it does not name, or has rules that Caffe does not know."""
    if not is_bvlc_type(layer.type) and not layer.tops and not scores(layer):
        return True  # an import (a loss without tops has one of its own, but nothing reads it)
    if not layer.has_rules:
        return False
    rules = (node for name in ("include", "exclude") for node in layer.node.fields(name) if node.is_message)
    return any(not node.names() <= _RULE_FIELDS for node in rules)


def _is_tested(net: Net) -> bool:
    return any(only_in(layer, Phase.TEST) for layer in net.layers)


def views(net: Net) -> tuple[View, ...]:
    """The views that have a source of data, TRAIN first; only TEST where there is no loss."""
    if net.views is None:
        net.views = tuple(_views(net))
    return net.views


def _views(net: Net) -> Iterator[View]:
    learns = any(scores(layer) for layer in net.layers)
    graphs: dict[tuple[int, ...], Graph] = {}  # phases with the same layers share a graph
    for phase in Phase if learns else (Phase.TEST,):
        for stages in _stage_sets(net):
            layers = tuple(map(id, net.view(phase, stages)))
            made = graphs.get(layers)
            if made is None:
                made = graphs[layers] = graph(net, phase, stages)
            if made.inputs or any(_feeds(step.layer) for step in made.steps):
                yield View(net, phase, stages, made)


def _feeds(layer: Layer) -> bool:
    """Whether a layer is a source of data; the weights of a Parameter layer are not data."""
    return not layer.bottoms and bool(layer.tops) and layer.type != "Parameter"


def agreed(
    net: Net, problems: Callable[[View], Iterable[tuple[Layer, K]]]
) -> Iterator[tuple[Layer, K, tuple[Phase, ...]]]:
    """Problems that occur in every view of a phase that has the layer, with these phases, in file order."""
    found: dict[tuple[int, K], list[Phase]] = {}
    layers = {id(layer): layer for layer in net.layers}
    seen: dict[Phase, list[tuple[set[int], set[tuple[int, K]]]]] = {}
    for view in views(net):
        wrong = {(id(layer), what) for layer, what in problems(view)}
        seen.setdefault(view.phase, []).append(({id(step.layer) for step in view.graph.steps}, wrong))
    for phase, judged in seen.items():
        for key in {key for _, wrong in judged for key in wrong}:
            if all(key in wrong for present, wrong in judged if key[0] in present):
                found.setdefault(key, []).append(phase)
    order = {key: index for index, key in enumerate(layers)}
    for (layer_id, what), phases in sorted(found.items(), key=lambda item: (order[item[0][0]], str(item[0][1]))):
        yield layers[layer_id], what, tuple(phases)


def during(net: Net, phases: tuple[Phase, ...]) -> str:
    """`` in phase TEST`` if the net also runs in other phases; else an empty string."""
    everywhere = {view.phase for view in views(net)}
    return "" if set(phases) == everywhere else f" in phase {phases[0].value}"


def _stage_sets(net: Net) -> Iterator[frozenset[str]]:
    """All sets of the stages that the net mentions: a solver may set several together."""
    stages = sorted(net.stages)
    for bits in range(1 << len(stages)):
        yield frozenset(stage for index, stage in enumerate(stages) if bits >> index & 1)


def _uses_levels(net: Net) -> bool:
    rules = (rule for layer in net.layers for rule in (*layer.includes, *layer.excludes))
    return any(rule.min_level is not None or rule.max_level is not None for rule in rules)
