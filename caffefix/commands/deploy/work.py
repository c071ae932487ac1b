"""A deploy net from a train net: ``plan`` decides what is kept, this module writes the result.

The text is edited, not printed afresh: comments, blank lines, order and everything that is kept are the
file's own. Nets of V0 and V1 are migrated first, as ``caffefix`` migrates them. The result is
checked: it parses, each comment is still present, its graph resolves, and its shapes fit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from caffefix._startup.records import dataclass, field, replace
from caffefix.caffe.caffes import Caffes
from caffefix.caffe.fillers import Shape
from caffefix.caffe.graph import graph
from caffefix.caffe.layers.shapes.outputs import is_outputless
from caffefix.caffe.net import Generation, Layer, Net, Phase
from caffefix.caffe.refusal import Refusal
from caffefix.caffe.roles import Role, file_role
from caffefix.caffe.shapes import infer
from caffefix.caffe.transforms import Transform, is_batched, transform, twins
from caffefix.commands.deploy.plan import Feed, Head, Plan, compares, plan, unique
from caffefix.engine import proof
from caffefix.engine.proof import ProofError
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.fixers.migration.legacy_v1_layers import is_foreign
from caffefix.syntax.edits import After, Delete, Edit, EditError, Insert, New, NewField, NewMessage, Replace
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.scalars import is_string, number_text, quoted, string_value
from caffefix.syntax.source import Source, one_line
from caffefix.syntax.tree import Document, Node

_MIGRATIONS = ("legacy-v0-layers", "legacy-v1-layers", "legacy-input-fields")


@dataclass(frozen=True, slots=True)
class DeployOptions:
    """How a deploy net is made.

    Attributes:
        shapes: of inputs, by blob; the empty name stands for the only input.
        outputs: blobs to keep; empty for all that the net predicts.
        stages: besides the phase TEST.
        strip: whether fillers and learning rates are also dropped: nothing reads them in a deploy net.
        keep_auxiliary: whether heads that only help training are kept.
    """

    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    outputs: tuple[str, ...] = ()
    stages: frozenset[str] = frozenset()
    strip: bool = False
    keep_auxiliary: bool = False


@dataclass(frozen=True, slots=True)
class InputBlob:
    """An input of a deploy net.

    Attributes:
        name: of the blob.
        shape: N × C × H × W, or the shape that the source produces.
        mean: what the caller must subtract; empty for nothing.
        scale: of the Power layer after it; 1 where there is no such layer.
    """

    name: str
    shape: tuple[int, ...]
    mean: str
    scale: float


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deploy net.

    Attributes:
        data: the file.
        inputs: in file order.
        outputs: names of the blobs that nothing reads.
        dropped: names of the dropped layers, by reason.
        migrated: whether the layers had to be migrated to V2.
        notes: what the user should know.
    """

    data: bytes
    inputs: tuple[InputBlob, ...]
    outputs: tuple[str, ...]
    dropped: tuple[tuple[str, tuple[str, ...]], ...]
    migrated: bool
    notes: tuple[str, ...]


def deploy(source: Source, options: DeployOptions, caffes: Caffes | None = None) -> Deployed:
    """Make a deploy net.

    Args:
        source: the train net.
        options: what to make.
        caffes: those that the net is for, including its repository's own; None where it has none of its own.

    Raises:
        Refusal: no deploy net can be made; the message begins with file and line.
    """
    try:
        migrated = _migrated(source, options)
    except Refusal as error:
        raise error.placed(source) from None
    except PrototxtError as error:
        raise Refusal("does-not-parse", error.render(source)) from None
    except (EditError, ProofError) as error:
        raise Refusal("not-proved", str(error)).placed(source) from None
    try:
        made = _made(migrated, options)
    except Refusal as error:
        if migrated.is_changed:  # line numbers of the migrated text do not apply to the file
            error = Refusal(error.name, str(error), options=error.options)
        raise error.placed(source) from None
    except (EditError, ProofError) as error:
        raise Refusal("not-proved", str(error)).placed(source) from None
    proof.refuse_unread(source, made.data, caffes)
    return made


