"""Mean-field rules, one a layer type: what a layer makes of the size of its bottoms.

A rule takes a ``Place`` and the signals of the bottoms, and returns the signal of each top; it
raises ``Stop`` where the answer depends on what is not in the net. Weights are independent of what
they meet, because they are as their fillers left them (Glorot and Bengio 2010; He et al. 2015;
Poole et al. 2016). How much to doubt each step is in the rules: a layer with few channels is far
from its average, a maximum depends on how smooth the map is.
"""

from __future__ import annotations

from caffefix.caffe.layers.moments.base import Place, Rule, Stop

__all__ = ["Place", "Rule", "Stop"]
