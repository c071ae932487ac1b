"""What a file is for, determined from its content, never from its name."""

from __future__ import annotations

import enum
import re

from caffefix._startup.patterns import pattern
from caffefix.caffe.net import Layer, Net, Phase, nets
from caffefix.caffe.recognition import SOLVER_FIELDS, is_caffe
from caffefix.syntax.green import Field, blocks
from caffefix.syntax.scalars import is_string, string_value
from caffefix.syntax.tree import Document


class Role(enum.Enum):
    """What a file is for."""

    TRAIN = "train"  # data and a loss
    TRAIN_VAL = "train_val"  # the same, with layers for TEST of its own
    TEST = "test"  # data, and no loss, or nothing that is for training
    DEPLOY = "deploy"  # inputs from outside, no loss
    SNIPPET = "snippet"  # layers or parts of a layer, to be pasted into a net
    SOLVER = "solver"
    OTHER = "other"  # text format, but neither net nor solver: a label map


NETS = frozenset({Role.TRAIN, Role.TRAIN_VAL, Role.TEST, Role.DEPLOY, Role.SNIPPET})
LEARNS = frozenset({Role.TRAIN, Role.TRAIN_VAL})
LEARNING = (Role.TRAIN.value, Role.TRAIN_VAL.value)  # as fixers declare it
SNIPPET = Role.SNIPPET.value

_VALIDATION = pattern(r"(^|[^a-z])(val|valid|validation|test)([^a-z]|$)", re.IGNORECASE)
# Parts of a layer that people paste into questions and answers.
_PARTS = frozenset(["param", "weight_filler", "bias_filler", "filler", "include", "exclude", "transform_param"])


def is_source(layer: Layer) -> bool:
    """Whether a layer produces blobs without bottoms: data of any kind."""
    return not layer.bottoms and bool(layer.tops) and not layer.kind.input


def is_origin(layer: Layer) -> bool:
    """Whether a layer's blobs come from outside the net: data, or an Input layer."""
    return is_source(layer) or (layer.kind.input and bool(layer.tops))


def scores(layer: Layer) -> bool:
    """Whether a layer's top is a loss: by its type, or by a loss_weight that is not zero."""
    return layer.scores


def loss_stages(net: Net, phase: Phase) -> frozenset[str]:
    """The stages in which a phase of a net learns: none, or the first single one with a loss."""
    if any(scores(layer) for layer in net.view(phase)):
        return frozenset()
    for stage in sorted(net.stages):
        if any(scores(layer) for layer in net.view(phase, frozenset({stage}))):
            return frozenset({stage})
    return frozenset()


def role(document: Document, net: Net | None) -> Role:
    """The role of a file.

    Args:
        document: the file.
        net: its net, or None if it has none.
    """
    if not is_caffe(document):
        return Role.OTHER
    names = document.root.names()
    if net is None or not net.layers:
        if names & SOLVER_FIELDS:
            return Role.SOLVER
        if net is not None and net.inputs:
            return Role.DEPLOY
        is_part = any(n in _PARTS or n.endswith("_param") for n in names)
        return Role.SNIPPET if is_part else Role.OTHER
    if net.node.parent is None and len(names & SOLVER_FIELDS) > 1:
        return Role.SOLVER
    layers = net.layers
    if any(scores(layer) for layer in layers) and not (_has_nothing_of_training(net) or _is_fed_in_test_only(net)):
        phased = any(r.phase for layer in layers for r in (*layer.includes, *layer.excludes))
        return Role.TRAIN_VAL if phased and _differs(net) else Role.TRAIN
    if net.inputs or any(layer.kind.input for layer in layers):
        return Role.DEPLOY
    if any(is_source(layer) for layer in layers):
        return Role.TEST
    return Role.SNIPPET


def carry_role(before: Document, after: Document) -> None:
    """Keep the role of an edited file: an edit may remove the last sign of it."""
    after.memory.setdefault("is_caffe", is_caffe(before))
    after.memory.setdefault("role", file_role(before))


def file_role(document: Document) -> Role:
    """The role of a file as a whole: one that holds a net in ``net_param`` is a solver."""
    found: Role | None = document.memory.get("role")
    if found is None:
        own = (net for net in nets(document) if net.node.parent is None)
        found = document.memory["role"] = role(document, next(own, None))
    return found


def _has_nothing_of_training(net: Net) -> bool:
    """Whether a net with a loss has no filler, and data that are called validation or test."""
    if "source" not in net.field_names or any(name.endswith("_filler") for name in net.field_names):
        return False
    items = (item for layer in net.layers for block in blocks(layer.node.block) for item in block.items)
    values = (item.value for item in items if isinstance(item, Field) and item.name == "source")
    sources = [string_value(value) for value in values if is_string(value)]
    return bool(sources) and all(map(_VALIDATION.search, sources))


def _is_fed_in_test_only(net: Net) -> bool:
    """Whether all data is for TEST: a net for measuring trained weights, which cannot be trained itself."""
    origins = [layer for layer in net.layers if is_origin(layer)]
    trained = any(layer.is_in(Phase.TRAIN, layer.stages) for layer in origins)
    return bool(origins) and not net.inputs and not trained


def _differs(net: Net) -> bool:
    return any(layer.is_in(Phase.TEST) and not layer.is_in(Phase.TRAIN) for layer in net.layers)