def _made(migrated: _Migrated, options: DeployOptions) -> Deployed:
    """The deploy net. Without its auxiliary heads it is proved to be the net with them, less whole layers."""
    work = _Deploy(migrated, options)
    made = work.result()
    if work.plan.auxiliary:
        whole = _Deploy(migrated, replace(options, keep_auxiliary=True)).text(made)
        proof.only_layers_gone(parse(whole), parse(made.data.decode("latin-1")))
    return made


@dataclass(frozen=True, slots=True)
class _Migrated:
    """A train net of V2 layers, and the names of layers that had to be dropped before the migration."""

    source: Source
    is_changed: bool = False
    cut: tuple[str, ...] = ()


def _migrated(source: Source, options: DeployOptions) -> _Migrated:
    document = parse(source.text)
    role = file_role(document)
    if role in (Role.SOLVER, Role.OTHER, Role.SNIPPET):
        raise Refusal("not-a-train-net", f"its role is {role.value!r}, not train")
    net = Net(document.root)
    if net.generations <= {Generation.V2} and not net.node.has("input"):
        return _Migrated(source)
    try:
        return _Migrated(_upgraded(source), True)
    except Refusal as refusal:
        cut = _foreign(net, options)
        if not cut:
            raise
        edits: list[Edit] = [Delete(layer.node) for layer in cut]
        text = apply(source.text, lower(document, edits, "deploy"))
        proof.keeps_comments(document, proof.parses(source.path, text), edits)
        try:
            shorter = _upgraded(Source(source.path, text.encode("latin-1")))
        except Refusal:
            raise refusal from None
        return _Migrated(shorter, True, tuple(one_line(layer.name or layer.type) for layer in cut))


def _foreign(net: Net, options: DeployOptions) -> list[Layer]:
    """Layers of V1 that only a fork reads and no prediction needs; empty if one of them shows a prediction."""
    try:
        dropped = plan(net, options.stages, options.outputs).dropped
    except Refusal:
        return []
    found = [item.layer for item in dropped if item.layer.generation is Generation.V1 and is_foreign(item.layer)]
    return [] if any(map(compares, found)) else found


def _upgraded(source: Source) -> Source:
    """The net in V2 layers, as ``caffefix`` migrates it."""
    result = repair(source, Request(Selection(select=_MIGRATIONS)))
    if result.status.failed:
        raise Refusal("not-migrated", f"its layers cannot be migrated to the current format: {result.reason}")
    new = source if result.new is None else Source(source.path, result.new)
    left = Net(parse(new.text).root)
    if not left.generations <= {Generation.V2} or left.node.has("input"):
        stay = "input fields are kept because the forks that accept the file may have no Input layer"
        said = next((f"{f.line}: {f.message}" for f in result.findings if not f.applied), stay)
        raise Refusal("not-migrated", f"its layers cannot be migrated to the current format: {said}")
    return new


