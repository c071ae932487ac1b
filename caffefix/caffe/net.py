"""Views of nets: layers alike for every generation of the format.

V2 is ``layer { type: "Convolution" param { lr_mult: 1 } }``, V1 ``layers { type: CONVOLUTION
blobs_lr: 1 }``, V0 ``layers { layer { type: "conv" } }``. A view reads; it changes nothing.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Hashable, Iterator
from functools import lru_cache

from caffefix._startup.records import cached_property, dataclass
from caffefix.caffe.layers.book import V1_NUMBERS, V1_TYPES, kind_of
from caffefix.caffe.layers.kind import LayerType
from caffefix.caffe.recognition import INLINE_NETS, is_caffe
from caffefix.syntax.scalars import integer_value, is_string, number_value, string_value
from caffefix.syntax.shape_key import field_names, remembered, shape_key
from caffefix.syntax.tree import Document, Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeVar

    T = TypeVar("T")


class Generation(enum.Enum):
    """Generations of the layer format (upgrade_proto.cpp)."""

    V0 = "V0"
    V1 = "V1"
    V2 = "V2"


class Phase(enum.Enum):
    """``caffe.Phase``."""

    TRAIN = "TRAIN"
    TEST = "TEST"


@dataclass(frozen=True, slots=True)
class Param:
    """How one blob of a layer is learned: a ``param { … }``, or the i-th ``blobs_lr``.

    Attributes:
        lr_mult: factor on the learning rate; 1 by default (ParamSpec).
        given: whether the file gives it.
        shared_name: name under which layers share the blob, or empty.
    """

    lr_mult: float = 1.0
    given: bool = False
    shared_name: str = ""


@dataclass(frozen=True, slots=True)
class Filler:
    """What a blob is filled with before training; type ``constant`` and value 0 by default.

    Attributes:
        node: the filler message, or None where the file gives none.
    """

    type: str = "constant"
    value: float = 0.0
    node: Node | None = None

    @property
    def is_zero(self) -> bool:
        return self.type == "constant" and self.value == 0


@dataclass(frozen=True, slots=True)
class Rule:
    """A ``NetStateRule``: all of its conditions must hold (net.cpp, StateMeetsRule).

    A phase that Caffe does not have is kept as a word: a fork's (MyCaffe's RUN), in which nothing here is judged.
    """

    phase: Phase | str | None
    min_level: int | None
    max_level: int | None
    stages: frozenset[str]
    not_stages: frozenset[str]

    def holds(self, phase: Phase, stages: frozenset[str], level: int = 0) -> bool:
        return (
            self.phase in (None, phase)
            and (self.min_level is None or level >= self.min_level)
            and (self.max_level is None or level <= self.max_level)
            and self.stages <= stages
            and not self.not_stages & stages
        )


class Layer:
    """One layer of a net.

    Attributes:
        node: the ``layer`` or ``layers`` message.
        generation: of this layer; a net may mix them.
        has_rules: whether it says when it runs (``include``, ``exclude``).
    """

    def __init__(self, node: Node) -> None:
        self.node = node
        if node.name == "layer":
            self.generation = Generation.V2
        else:
            self.generation = Generation.V0 if node.message("layer") is not None else Generation.V1
        places = node.block.places()
        self.has_rules = "include" in places or "exclude" in places

    def __repr__(self) -> str:
        return f"<Layer {self.name} {self.type}>"

    @cached_property
    def name(self) -> str:
        return self.node.string("name") or ""

    @cached_property
    def raw_type(self) -> str:
        """The type as the file writes it."""
        return self.node.scalar("type") or ""

    @cached_property
    def type(self) -> str:
        """V2's name of the type; a V1 name that V1 does not know stays unchanged."""
        return _type(self.raw_type, self.generation is Generation.V1)

    @cached_property
    def kind(self) -> LayerType:
        """The layer book's record of its type."""
        return kind_of(self.type)

    @cached_property
    def bottoms(self) -> list[str]:
        return self.node.strings("bottom")

    @cached_property
    def tops(self) -> list[str]:
        return self.node.strings("top")

    @cached_property
    def scores(self) -> bool:
        """Whether a top is a loss: by the type, or by a loss_weight that is not zero."""
        if not self.node.has("loss_weight"):
            return self.kind.loss
        weights = self.node.scalars("loss_weight")
        return any(number_value(w) != 0 for w in weights) if weights else self.kind.loss

    @cached_property
    def includes(self) -> list[Rule]:
        return [_rule(node) for node in self.node.fields("include")]

    @cached_property
    def excludes(self) -> list[Rule]:
        return [_rule(node) for node in self.node.fields("exclude")]

    @cached_property
    def stages(self) -> frozenset[str]:
        """Stages that its rules mention."""
        if not self.has_rules:
            return frozenset()
        return frozenset().union(*(r.stages | r.not_stages for r in (*self.includes, *self.excludes)))

    def is_in(self, phase: Phase, stages: frozenset[str] = frozenset()) -> bool:
        """Whether the layer is part of the net in that phase (net.cpp, FilterNet)."""
        if not self.has_rules:
            return True
        if self.includes:
            return any(rule.holds(phase, stages) for rule in self.includes)
        return not any(rule.holds(phase, stages) for rule in self.excludes)

    @cached_property
    def params(self) -> tuple[Param, ...]:
        """What the file says about each blob, in order; further blobs have ``Param()``."""
        if not (self.node.has("param") or self.node.has("blobs_lr")):
            return ()
        if any(map(is_string, self.node.scalars("param"))):  # names of shared blobs, as V1 gives them
            return tuple(_params(self.node))
        return _params_of(shape_key(self.node.block), self.node)

    def param(self, index: int) -> Param:
        return self.params[index] if index < len(self.params) else Param()

    def filler(self, message: str, name: str) -> Filler:
        """The filler of that name in one of the layer's messages."""
        node = self.node.message(message, name)
        if node is None:
            return Filler()
        return Filler(node.string("type") or "constant", _number(node.scalar("value"), 0.0), node)

    @property
    def is_bvlc_batch_norm(self) -> bool:
        """Whether it is a BatchNorm without any field that BVLC's does not have: gamma is a fork's."""
        if self.type != "BatchNorm":
            return False
        node = self.node.message("batch_norm_param")
        return node is None or node.names() <= _BVLC_BATCH_NORM

    def number(self, message: str, name: str, default: float) -> float:
        """A number in one of the layer's messages."""
        node = self.node.message(message)
        return _number(node.scalar(name) if node else None, default)

    def word(self, message: str, name: str, default: str) -> str:
        """A string or identifier in one of the layer's messages."""
        node = self.node.message(message)
        return (node.string(name) if node else None) or default

    def flag(self, message: str, name: str, default: bool) -> bool:
        """A bool in one of the layer's messages."""
        node = self.node.message(message)
        value = node.scalar(name) if node else None
        return default if value is None else truth(value)


