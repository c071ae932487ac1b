"""Files that belong together: a train net and its deploy net, a solver and its nets.

What is trained in one net is loaded into the other by the names of layers (net.cpp,
CopyTrainedLayersFrom), so nets are matched by their layers. But models of one kind have the same layers, trained
on different data or in different variants: a solver and the names of the files must not contradict it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from caffefix._startup.patterns import pattern
from caffefix._startup.records import cached_property, dataclass
from caffefix.caffe.caffes import Caffes
from caffefix.caffe.dialect import judge
from caffefix.caffe.net import Generation, Layer, Net, Phase, nets
from caffefix.caffe.roles import LEARNS, Role, role
from caffefix.caffe.solver import Solver, solver_of
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.scalars import number_value, string_value
from caffefix.syntax.tree import Document

# Two nets are a pair if this share of the deploy net's layers with weights has a namesake of the
# same type in the train net, and this share also the same shape of weights.
_NAMESAKES = 0.75
_SAME_SHAPE = 0.5

# The literal comes first: it is searched for, in texts that are long and do not contain it.
_NAMES_NET = pattern(r"net(?<![^\W_]net)[\s:#]")


@dataclass(frozen=True)
class Member:
    """A file in the same folder as the one that is judged; it is parsed on demand.

    Attributes:
        name: of the file, in the folder that both are in.
        text: its content, one character per byte.
    """

    name: str
    text: str

    @cached_property
    def document(self) -> Document | None:
        """The parsed file; None if it does not parse, which is reported when the file itself is processed."""
        try:
            return parse(self.text)
        except PrototxtError:
            return None

    @cached_property
    def digest(self) -> bytes:
        """Identifies this name and content."""
        from hashlib import blake2b  # only a cache needs it

        name = self.name.encode("utf-8", "surrogateescape")
        return blake2b(name + b"\0" + self.text.encode("latin-1"), digest_size=20).digest()

    @cached_property
    def net(self) -> Net | None:
        """Its net; None if it has none that can be compared."""
        return _net(self.document) if self.document is not None else None

    @cached_property
    def role(self) -> Role:
        return role(self.document, self.net) if self.document is not None else Role.OTHER

    @cached_property
    def forks(self) -> int:
        """The known forks whose parsers accept it; none for a file that is neither net nor solver."""
        verdict = judge(self.document) if self.document is not None else None
        return verdict.accepting if verdict is not None else 0

    @cached_property
    def solver(self) -> Solver | None:
        return solver_of(self.document) if self.document is not None else None

    @cached_property
    def nets_named(self) -> tuple[str, ...]:
        """The paths of nets in a solver; files that cannot name one are not parsed for it."""
        if not _NAMES_NET.search(self.text) or self.solver is None:
            return ()
        return tuple(string_value(node.value) for node in self.solver.net_paths())

    @cached_property
    def nets_trained(self) -> frozenset[str]:
        """Those of them that the solver trains."""
        if not self.nets_named or self.solver is None:
            return frozenset()
        return frozenset(string_value(node.value) for node in self.solver.trained_paths())


@dataclass(frozen=True, slots=True)
class Family:
    """The other files in a file's folder; empty for content that is in no folder.

    Only properties that ``key`` distinguishes may be used: caches rely on it.

    Attributes:
        siblings: the files in its folder, in the order of their names.
        solvers: those of them that are solvers and name this file as a net.
        lost: names of nets, as a solver writes them, that no file has.
        name: of the file itself; empty where it has no siblings.
        caffes: those that it may be for, including the one in its repository; None if the repository has none.
        trained: names of the siblings that a sibling trains.
        tested: names of the siblings that a sibling names as a net to test with, and none as one to train.
        is_tested: whether the file itself is one of these.
    """

    siblings: tuple[Member, ...] = ()
    solvers: tuple[Member, ...] = ()
    lost: frozenset[str] = frozenset()
    trained: frozenset[str] = frozenset()
    tested: frozenset[str] = frozenset()
    is_tested: bool = False
    name: str = ""
    caffes: Caffes | None = None

    @property
    def key(self) -> Iterator[bytes]:
        """Identifies this family, in a fixed order."""
        yield from (member.digest for member in self.siblings)
        for label, names in (
            (b"solver", [member.name for member in self.solvers]),
            (b"lost", sorted(self.lost)),
            (b"trained", sorted(self.trained)),
            (b"tested", sorted(self.tested)),
        ):
            yield label
            yield from (name.encode("utf-8", "surrogateescape") for name in names)
        yield b"is tested" if self.is_tested else b""
        yield self.name.encode("utf-8", "surrogateescape")
        yield self.caffes.given.digest if self.caffes is not None and self.caffes.given is not None else b""

    @property
    def outline(self) -> Family:
        """The part that everything depends on: the role of the file, and the Caffe that it is for."""
        return Family(is_tested=self.is_tested, caffes=self.caffes)

    @property
    def loads_weights(self) -> bool:
        """Whether a solver that trains this file starts from weights."""
        return any(member.solver is not None and member.solver.loads_weights for member in self.solvers)

    def train_net(self, document: Document) -> tuple[Member, Net] | None:
        """The net in which a deploy net's weights are trained, if the folder shows it.

        Each must be the other's best match, so that several models in one folder are not confused; and solvers and
        names must allow it (``_eligible``).
        """
        deploy = _net(document) if self.siblings else None
        if deploy is None or role(document, deploy) is not Role.DEPLOY:
            return None
        beside = [(member, member.net) for member in self.siblings]
        others = [net for m, net in beside if net is not None and m.role is Role.DEPLOY]
        trains = [(m, net) for m, net in self._eligible() if not _contradict(deploy, net)]
        scored = [(likeness(deploy, net), member, net) for member, net in trains]
        best, member, train = max(scored, key=lambda entry: entry[0].share, default=(None, None, None))
        if best is None or member is None or train is None or not best.is_pair:
            return None
        rivals = (likeness(other, train).share for other in others)
        return (member, train) if all(best.share >= rival for rival in rivals) else None

    def _eligible(self) -> list[tuple[Member, Net]]:
        """Train nets that the file may belong to: those of its stem, or the only one for a file that is named only
        by its role. Where solvers train some of these, the others are excluded.
        """
        nets = [(m, m.net) for m in self.siblings if m.name not in self.tested and m.role in LEARNS]
        found = [(member, net) for member, net in nets if net is not None]
        own = stem_words(self.name)
        alike = [(member, net) for member, net in found if stem_words(member.name) == own]
        chosen = alike or ([] if own else found)
        trained = [(member, net) for member, net in chosen if member.name in self.trained]
        chosen = trained or chosen
        return chosen if alike or len(chosen) == 1 else []


_WORDS = pattern(r"[a-z]+|[0-9]+")
# Words in file names that indicate only the role.
_OF_ROLES = frozenset(
    """
    train training trainval val valid validation test testing deploy deployed deployment deploying inference infer
    predict prototxt net network model solver def file caffe with and
    """.split()
)
# Data sets: nets that are named after different ones do not share their weights.
_DATA = frozenset(
    """
    mnist cifar svhn imagenet ilsvrc voc pascal coco mscoco kitti cityscapes camvid ade places wider fddb casia lfw
    celeba caltech ucf hmdb nyud siftflow sintel flickr lsp mpii
    """.split()
)


def stem_words(name: str) -> frozenset[str]:
    """The words of a file's name that identify its model, data set or variant."""
    return frozenset(_WORDS.findall(os.path.splitext(name.lower())[0])) - _OF_ROLES