class _Deploy:
    def __init__(self, migrated: _Migrated, options: DeployOptions) -> None:
        self.source = migrated.source
        self.options = options
        self.migrated = migrated
        self.document = parse(migrated.source.text)
        self.net = Net(self.document.root)
        self.plan: Plan = plan(self.net, options.stages, options.outputs, keep_auxiliary=options.keep_auxiliary)
        _refuse_outputless(self.plan)
        self.names = set(self.plan.blobs)
        self.scaled = {top: unique(f"{top}_scaled", self.names) for top in self._scales()}

    def result(self) -> Deployed:
        """The deploy net with a batch of one image, or with the file's batch size where the net needs it."""
        shapes = self._shapes(one=True)
        text = self._text(shapes)
        problem = _problem(text)
        if problem:
            as_given = self._shapes(one=False)
            if as_given != shapes and not _problem(self._text(as_given)):
                shapes, text, problem = as_given, self._text(as_given), ""
        if problem:
            raise Refusal("does-not-load", f"Caffe would refuse the result: {problem}")
        return self._told(text, shapes)

    def text(self, made: Deployed) -> str:
        """The deploy net with the shapes of another one that is made from the same file."""
        shapes = {blob.name: blob.shape for blob in made.inputs}
        return self._text({top: shapes.get(one_line(top), (1,)) for feed in self.plan.feeds for top in feed.tops})

    # ---- inputs

    def _scales(self) -> dict[str, float]:
        """The inputs' scales other than 1, by blob."""
        found = {}
        for feed in self.plan.feeds:
            if feed.tops and feed.tops[0] == feed.layer.tops[0]:
                scale = self._transform(feed).scale
                if scale != 1:
                    found[feed.tops[0]] = scale
        return found

    def _transform(self, feed: Feed) -> Transform:
        """How the image of a feed is normalised; the same in all phases."""
        own = transform(feed.layer)
        if feed.layer.kind.input and self.options.stages:
            return own  # a separate stage for deployment defines its own transform
        for layer in twins(self.net, feed.tops[0]):
            other = transform(layer)
            if other.scale != own.scale:
                message = (
                    f'layer "{layer.name}" scales {feed.tops[0]!r} by {number_text(other.scale)}, '
                    f"another phase by {number_text(own.scale)}: nothing shows which one the weights are for"
                )
                raise Refusal("scales-differ", message, other.node or layer.node)
        return own

    def _shapes(self, *, one: bool) -> dict[str, tuple[int, ...]]:
        """Shapes of the inputs: given, or inferred."""
        given = dict(self.options.shapes)
        inputs = [name for feed in self.plan.feeds for name in feed.tops]
        if "" in given:
            if len(inputs) != 1:
                names = " and ".join(f"{name}=…" for name in inputs)
                message = f"there are {len(inputs)} inputs; give --input-shape {names}"
                raise Refusal("several-inputs", message, options=self._shape_options({}))
            given[inputs[0]] = given.pop("")
        strange = next((name for name in given if name not in inputs), None)
        if strange is not None:
            message = f"--input-shape names {strange!r}, but the inputs are {', '.join(inputs)}"
            given = {name: shape for name, shape in given.items() if name in inputs}
            raise Refusal("unknown-input", message, options=self._shape_options(given))
        found = {}
        for feed in self.plan.feeds:
            for slot, (name, shape) in enumerate(zip(feed.tops, feed.shapes, strict=True)):
                if one and shape and slot == 0 and is_batched(feed.layer):
                    shape = (1, *shape[1:])
                found[name] = given.get(name) or self._known(feed, name, shape)
        return found

    def _known(self, feed: Feed, name: str, shape: Shape) -> tuple[int, ...]:
        if shape is not None and all(isinstance(dim, int) for dim in shape):
            return tuple(dim for dim in shape if dim is not None)
        inputs = sum(len(other.tops) for other in self.plan.feeds)
        known = ",".join("?" if dim is None else str(dim) for dim in shape) if shape else "not known"
        option = f"--input-shape {name + '=' if inputs > 1 else ''}N,C,H,W"
        message = (
            f'layer "{feed.layer.name}" of type {feed.layer.type} does not define the whole shape of {name!r} '
            f"({known}); give it with {option}"
        )
        raise Refusal("unknown-input-shape", message, feed.layer.node, self._shape_options(self.options.shapes))

    def _shape_options(self, given: Mapping[str, tuple[int, ...]]) -> tuple[str, ...]:
        """The options for all inputs whose shape the net does not define, as far as it does, or that are given."""
        words: list[str] = []
        tops = [(feed, slot, top) for feed in self.plan.feeds for slot, top in enumerate(feed.tops)]
        for feed, slot, top in tops:
            shape = given.get(top) or feed.shapes[slot]
            if top not in given and shape is not None and None not in shape:
                continue
            known = shape or (None,) * 4
            dims = [f"{dim or letter}" for letter, dim in zip("NCHWDEFG", known, strict=False)]
            if top not in given and slot == 0 and is_batched(feed.layer):
                dims[0] = "1"
            prefix = f"{top}=" if len(tops) > 1 else ""
            words += ["--input-shape", prefix + ",".join(dims)]
        return tuple(words)

    # ---- text

    def _text(self, shapes: Mapping[str, tuple[int, ...]]) -> str:
        edits = list(self._edits(shapes))
        text = apply(self.source.text, lower(self.document, edits, "deploy"))
        after = proof.parses(self.source.path, text)
        proof.keeps_comments(self.document, after, edits)
        return text

    def _edits(self, shapes: Mapping[str, tuple[int, ...]]) -> Iterator[Edit]:
        for feed in self.plan.feeds:
            if self._stays(feed):
                yield from _rules(feed.layer)
            else:
                yield Delete(feed.layer.node)
            made = [] if self._stays(feed) else [_input(feed, shapes)]
            made += [_power(top, self.scaled[top], self._scales()[top]) for top in feed.tops if top in self.scaled]
            if made:
                yield Insert(After(feed.layer.node), tuple(made))
        for dropped in self.plan.dropped:
            yield Delete(dropped.layer.node)
        heads = {id(head.layer): head for head in self.plan.heads}
        for layer in self.plan.kept:
            head = heads.get(id(layer))
            yield from _head(head) if head is not None else self._kept(layer)
            yield from self._renamed(layer, bottoms_only=head is not None)

    def _stays(self, feed: Feed) -> bool:
        """Whether a feed is already an Input layer, with nothing to change."""
        return (
            feed.layer.kind.input
            and list(feed.tops) == feed.layer.tops
            and not self.options.shapes
            and not self.scaled
        )

    def _kept(self, layer: Layer) -> Iterator[Edit]:
        yield from _rules(layer)
        if layer.type == "Silence":
            yield from (Delete(n) for n in layer.node.fields("bottom") if string_value(n.value) not in self.names)
        if self.options.strip:
            yield from (Delete(node) for node in _training(layer))

    def _renamed(self, layer: Layer, *, bottoms_only: bool) -> Iterator[Edit]:
        """Readers of a scaled input read the Power layer's top instead, as do in-place layers."""
        for name in ("bottom",) if bottoms_only else ("bottom", "top"):
            for slot, node in enumerate(layer.node.fields(name)):
                new = self.scaled.get(string_value(node.value))
                if new is not None and not (bottoms_only and slot):
                    yield Replace(node, _like(node, new))

    # ---- report

    def _told(self, text: str, shapes: Mapping[str, tuple[int, ...]]) -> Deployed:
        made = graph(Net(parse(text).root), Phase.TEST, self.options.stages)
        dropped: dict[str, list[str]] = {"not needed": [*self.migrated.cut]} if self.migrated.cut else {}
        for item in self.plan.dropped:
            dropped.setdefault(item.why, []).append(one_line(item.layer.name or item.layer.type))
        scales = self._scales()
        inputs = tuple(
            InputBlob(one_line(top), shapes[top], self._mean(feed, top), scales.get(top, 1.0))
            for feed in self.plan.feeds
            for top in feed.tops
        )
        outputs = tuple(dict.fromkeys(one_line(blob.name) for blob in made.ends()))
        by_reason = tuple((why, tuple(names)) for why, names in dropped.items())
        notes = tuple(map(one_line, self._notes()))
        return Deployed(
            data=text.encode("latin-1"),
            inputs=inputs,
            outputs=outputs,
            dropped=by_reason,
            migrated=self.migrated.is_changed,
            notes=notes,
        )

    def _mean(self, feed: Feed, top: str) -> str:
        """What the caller must subtract from an input: only a data layer's first top is transformed."""
        return one_line(_mean(transform(feed.layer))) if top == feed.layer.tops[0] else ""

    def _notes(self) -> Iterator[str]:
        for feed in self.plan.feeds:
            if feed.layer.type == "Python":
                yield f'data layer "{feed.layer.name}" was Python: only its code shows what it did to pixels'
        if self.plan.auxiliary:
            names = ", ".join(f'"{layer.name}"' for layer in self.plan.auxiliary)
            heads = "auxiliary head is" if len(self.plan.auxiliary) == 1 else "auxiliary heads are"
            yield (
                f"{len(self.plan.auxiliary)} {heads} dropped ({names}): another loss of the same trunk and labels "
                "has a larger loss_weight; the layers that stay are unchanged (proved); --keep-auxiliary keeps all"
            )
        if len(self.plan.heads) > 1:
            yield "there are several losses, so there are several outputs; --output keeps only those you name"
        own = [layer for layer in self.plan.kept if not layer.flag("batch_norm_param", "use_global_stats", True)]
        if own:
            yield (
                f'{len(own)} BatchNorm layers ("{own[0].name}" first) have use_global_stats: false: they '
                "normalise by the batch that the net receives, as in phase TEST, not by statistics from training"
            )
        for layer in self.plan.kept:
            if layer.type == "Python":
                yield f'layer "{layer.name}" is Python: its module is needed to run the net'
            if layer.type == "DummyData":
                yield f'layer "{layer.name}" is DummyData: it is kept, as part of the net'
        for item in self.plan.dropped:
            if item.layer.type == "MultiBoxLoss":
                yield f'"{item.layer.name}" is a MultiBoxLoss: boxes remain raw; add a DetectionOutput layer'


