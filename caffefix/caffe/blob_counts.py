"""How many parameter blobs a layer of BVLC's Caffe has, and so how many ``param`` blocks it takes (net.cpp)."""

from __future__ import annotations

from caffefix.caffe.layer_types import BVLC_TYPES
from caffefix.caffe.net import Layer
from caffefix.caffe.shape_rules import RULES, Mismatch, Site

# Types whose count no net tells, and why.
UNTOLD = {"Python": "its class decides"}

_BOTTOMS = 5  # with more, nothing changes any more: LSTM's static input is the last that adds a blob


def blob_count(layer: Layer) -> int | None:
    """The number of a layer's parameter blobs; None if that cannot be told, or Caffe aborts before it counts."""
    if layer.type not in BVLC_TYPES or layer.type in UNTOLD:
        return None
    # A layer without bottoms is a piece, to be put somewhere: it must not matter where.
    tried = range(_BOTTOMS) if not layer.bottoms else (len(layer.bottoms),)
    counts = {_count(layer, bottoms) for bottoms in tried}
    return counts.pop() if len(counts) == 1 else None


def _count(layer: Layer, bottoms: int) -> int | None:
    try:
        params = RULES[layer.type](Site(layer, (None,) * bottoms)).params
    except Mismatch:
        return None
    if params is None or any(0 in (blob.shape or ()) for blob in params):
        return None  # a fork's blobs, or no output: Caffe aborts on that
    return len(params)
