"""Mean-field rules, one per layer type: how a layer changes the size of its bottoms.

A rule takes a ``Place`` and the signals of the bottoms, and returns the signal of each top; it
raises ``Stop`` where the answer depends on what is not in the net. Weights are independent of their inputs,
because they are as their fillers left them (Glorot and Bengio 2010; He et al. 2015; Poole et al. 2016). The rules
also give the uncertainty of each step: a layer with few channels is far from its average, a maximum depends on how
smooth the map is.
"""

from __future__ import annotations

from caffefix.caffe.layers.moments.base import Place, Rule, Stop

__all__ = ["Place", "Rule", "Stop"]