def _refuse_outputless(planned: Plan) -> None:
    """Refuse a template, which is not a complete net."""
    layer = next(filter(is_outputless, planned.kept), None)
    if layer is not None:
        message = f'layer "{layer.name}" does not say how many outputs it has: set its num_output'
        raise Refusal("missing-num-output", message, layer.node)


def _input(feed: Feed, shapes: Mapping[str, tuple[int, ...]]) -> NewMessage:
    """``layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 … } } }``."""
    dims = tuple(NewMessage("shape", tuple(NewField("dim", str(dim)) for dim in shapes[top])) for top in feed.tops)
    tops = tuple(NewField("top", top, string=True) for top in feed.tops)
    return _layer(feed.layer.name or feed.tops[0], "Input", (*tops, NewMessage("input_param", dims)))


def _power(bottom: str, top: str, scale: float) -> NewMessage:
    """A layer that scales as the data layer did; the mean is subtracted before, by the caller."""
    fields = (
        NewField("bottom", bottom, string=True),
        NewField("top", top, string=True),
        NewMessage("power_param", (NewField("scale", number_text(scale)),)),
    )
    return _layer(top, "Power", fields)


def _layer(name: str, kind: str, items: tuple[New, ...]) -> NewMessage:
    head = (NewField("name", name, string=True), NewField("type", kind, string=True))
    return NewMessage("layer", (*head, *items))


