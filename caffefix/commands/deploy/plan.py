"""Which parts of a train net are needed for inference: which layers are kept, which blobs are inputs.

This is determined from the graph, not from names. What a loss or an accuracy compares with the truth is a
*prediction*; the sources above the predictions are the net's inputs; all other source tops are labels.
Kept are the layers that predictions need, and those that lead to an output that nothing else reads and that can be
computed without labels. The net of phase TEST is used; where it has no data layer (``train.prototxt``
alone), that of TRAIN is used instead.
"""

from __future__ import annotations

from collections.abc import Collection

from caffefix._startup.records import dataclass
from caffefix.caffe.fillers import Shape
from caffefix.caffe.graph import Blob, Graph, Step, build
from caffefix.caffe.net import Layer, Net, Phase
from caffefix.caffe.refusal import Refusal
from caffefix.caffe.roles import is_origin, scores
from caffefix.caffe.shapes import Shapes, infer
from caffefix.commands.deploy.auxiliary import above, auxiliary, below


@dataclass(frozen=True, slots=True)
class Feed:
    """A layer whose tops become inputs.

    Attributes:
        layer: the data layer.
        tops: those that are inputs.
        shapes: of these, as far as the net defines them; None for a dimension that it does not define.
    """

    layer: Layer
    tops: tuple[str, ...]
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """A loss that is replaced by the activation it contains.

    Attributes:
        layer: the loss.
        type: ``Softmax`` or ``Sigmoid``.
        top: name of its output.
    """

    layer: Layer
    type: str
    top: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """A layer that is dropped, and why."""

    layer: Layer
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done with each layer.

    Attributes:
        feeds: layers that are replaced by Input layers, in file order.
        kept: layers that are kept, Input layers, constants and heads not counted among the feeds.
        heads: of those kept, the losses that become activations.
        dropped: in file order.
        auxiliary: of those dropped, the losses of auxiliary heads.
        blobs: names of the blobs that the kept layers produce, and of the inputs.
    """

    feeds: tuple[Feed, ...]
    kept: tuple[Layer, ...]
    heads: tuple[Head, ...]
    dropped: tuple[Dropped, ...]
    blobs: frozenset[str]
    auxiliary: tuple[Layer, ...] = ()


def plan(
    net: Net, stages: frozenset[str] = frozenset(), outputs: Collection[str] = (), *, keep_auxiliary: bool = False
) -> Plan:
    """What is done with each layer of a train net.

    Args:
        net: of V2 layers.
        stages: besides the phase TEST.
        outputs: blobs to keep; by default, all predictions and all outputs of the TEST net.
        keep_auxiliary: whether "all" includes what only helps training (``auxiliary.py``).

    Raises:
        Refusal: no deploy net can be made from the net; the refusal names the reason.
    """
    if not any(_is_loss(layer) for layer in net.layers):
        raise Refusal("no-loss", "there is no loss, so this is not a train net")
    if not any(is_origin(layer) for layer in net.layers):
        raise Refusal("no-data-layer", "there is no data layer, so the inputs are unknown")
    strange = sorted(stages - net.stages)
    if strange:
        known = f"it has {', '.join(sorted(net.stages))}" if net.stages else "it has no stages"
        raise Refusal("unknown-stage", f"the net has no stage {strange[0]!r}; {known}")
    return _Planner(net, stages, outputs, keep_auxiliary=keep_auxiliary).plan()


def _is_loss(layer: Layer) -> bool:
    return layer.kind.loss or scores(layer)


def compares(layer: Layer) -> bool:
    """Whether a layer compares with the truth: such a layer does not belong in a deploy net."""
    return _is_loss(layer) or layer.kind.metric


class _Planner:
    def __init__(
        self, net: Net, stages: frozenset[str], outputs: Collection[str], *, keep_auxiliary: bool
    ) -> None:
        self.net = net
        self.stages = stages
        self.wanted = outputs
        self.test = net.view(Phase.TEST, stages)
        self.in_test = set(map(id, self.test))
        self.layers = _with_sources(net, self._candidates())
        self.graph = build(self.layers)
        self.shapes = infer(self.graph, net, Phase.TEST)
        self.learned = _learned(self.graph, self.shapes)
        self.side = frozenset[int]() if outputs else auxiliary(self.graph, self.learned)
        self.cut = frozenset[int]() if keep_auxiliary else self.side
        self.place = {id(step.layer): step.index for step in self.graph.steps}
        self.gone = below(self.graph, self.cut)
        self.on_the_side = self._on_the_side()

    def plan(self) -> Plan:
        predictions = self._predictions() - self.gone
        steps, blobs = above(self.graph, predictions)
        self._check(steps, blobs)
        feeding = self._feeding(steps)
        fed = {top.index for step in feeding for top in step.tops if top.index in blobs}
        fed.update(top.index for step in self.graph.steps if self._constant(step) for top in step.tops)
        if not self.wanted:
            more, more_blobs = above(self.graph, self._ends(fed) - self.gone)
            steps, blobs = steps | more, blobs | more_blobs
        heads = self._heads(predictions, steps)
        kept = {step.index for step in self.graph.steps if step.index in steps and step not in feeding}
        kept.update(self._silences(blobs))
        head_layers = {id(head.layer) for head in heads}
        layers = [s.layer for s in self.graph.steps if s.index in kept or id(s.layer) in head_layers]
        feeds = tuple(self._feed(step, blobs) for step in feeding)
        stay = {*map(id, layers), *(id(feed.layer) for feed in feeds)}
        return Plan(
            feeds,
            tuple(layers),
            heads,
            tuple(Dropped(layer, self._why(layer)) for layer in self.net.layers if id(layer) not in stay),
            frozenset(
                [*(t for feed in feeds for t in feed.tops), *(h.top for h in heads)]
                + [top for layer in layers if id(layer) not in head_layers for top in layer.tops]
            ),
            tuple(step.layer for step in self._losses_of(self.cut)),
        )

    def _on_the_side(self) -> set[int]:
        """The layers of auxiliary heads that are cut, and the trunk."""
        steps, _ = above(self.graph, self.cut)
        found = [s for s in self.graph.steps if s.index in steps or any(b.index in self.gone for b in s.bottoms)]
        return {id(step.layer) for step in found}

    def _losses_of(self, predictions: frozenset[int]) -> list[Step]:
        losses = [step for step in self.graph.steps if step.layer.kind.loss]
        return [step for step in losses if any(bottom.index in predictions for bottom in step.bottoms)]

    def _candidates(self) -> list[Layer]:
        """TEST's layers, and TRAIN's losses: these show what is predicted where TEST has no loss."""
        train = set(map(id, self.net.view(Phase.TRAIN, self.stages)))
        return [
            layer
            for layer in self.net.layers
            if id(layer) in self.in_test or (id(layer) in train and layer.kind.loss)
        ]

    # ---- predictions

    def _predictions(self) -> frozenset[int]:
        if self.wanted:
            return frozenset(self._named(name) for name in self.wanted)
        return self._predicted_by_default()

    def _predicted_by_default(self) -> frozenset[int]:
        comparing = [step for step in self.graph.steps if compares(step.layer)]
        if not comparing:  # a separate stage for deployment, as DIGITS writes it
            return frozenset(blob.index for blob in self.graph.ends() if blob.index in self.learned)
        found = {b.index for s in comparing if id(s.layer) in self.in_test for b in self._predicted(s)}
        found = found or {b.index for step in comparing for b in self._predicted(step)}
        if not found:
            message = "no loss reads a blob that depends on a layer with weights; give --output BLOB"
            raise Refusal("nothing-learned", message, comparing[0].layer.node if comparing else None)
        return frozenset(found)

    def _named(self, name: str) -> int:
        found = [b for b in self.graph.blobs if b.name == name and b.producer is not None]
        found = [b for b in found if not compares(self.graph.steps[b.producer or 0].layer)]
        if not found:
            usual = sorted({self.graph.blobs[index].name for index in self._predicted_by_default()})
            hint = f"; losses read {', '.join(map(repr, usual))}"
            raise Refusal("unknown-output", f"no layer of phase TEST produces a blob {name!r}{hint}")
        return found[-1].index

    def _predicted(self, step: Step) -> list[Blob]:
        """The bottoms of a loss or accuracy that are predictions."""
        layer = step.layer
        learned = [bottom for bottom in step.bottoms if bottom.index in self.learned]
        if not layer.kind.loss and not layer.kind.metric:
            if len(learned) == 1 and len(step.bottoms) > 1:
                return learned  # the other bottoms come from the data
            message = (
                f'layer "{layer.name}" of type {layer.type} is a loss because of its loss_weight: nothing shows '
                "which of its bottoms is the prediction; name the blobs to keep with --output"
            )
            raise Refusal("unknown-loss", message, layer.node)
        if layer.kind.symmetric:
            return learned
        if layer.kind.predictions > 1:
            return list(step.bottoms[: layer.kind.predictions])
        return learned[:1]

    # ---- what stays

    def _check(self, steps: frozenset[int], blobs: frozenset[int]) -> None:
        """Refuse a net whose predictions need something that a deploy net cannot have."""
        orphans = {self.graph.steps[u.step].bottoms[u.slot].index: u for u in self.graph.undefined}
        for index in sorted(blobs & orphans.keys()):
            step = self.graph.steps[orphans[index].step]
            name = self.graph.blobs[index].name
            stages = (
                f" (the net has stages: --stage {', '.join(sorted(self.net.stages))})" if self.net.stages else ""
            )
            message = f'layer "{step.layer.name}" reads {name!r}, which no layer produces in phase TEST{stages}'
            raise Refusal("unknown-bottom", message, step.layer.node)
        targets = {
            bottom.index
            for step in self.graph.steps
            if _is_loss(step.layer)
            for bottom in step.bottoms
            if bottom.index not in blobs
        }
        for index in sorted(steps):
            step = self.graph.steps[index]
            made = next((top.name for top in step.tops if top.index in targets), None)
            if made is not None and step.bottoms:
                message = (
                    f'layer "{step.layer.name}" produces {made!r}, the target of a loss, and also a blob that the '
                    "predictions need: it cannot run without labels; replace it with what deployment uses instead"
                )
                raise Refusal("targets-inside", message, step.layer.node)

    def _feeding(self, steps: frozenset[int]) -> list[Step]:
        """The sources above the predictions, except for constants."""
        sources = [s for s in self.graph.steps if s.index in steps and is_origin(s.layer)]
        found = [step for step in sources if not step.layer.kind.inner]
        found = found or [step for step in sources if step.layer.type == "DummyData"]
        if not found:
            raise Refusal("no-data-layer", "the predictions depend on no data layer")
        return found

    def _constant(self, step: Step) -> bool:
        return step.layer.kind.inner and not step.bottoms

    def _ends(self, fed: set[int]) -> frozenset[int]:
        """What the TEST net computes from inputs and constants alone, and outputs or compares.

        These are the blobs that nothing reads in any phase, and the learned blobs that are read by a layer
        that needs labels, such as a DetectionEvaluate.
        """
        inside = set(map(id, self.layers))
        elsewhere = {name for layer in self.net.layers if id(layer) not in inside for name in layer.bottoms}
        computable = set(fed)
        evaluated: set[int] = set()
        for step in self.graph.steps:
            bottoms = [bottom.index for bottom in step.bottoms]
            if compares(step.layer) or step.layer.type == "Silence":
                continue
            if bottoms and computable.issuperset(bottoms):
                computable.update(top.index for top in step.tops)
            elif id(step.layer) in self.in_test:
                evaluated.update(self.learned.intersection(bottoms))
        unread = {blob.index for blob in self.graph.ends() if blob.name not in elsewhere}
        return frozenset((unread | evaluated) & (computable - fed))

    def _silences(self, blobs: frozenset[int]) -> list[int]:
        """Silence layers that still have something to silence."""
        return [
            step.index
            for step in self.graph.steps
            if step.layer.type == "Silence" and any(bottom.index in blobs for bottom in step.bottoms)
        ]

    def _heads(self, predictions: frozenset[int], steps: frozenset[int]) -> tuple[Head, ...]:
        """Losses whose activation is kept: one for each prediction without one.

        The last loss has precedence, and all have it over those of auxiliary heads.
        """
        taken = {top.name for index in steps for top in self.graph.steps[index].tops}
        done = {
            (self.graph.steps[index].layer.type, bottom.index)
            for index in steps
            for bottom in self.graph.steps[index].bottoms
        }
        found: list[Head] = []
        side = {step.index for step in self._losses_of(self.side)}
        for step in sorted(self.graph.steps, key=lambda step: (step.index in side, -step.index)):
            kind = step.layer.kind.contains or None
            if kind is None or not step.bottoms or step.bottoms[0].index not in predictions:
                continue
            if (kind, step.bottoms[0].index) not in done:
                done.add((kind, step.bottoms[0].index))
                own = step.tops[1].name if len(step.tops) > 1 else "prob"
                top = unique(own, taken, f"{step.layer.name or step.bottoms[0].name}_prob")
                taken.add(top)
                found.append(Head(step.layer, kind, top))
        return tuple(sorted(found, key=lambda head: self.place[id(head.layer)]))

    def _feed(self, step: Step, blobs: frozenset[int]) -> Feed:
        tops = [top for top in step.tops if top.index in blobs]
        return Feed(step.layer, tuple(top.name for top in tops), tuple(self.shapes.of(top) for top in tops))

    def _why(self, layer: Layer) -> str:
        if is_origin(layer):
            return "data"
        if id(layer) in self.on_the_side:
            return "auxiliary head"
        if _is_loss(layer):
            return "loss"
        if layer.type == "Accuracy":
            return "accuracy"
        return "not needed" if id(layer) in self.in_test else "not in phase TEST"


def _with_sources(net: Net, candidates: list[Layer]) -> list[Layer]:
    """The layers, and the sources of other phases and stages that produce the blobs they lack."""
    made = build(candidates)
    lacking: dict[str, None] = {}
    for use in made.undefined:
        layer = made.steps[use.step].layer
        if use.slot == 0 or not compares(layer):
            lacking[layer.bottoms[use.slot]] = None
    chosen = set(map(id, candidates))
    origins = [layer for layer in net.layers if is_origin(layer) and id(layer) not in chosen]
    origins.sort(key=lambda layer: not layer.is_in(Phase.TRAIN))
    for name in lacking:
        if not any(name in layer.tops for layer in origins if id(layer) in chosen):
            found = next((layer for layer in origins if name in layer.tops), None)
            if found is not None:
                chosen.add(id(found))
    return [layer for layer in net.layers if id(layer) in chosen]


def _learned(made: Graph, shapes: Shapes) -> frozenset[int]:
    """Blobs above which there is a layer with weights."""
    found: set[int] = set()
    for step in made.steps:
        if _has_weights(step, shapes) or any(bottom.index in found for bottom in step.bottoms):
            found.update(top.index for top in step.tops)
    return frozenset(found)


def _has_weights(step: Step, shapes: Shapes) -> bool:
    node = step.layer.node
    return bool(step.bottoms) and (
        bool(step.layer.kind.weights)
        or bool(shapes.params_of(step))
        or node.has("param")
        or any(child.is_message and child.has("weight_filler") for child in node.children())
    )


def unique(name: str, taken: Collection[str], otherwise: str = "") -> str:
    """A name that is not taken: ``name``, ``otherwise``, or one of these with a number."""
    numbered = (f"{otherwise or name}_{number}" for number in range(2, len(taken) + 3))
    return next(found for found in (name, otherwise, *numbered) if found and found not in taken)
