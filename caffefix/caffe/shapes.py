"""Shape inference: the shape of each top and each parameter blob of a net, as far as known.

A dimension is an int, or None where the net does not give it: the size of images in a database, the output of a
Python layer. Rules are in ``layers/shapes``; after a layer without a rule everything is unknown until something
states it again. Problems are what Caffe would abort on; after one, shapes are unknown, so each mistake is reported
once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from caffefix._startup.records import dataclass
from caffefix.caffe.fillers import Shape, count
from caffefix.caffe.graph import Blob, Graph, Step
from caffefix.caffe.layers.rules import shape_rule
from caffefix.caffe.layers.shapes import Mismatch, Outcome, ParamBlob, Site
from caffefix.caffe.layers.shapes.base import merged, text_of
from caffefix.caffe.layers.shapes.sources import input_shapes
from caffefix.caffe.net import Layer, Net, Phase, alike
from caffefix.syntax.tree import Node


@dataclass(frozen=True, slots=True)
class Problem:
    """A layer on whose shapes Caffe aborts.

    Attributes:
        layer: the layer.
        message: Caffe's own, without file and line.
        node: where in the file.
    """

    layer: Layer
    message: str
    node: Node


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """Shapes of a graph.

    Attributes:
        blobs: by ``Blob.index``.
        params: by ``Step.index``; None where not even their number is known.
        problems: in file order.
        unruled: indices of steps without a rule: unknown from there.
    """

    blobs: tuple[Shape, ...]
    params: tuple[tuple[ParamBlob, ...] | None, ...]
    problems: tuple[Problem, ...]
    unruled: tuple[int, ...]

    def of(self, blob: Blob) -> Shape:
        return self.blobs[blob.index]

    def params_of(self, step: Step) -> tuple[ParamBlob, ...]:
        """The parameter blobs of a step; none where they are unknown."""
        return self.params[step.index] or ()


def infer(
    graph: Graph,
    net: Net,
    phase: Phase,
    given: Mapping[str, Shape] | None = None,
    *,
    known: Callable[[Layer], bool] | None = None,
) -> Shapes:
    """Infer the shapes of a net in a phase.

    Args:
        graph: of that net and phase.
        net: for the shapes of its ``input:`` fields.
        phase: of the graph.
        given: shapes of blobs that sources produce, by name, where the caller knows more than the file; known axes
            of the file take precedence.
        known: whether a layer is what its rule assumes; after one that is not, everything is unknown.
    """
    given = given or {}
    blobs: list[Shape] = [None] * len(graph.blobs)
    params: list[tuple[ParamBlob, ...] | None] = []
    problems: list[Problem] = []
    unruled: list[int] = []
    owners: dict[str, tuple[Layer, Shape]] = {}
    stated = input_shapes(net)
    for blob in graph.inputs:
        blobs[blob.index] = merged(stated.get(blob.name), given.get(blob.name))
    for step in graph.steps:
        outcome = Outcome((), None)
        rule = shape_rule(step.layer.kind)
        if rule is None or (known is not None and not known(step.layer)):
            unruled.append(step.index)
        else:
            found = _applied(step.layer, tuple(blobs[b.index] for b in step.bottoms))
            if isinstance(found, Mismatch):
                problems.append(Problem(step.layer, found.message, step.layer.node))
            else:
                outcome = found
        if negative := next((d for shape in outcome.tops for d in shape or () if d is not None and d < 0), None):
            words = f"Check failed: shape[i] >= 0 ({negative} vs. 0)"  # Blob::Reshape
            problems.append(Problem(step.layer, words, step.layer.node))
            outcome = Outcome((), None)
        params.append(outcome.params)
        problems += _unshared(step.layer, outcome.params or (), owners)
        for top, shape in zip(step.tops, outcome.tops, strict=False):
            blobs[top.index] = shape
        if not step.bottoms:
            for top in step.tops:
                blobs[top.index] = merged(blobs[top.index], given.get(top.name))
    return Shapes(tuple(blobs), tuple(params), tuple(problems), tuple(unruled))


def _unshared(
    layer: Layer, params: tuple[ParamBlob, ...], owners: dict[str, tuple[Layer, Shape]]
) -> Iterator[Problem]:
    """The first shared blob that does not fit its owner's (net.cpp, ``AppendParam``); records new owners."""
    for index, (blob, param) in enumerate(zip(params, layer.params, strict=False)):
        if not param.shared_name:
            continue
        owner, shape = owners.setdefault(param.shared_name, (layer, blob.shape))
        if owner is layer or shape is None or blob.shape is None or None in (*shape, *blob.shape):
            continue
        what = f"Cannot share param '{param.shared_name}' owned by layer '{owner.name}' with layer '{layer.name}'"
        told = f"mismatch.  Owner layer param shape is {text_of(shape)}; sharing layer"
        if _is_permissive(layer, index):
            if count(blob.shape) != count(shape):
                check = f"this_blob->count() == owner_blob->count() ({count(blob.shape)} vs. {count(shape)})"
                words = f"Check failed: {check} {what}; count {told} shape is {text_of(blob.shape)}"
                yield Problem(layer, words, layer.node)
                return
        elif blob.shape != shape:
            check = "this_blob->shape() == owner_blob->shape()"
            words = f"Check failed: {check} {what}; shape {told} expects shape {text_of(blob.shape)}"
            yield Problem(layer, words, layer.node)
            return


def _is_permissive(layer: Layer, index: int) -> bool:
    """Whether only the number of values must agree, not the shape."""
    modes = [block.scalar("share_mode") for block in layer.node.fields("param") if block.is_message]
    modes = modes or [*layer.node.scalars("blob_share_mode")]
    return index < len(modes) and modes[index] in ("PERMISSIVE", "1")


@alike
def _applied(layer: Layer, bottoms: tuple[Shape, ...]) -> Outcome | Mismatch:
    """The outcome of a layer's rule for bottoms of these shapes."""
    try:
        rule = shape_rule(layer.kind)
        return rule(Site(layer, bottoms)) if rule is not None else Outcome((), None)
    except Mismatch as mismatch:
        return mismatch.with_traceback(None)