def _contradict(one: Net, other: Net) -> bool:
    """Whether two nets are named after different data sets."""
    mine, theirs = (
        _DATA.intersection(_WORDS.findall((net.node.string("name") or "").lower())) for net in (one, other)
    )
    return bool(mine and theirs and mine != theirs)


def _net(document: Document) -> Net | None:
    """A file's net; None for a solver, and for nets that cannot be compared (V0, stages)."""
    net = next(nets(document), None)
    if net is None or net.node.parent is not None or Generation.V0 in net.generations or net.stages:
        return None
    return net


def test_view(net: Net) -> list[Layer]:
    """The layers that a net has when it is tested: those that a deploy net corresponds to."""
    return net.view(Phase.TEST)


def weighted(layers: Iterable[Layer]) -> dict[str, Layer]:
    """Layers with weights, by name; of namesakes the first, which is the one that Caffe loads."""
    found: dict[str, Layer] = {}
    for layer in layers:
        if layer.kind.weights:
            found.setdefault(layer.name, layer)
    return found


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a deploy net and a train net have in common, in layers with weights.

    Attributes:
        mine: layers of the deploy net.
        everything: layers of either, namesakes once.
        namesakes: layers of the same name and type.
        same: those of them whose weights have the same shape.
    """

    mine: int
    everything: int
    namesakes: int
    same: int

    @property
    def is_pair(self) -> bool:
        """Whether the deploy net is made for weights of the train net, even if it has mistakes."""
        alike = self.namesakes >= _NAMESAKES * self.mine and self.same >= _SAME_SHAPE * self.mine
        return self.mine > 1 and alike

    @property
    def share(self) -> float:
        return self.same / self.everything if self.everything else 0.0


def likeness(deploy: Net, train: Net) -> Likeness:
    """What two nets have in common."""
    mine, theirs = weighted(test_view(deploy)), weighted(test_view(train))
    pairs = [(layer, theirs[name]) for name, layer in mine.items() if name in theirs]
    namesakes = [(here, there) for here, there in pairs if here.type == there.type]
    same = sum(shape(here) == shape(there) for here, there in namesakes)
    return Likeness(len(mine), len(mine.keys() | theirs.keys()), len(namesakes), same)


# ---------------------------------------------------------------- what layers compute


def shape(layer: Layer) -> dict[str, object]:
    """What determines how many weights a layer has, by the name of the field."""
    message = layer.kind.weights
    out: dict[str, object] = {
        "num_output": layer.number(message, "num_output", 0),
        "bias_term": layer.flag(message, "bias_term", True),
    }
    if layer.kind.convolution:
        out["kernel_size"] = _sides(layer, message, "kernel_size", "kernel", 0)
        out["group"] = layer.number(message, "group", 1)
    return out


def geometry(layer: Layer) -> dict[str, object]:
    """What else determines what a layer computes from its input, by the name of the field."""
    if layer.kind.convolution:
        out = {name: _sides(layer, "convolution_param", name, name, default) for name, default in _STEPS.items()}
        return {**out, "dilation": _sides(layer, "convolution_param", "dilation", "", 1)}
    if layer.type == "Pooling":
        return _pooling(layer)
    if layer.type == "LRN":
        numbers = {name: layer.number("lrn_param", name, default) for name, default in _LRN.items()}
        return {**numbers, "norm_region": layer.word("lrn_param", "norm_region", "ACROSS_CHANNELS")}
    return {}


_STEPS = {"stride": 1, "pad": 0}
_LRN = {"local_size": 5, "alpha": 1.0, "beta": 0.75, "k": 1.0}


def _pooling(layer: Layer) -> dict[str, object]:
    out: dict[str, object] = {"pool": layer.word("pooling_param", "pool", "MAX")}
    if layer.flag("pooling_param", "global_pooling", False):
        return {**out, "global_pooling": True}
    out["kernel_size"] = _sides(layer, "pooling_param", "kernel_size", "kernel", 0)
    return {**out, **{name: _sides(layer, "pooling_param", name, name, value) for name, value in _STEPS.items()}}


def _sides(layer: Layer, message: str, name: str, prefix: str, default: float) -> tuple[float, ...]:
    """A size for height and width, whether it is given once, twice, or by ``_h`` and ``_w``."""
    node = layer.node.message(message)
    count = len(node.scalars(name)) if node is not None else 0
    if node is not None and count > 1:
        return tuple(number_value(value) or 0 for value in node.scalars(name))
    both = layer.number(message, name, default)
    if not prefix:
        return both, both
    return layer.number(message, f"{prefix}_h", both), layer.number(message, f"{prefix}_w", both)


# ---------------------------------------------------------------- what is between layers


def between(view: list[Layer]) -> Iterator[tuple[Layer, Layer, tuple[Layer, ...]]]:
    """Chains from one layer with weights to the next: both, and what is between them.

    Only chains without branches, of layers whose computation is known.
    """
    source: dict[str, tuple[Layer, tuple[Layer, ...]] | None] = {}
    for layer in view:
        origin = source.get(layer.bottoms[0]) if len(layer.bottoms) == 1 else None
        if layer.kind.weights:
            if origin is not None:
                yield origin[0], layer, origin[1]
            now: tuple[Layer, tuple[Layer, ...]] | None = (layer, ())
        elif origin is not None and layer.kind.transparent:
            now = origin
        elif origin is not None and (layer.kind.activation or layer.kind.between):
            now = origin[0], (*origin[1], layer)
        else:
            now = None
        for top in layer.tops:
            source[top] = now
