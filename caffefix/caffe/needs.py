"""What a file needs from a Caffe: fields and values that its parser accepts, and names that it registers.

``dialect.judge`` determines what parsers say; this module determines whether a fork then finds a factory for each
layer, filler and solver, and a learning rate policy. What was not read from a fork is unknown: here, the fork
lacks none of it.
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.records import dataclass
from caffefix.caffe.caffes import Caffes, known_caffes
from caffefix.caffe.dialect import DialectVerdict, judge
from caffefix.caffe.net import Generation, Layer, nets
from caffefix.caffe.placeholders import is_placeholder
from caffefix.caffe.registry import ABORTS, Form, Kind
from caffefix.caffe.solver import solver_of
from caffefix.caffe.typecheck import Kind as Refused
from caffefix.syntax.scalars import is_string, string_value
from caffefix.syntax.tree import Document, Node

_FORMS = {Generation.V2: Form.STRING, Generation.V1: Form.ENUM, Generation.V0: Form.V0}
FIELD, VALUE = "field", "value"


@dataclass(frozen=True, slots=True)
class Use:
    """A name in a file that a Caffe must register.

    Attributes:
        kind: what the name stands for.
        name: as written.
        node: where it is first.
        lacking: the forks that are known not to register it.
    """

    kind: Kind
    name: str
    node: Node
    lacking: int


@dataclass(frozen=True, slots=True)
class Need:
    """Something that some forks lack.

    Attributes:
        kind: ``field`` or ``value`` for parsers; else what is registered: ``layer type`` …
        name: the field, the field with its value, or the name.
        node: where it is first.
        text: the message of a Caffe without it.
        lacking: the forks that lack it.
    """

    kind: str
    name: str
    node: Node
    text: str
    lacking: int


@dataclass(frozen=True, slots=True)
class Fit:
    """How the known forks suit a file.

    Attributes:
        verdict: what their parsers say.
        needs: everything that some of them lack, in file order, each once.
        registering: the forks that register all names in the file, as far as these were read.
        unread: the forks for which a kind of names in the file was not read.
    """

    verdict: DialectVerdict
    needs: tuple[Need, ...]
    registering: int
    unread: int

    @property
    def fitting(self) -> int:
        """The forks that accept the file and register what is in it."""
        return self.verdict.accepting & self.registering


def fit(document: Document, caffes: Caffes | None = None) -> Fit | None:
    """How the known forks suit a file; None for a file that is neither net nor solver.

    Args:
        document: the file.
        caffes: those that are consulted; by default the known ones.
    """
    caffes = caffes or known_caffes()
    everyone = caffes.schema.everyone
    verdict = judge(document, everyone, caffes)
    if verdict is None:
        return None
    found: dict[tuple[str, str], Need] = {}
    for problem in verdict.problems:
        node = problem.node
        is_field = problem.kind is Refused.UNKNOWN_FIELD
        of_field = "" if is_field or node.is_message or node.is_list else f": {node.value}"
        need = Need(FIELD if is_field else VALUE, node.name + of_field, node, problem.text, problem.forks)
        _add(found, need)
    registered, unread = everyone, 0
    for use in uses(document, caffes):
        registered &= ~use.lacking
        unread |= everyone & ~caffes.known(use.kind)
        if use.lacking:
            text = f"{ABORTS[use.kind]}: {use.name}"
            _add(found, Need(use.kind.value, use.name, use.node, text, use.lacking))
    return Fit(verdict, tuple(sorted(found.values(), key=lambda need: need.node.start)), registered, unread)


def _add(found: dict[tuple[str, str], Need], need: Need) -> None:
    before = found.get((need.kind, need.name))
    if before is not None:
        need = Need(need.kind, need.name, before.node, before.text, before.lacking | need.lacking)
    found[need.kind, need.name] = need


def uses(document: Document, caffes: Caffes) -> tuple[Use, ...]:
    """The names in a file that a Caffe must register, each once.

    Args:
        document: the file.
        caffes: those that are checked for lacking them.
    """
    found: dict[tuple[Kind, str, Form], Use] = {}
    for kind, name, form, node in _named(document):
        if (kind, name, form) in found or is_placeholder(node):
            continue
        having = caffes.registering(kind, name, form)
        if having or form is not Form.ENUM:  # an enum value that no fork has is refused by every parser
            found[kind, name, form] = Use(kind, name, node, caffes.known(kind) & ~having)
    return tuple(found.values())


def _named(document: Document) -> Iterator[tuple[Kind, str, Form, Node]]:
    for net in nets(document):
        for layer in net.layers:
            yield from _of_layer(layer)
    solver = solver_of(document)
    if solver is not None:
        for kind, field in ((Kind.SOLVER, "type"), (Kind.POLICY, "lr_policy")):
            node = solver.node.field(field)
            if node is not None and is_string(node.value):
                yield kind, string_value(node.value), Form.STRING, node


def _of_layer(layer: Layer) -> Iterator[tuple[Kind, str, Form, Node]]:
    form = _FORMS[layer.generation]
    holder = (layer.node.message("layer") if form is Form.V0 else layer.node) or layer.node
    node = holder.field("type")
    if node is not None and not node.is_message and not node.is_list:
        name = string_value(node.value) if is_string(node.value) else node.value
        if is_string(node.value) != (form is Form.ENUM) and name != "NONE" and not name.isdecimal():
            yield Kind.LAYER, name, form, node
    for message in (holder, *(child for child in layer.node.children() if child.is_message)):
        for field in message.block.places():
            if field == "filler" or field.endswith("_filler"):
                for filler in message.fields(field):
                    node = filler.field("type") if filler.is_message else None
                    if node is not None and is_string(node.value):
                        yield Kind.FILLER, string_value(node.value), Form.STRING, node
