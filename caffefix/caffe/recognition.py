"""Whether a text belongs to Caffe: protobuf's text format serves other programs, with the same words.

Triton's ``config.pbtxt`` has ``input [ { … } ]``, deepnet's nets have ``layer { … }``, and ``gamma`` or
``max_iter`` are in many configurations. So one field name proves nothing. Proof is a combination that only Caffe's
messages have: a layer with the names of blobs, with a message of parameters, or of a known type; inputs by name;
settings of a solver that are not outnumbered by fields that no solver has.
"""

from __future__ import annotations

from collections.abc import Iterable

from caffefix.caffe.layers.book import V1_TYPES
from caffefix.caffe.layers.bvlc import is_bvlc_type
from caffefix.caffe.schema import load
from caffefix.syntax.scalars import is_string
from caffefix.syntax.tree import Document, Node

LAYERS = ("layer", "layers")
# Fields that only a solver has; the other settings (gamma, power, momentum) are common words.
SOLVER_FIELDS = frozenset(
    """
    net train_net test_net net_param train_net_param base_lr lr_policy max_iter test_iter test_interval
    solver_mode solver_type snapshot snapshot_prefix momentum weight_decay stepsize gamma
    """.split()
)
INLINE_NETS = ("net_param", "train_net_param", "test_net_param")
# Parts of a layer that people paste into questions and answers.
FILLERS = ("weight_filler", "bias_filler", "filler")
_RULES = ("include", "exclude")
_LAYER_MESSAGES = ("LayerParameter", "V1LayerParameter")


def is_caffe(document: Document) -> bool:
    """Whether something in a file shows that it is a net, a part of one, or a solver, of some fork of Caffe."""
    found: bool | None = document.memory.get("is_caffe")
    if found is None:
        root = document.root
        found = document.memory["is_caffe"] = _has_net(root) or _is_solver(root) or _is_part(root)
    return found


def _has_net(node: Node) -> bool:
    return _has_layer(node) or _has_inputs(node)


def _has_layer(node: Node) -> bool:
    return any(_is_layer(layer) for name in LAYERS for layer in node.fields(name))


def _has_inputs(node: Node) -> bool:
    """Whether blobs come in by name (``input: "data"``), among fields of a net and no others."""
    if not any(map(is_string, node.scalars("input"))):
        return False
    return node.has("input_dim") or node.has("input_shape") or _known(node.names(), ("NetParameter",))


def _is_layer(layer: Node) -> bool:
    """Whether a message is a layer of Caffe: by the type, by blobs, by parts, or because it has nothing else."""
    if not layer.is_message:
        return False
    if any(is_string(blob) for name in ("bottom", "top") for blob in layer.scalars(name)):
        return True
    kind = layer.string("type") or layer.scalar("type") or ""
    return is_bvlc_type(kind) or kind in V1_TYPES or _is_part(layer) or _is_plain(layer)


def _is_plain(layer: Node) -> bool:
    """Whether a layer has only what Caffe's layers have: a name and a type, or V0's layer inside."""
    inner = layer.message("layer")
    return _known(layer.names(), _LAYER_MESSAGES) or (inner is not None and inner.has("type"))


def _is_part(node: Node) -> bool:
    """Whether a message holds a part of a layer: its parameters, a filler, a rate, a rule of phases."""
    return any(_tells(part) for part in node.children() if part.is_message)


def _tells(part: Node) -> bool:
    name = part.name
    if name in FILLERS:
        return _overlaps(part, "FillerParameter")
    if name == "param":  # other families have a param with a name
        return bool(part.names() & {"lr_mult", "decay_mult", "share_mode"}) or part.names() == {"name"}
    if name in _RULES:
        return _overlaps(part, "NetStateRule")
    if not name.endswith("_param"):
        return False
    return _known((name,), _LAYER_MESSAGES) or any(part.has(filler) for filler in FILLERS)


def _is_solver(root: Node) -> bool:
    """Whether a file sets a solver's fields, and not mostly fields that no fork's solver has."""
    if any(_has_net(net) for name in INLINE_NETS for net in root.fields(name) if net.is_message):
        return True
    names = root.names()
    if not any(_is_setting(root, name) for name in names & SOLVER_FIELDS):
        return False
    fields = load().messages["SolverParameter"]
    known = sum(name in fields for name in names)
    return 2 * known > len(names)


def _is_setting(root: Node, name: str) -> bool:
    """Whether a field has the form it has in a solver: a value, except for nets inside."""
    return any(field.is_message == (name in INLINE_NETS) for field in root.fields(name))


def _known(names: Iterable[str], messages: Iterable[str]) -> bool:
    """Whether some fork has a field of each name in one of the messages."""
    tables = [load().messages[message] for message in messages]
    return all(any(name in table for table in tables) for name in names)


def _overlaps(part: Node, message: str) -> bool:
    return not part.names() or any(_known((name,), (message,)) for name in part.names())
