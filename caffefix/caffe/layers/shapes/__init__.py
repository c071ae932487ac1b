"""Rules of shape inference, one function per layer type.

A rule takes a ``Site`` (the layer, its phase, the shapes of its bottoms) and returns an
``Outcome``: shapes of the tops and of the parameter blobs. An unknown axis or shape is None; a rule never guesses.
Where Caffe would abort, whatever the unknown axes turn out to be, it raises ``Mismatch`` with Caffe's own message.

Each rule follows the layer's ``LayerSetUp`` and ``Reshape`` in BVLC's Caffe, or in the fork
that its docstring names. The book's records name them.
"""

from __future__ import annotations

from caffefix.caffe.layers.shapes.base import Mismatch, Outcome, ParamBlob, Rule, Site

__all__ = ["Mismatch", "Outcome", "ParamBlob", "Rule", "Site"]