_BVLC_BATCH_NORM = frozenset(("use_global_stats", "moving_average_fraction", "eps"))


def truth(value: str) -> bool:
    """What protobuf reads a bool as: ``true``, ``True``, ``t`` and 1 are true."""
    return value in ("true", "True", "t") or number_value(value) == 1


def alike(judge: Callable[..., T]) -> Callable[..., T]:
    """Decorates a function of a layer: layers of one type that differ only in their own strings are judged once.

    It may use no string of the layer itself except the type, and may return nothing that belongs to the file
    (``remembered``).
    """
    work = remembered(judge)

    def judged(layer: Layer, *given: Hashable) -> T:
        return work((layer.type, shape_key(layer.node.block), *given), layer, *given)

    return judged


class Net:
    """A net: the whole document, or a message that holds one (``net_param``)."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.views: tuple[Any, ...] | None = None  # what phases see of it; _views.views remembers here
        self._seen: dict[tuple[Phase, frozenset[str]], list[Layer]] = {}  # view() remembers here

    @cached_property
    def layers(self) -> list[Layer]:
        """Layers of every generation in file order."""
        return [
            Layer(node)
            for child in self.node.children()
            if child.name in ("layer", "layers")
            for node in ([child] if child.is_message else child.children())
            if node.is_message
        ]

    @cached_property
    def inputs(self) -> list[str]:
        """Blobs that come from outside through ``input:`` fields.

        Without any shape, Caffe drops the fields (UpgradeNetInput): a blob that a layer produces then comes from
        that layer. A blob that no layer produces is listed all the same, because it is reported at the fields.
        """
        names = self.node.strings("input")
        if not names or self.node.has("input_shape") or self.node.has("input_dim"):
            return names
        return [name for name in names if name not in self._made]

    @cached_property
    def _made(self) -> frozenset[str]:
        return frozenset(top for layer in self.layers for top in layer.tops)

    @cached_property
    def generations(self) -> frozenset[Generation]:
        return frozenset(layer.generation for layer in self.layers)

    @cached_property
    def stages(self) -> frozenset[str]:
        return frozenset().union(*(layer.stages for layer in self.layers))

    @cached_property
    def field_names(self) -> frozenset[str]:
        """Names of all fields in its layers."""
        return frozenset[str]().union(*{field_names(layer.node.block) for layer in self.layers})

    def view(self, phase: Phase, stages: frozenset[str] = frozenset()) -> list[Layer]:
        """The layers that a phase sees."""
        key = (phase, stages)
        if key not in self._seen:
            self._seen[key] = [layer for layer in self.layers if layer.is_in(phase, stages)]
        return self._seen[key]


def nets(document: Document) -> Iterator[Net]:
    """The nets of a file, always the same ones: itself, and those that a solver holds inline."""
    found: tuple[Net, ...] | None = document.memory.get("nets")
    if found is None:
        found = document.memory["nets"] = tuple(_nets(document)) if is_caffe(document) else ()
    return iter(found)


def _nets(document: Document) -> Iterator[Net]:
    root = document.root
    if root.has("layer") or root.has("layers") or root.has("input"):
        yield Net(root)
    for name in INLINE_NETS:
        for node in root.fields(name):
            if node.is_message:
                yield Net(node)


def _rule(node: Node) -> Rule:
    phase = node.scalar("phase")
    phases = {"TRAIN": Phase.TRAIN, "0": Phase.TRAIN, "TEST": Phase.TEST, "1": Phase.TEST}
    low, high = node.scalar("min_level"), node.scalar("max_level")
    return Rule(
        phases.get(phase, phase) if phase is not None else None,
        None if low is None else integer_value(low),
        None if high is None else integer_value(high),
        frozenset(node.strings("stage")),
        frozenset(node.strings("not_stage")),
    )


def _params(layer: Node) -> Iterator[Param]:
    count = 0
    for spec in layer.fields("param"):
        if spec.is_message:
            count += 1
            rate = spec.scalar("lr_mult")
            yield Param(_number(rate, 1.0), rate is not None, spec.string("name") or "")
    rates = layer.scalars("blobs_lr")
    names = [string_value(v) for v in layer.scalars("param") if is_string(v)]
    for index in range(count, max(len(rates), len(names))):
        yield Param(
            _number(rates[index], 1.0) if index < len(rates) else 1.0,
            index < len(rates),
            names[index] if index < len(names) else "",
        )


@lru_cache(1 << 10)
def _type(raw: str, old: bool) -> str:
    """V2's name of a type as written, in the current format or in V1."""
    if is_string(raw):
        text = string_value(raw)
        return V1_TYPES.get(text, text) if old else text  # layers { type: "CONVOLUTION" } is half-migrated
    number = integer_value(raw)
    return V1_TYPES.get(raw, raw) if number is None else V1_NUMBERS.get(number, raw)


@remembered
def _params_of(layer: Node) -> tuple[Param, ...]:
    return tuple(_params(layer))


def _number(value: str | None, default: float) -> float:
    number = None if value is None else number_value(value)
    return default if number is None else number
