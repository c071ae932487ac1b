"""Rules of shape inference, one function a layer type.

A rule takes a ``Site`` (the layer, its phase, the shapes of its bottoms) and returns an
``Outcome``: shapes of the tops and of the parameter blobs. What it cannot know is None, an
axis or a whole shape; it never guesses. Where Caffe would abort, whatever the unknown axes
turn out to be, it raises ``Mismatch`` with Caffe's own message.

Each rule follows the layer's ``LayerSetUp`` and ``Reshape`` in BVLC's Caffe, or in the fork
that its docstring names.
"""

from __future__ import annotations

from caffefix.caffe.shape_rules import (
    axes,
    convolutions,
    detection,
    ends,
    forks,
    joins,
    losses,
    pointwise,
    recurrent,
    resizing,
    sources,
    windows,
)
from caffefix.caffe.shape_rules.base import Mismatch, Outcome, ParamBlob, Rule, Site

RULES: dict[str, Rule] = {
    **sources.RULES,
    **pointwise.RULES,
    **windows.RULES,
    **joins.RULES,
    **axes.RULES,
    **losses.RULES,
    **recurrent.RULES,
    **forks.RULES,
    **ends.RULES,
    **convolutions.RULES,
    **detection.RULES,
    **resizing.RULES,
}

__all__ = ["RULES", "Mismatch", "Outcome", "ParamBlob", "Rule", "Site"]
