"""Which parameter message a layer type reads, and whether an unknown name stands for it."""

from __future__ import annotations

from functools import cache

from caffefix.caffe.layers.book import kind_of
from caffefix.caffe.layers.bvlc import is_bvlc_type
from caffefix.caffe.net import Layer
from caffefix.caffe.schema import load
from caffefix.caffe.typecheck import Problem
from caffefix.syntax.tree import Node

_ENDINGS = ("parameters", "parameter", "params", "param", "para")
_SHORTEST = 3  # letters of an abbreviation: conv, lrn
_ALIKE = 0.8  # difflib's ratio


def asked_for(problem: Problem) -> str:
    """The message that a layer's type reads and the layer lacks, if an unknown field stands for it; else empty.

    ``convolution_parameters { num_output: 3 }`` in a Convolution: the name is similar to the right one or an
    abbreviation of it, and the fields inside belong to that message.
    """
    node = problem.node
    if not node.is_message or node.parent is None or problem.message not in ("LayerParameter", "V1LayerParameter"):
        return ""
    fields = load().messages[problem.message]
    missing = (
        name for name in messages_of(Layer(node.parent).type) if name in fields and not node.parent.has(name)
    )
    return next((name for name in missing if _stands_for(node, name)), "")


@cache
def messages_of(layer_type: str) -> tuple[str, ...]:
    """The parameter messages of a layer type: its own, and those that it shares with other types."""
    kind = kind_of(layer_type)
    own = kind.params if is_bvlc_type(layer_type) else ()
    shared = (("transform_param", kind.images), ("loss_param", kind.loss))
    return tuple(dict.fromkeys((*own, *(name for name, is_asked in shared if is_asked))))


def _stands_for(node: Node, field: str) -> bool:
    """Whether a message has the same name, or an abbreviated or similar one and fields that belong there."""
    given, meant = _stem(node.name), _stem(field)
    if given == meant:
        return True
    return (_is_short_for(given, meant) or _is_like(given, meant)) and _belongs(node, field)


def _is_short_for(given: str, meant: str) -> bool:
    return len(given) >= _SHORTEST and meant.startswith(given)


def _is_like(given: str, meant: str) -> bool:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, given, meant).ratio() >= _ALIKE


def _stem(name: str) -> str:
    word = name.lower().replace("_", "")
    return next((word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending)), word)


def _belongs(node: Node, field: str) -> bool:
    """Whether every field in a message is a field of the other message in some fork."""
    messages = load().messages
    types = {variant.type for variant in messages["LayerParameter"][field] if variant.kind == "message"}
    return all(any(name in messages[kind] for kind in types) for name in node.names())