def _head(head: Head) -> Iterator[Edit]:
    """Replace a loss by its activation, in place."""
    node = head.layer.node
    kind, name = node.field("type"), node.field("name")
    bottoms, tops = list(node.fields("bottom")), list(node.fields("top"))
    assert kind is not None
    yield Replace(kind, _like(kind, head.type))
    if name is not None:
        yield Replace(name, _like(name, head.top))
    yield from (Delete(other) for other in bottoms[1:])
    if tops:
        yield Replace(tops[0], _like(tops[0], head.top))
        yield from (Delete(other) for other in tops[1:])
    else:
        yield Insert(After(bottoms[-1]), (NewField("top", head.top, string=True),))
    for child in node.children():
        if child.name in _OF_LOSSES:
            yield Delete(child)


_OF_LOSSES = frozenset({"loss_weight", "loss_param", "propagate_down", "include", "exclude", "phase"})


def _rules(layer: Layer) -> Iterator[Edit]:
    """Delete phase rules: a deploy net is the same in all phases."""
    return (Delete(node) for node in layer.node.children() if node.name in ("include", "exclude"))


def _training(layer: Layer) -> Iterator[Node]:
    """Learning rates without a shared name, and fillers of weights."""
    for child in layer.node.children():
        if child.name == "param" and child.is_message and not child.has("name"):
            yield child
        elif child.is_message and layer.type != "DummyData":
            yield from (inner for inner in child.children() if inner.name.endswith("filler"))


def _like(node: Node, text: str) -> str:
    """A string with the same kind of quotes as the value."""
    return quoted(text, node.value[0] if is_string(node.value) else '"')


def _mean(found: Transform) -> str:
    return ", ".join(found.means) or found.mean_file


def _problem(text: str) -> str:
    """Why Caffe would not load a net, as far as graph and shapes show; empty if they show no reason."""
    document: Document = parse(text)
    net = Net(document.root)
    made = graph(net, Phase.TEST)
    if made.undefined:
        use = made.undefined[0]
        layer = made.steps[use.step].layer
        return f"Unknown bottom blob '{layer.bottoms[use.slot]}' (layer '{layer.name}', bottom index {use.slot})"
    if made.redefined:
        use = made.redefined[0]
        return f"Top blob '{made.steps[use.step].layer.tops[use.slot]}' produced by multiple sources."
    problems = infer(made, net, Phase.TEST).problems
    return f'layer "{problems[0].layer.name}": {problems[0].message}' if problems else ""
