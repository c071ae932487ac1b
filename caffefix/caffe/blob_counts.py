"""How many parameter blobs a layer of BVLC's Caffe has, and so how many ``param`` blocks it accepts (net.cpp)."""

from __future__ import annotations

from caffefix.caffe.layers.bvlc import is_bvlc_type
from caffefix.caffe.layers.rules import shape_rule
from caffefix.caffe.layers.shapes import Mismatch, Rule, Site
from caffefix.caffe.net import Layer

_BOTTOMS = 5  # more change nothing: LSTM's static input is the last that adds a blob


def blob_count(layer: Layer) -> int | None:
    """The number of a layer's parameter blobs; None if it is unknown, or Caffe aborts before it counts."""
    rule = shape_rule(layer.kind) if is_bvlc_type(layer.type) else None
    if rule is None:
        return None  # a fork's; or Python, whose class decides
    # A layer without bottoms is a piece to be inserted somewhere: the place must not matter.
    tried = range(_BOTTOMS) if not layer.bottoms else (len(layer.bottoms),)
    counts = {_count(rule, layer, bottoms) for bottoms in tried}
    return counts.pop() if len(counts) == 1 else None


def _count(rule: Rule, layer: Layer, bottoms: int) -> int | None:
    try:
        params = rule(Site(layer, (None,) * bottoms)).params
    except Mismatch:
        return None
    if params is None or any(0 in (blob.shape or ()) for blob in params):
        return None  # a fork's blobs, or no output: Caffe aborts on that
    return len(params)
