"""Mean-field rules, one a layer type: what a layer makes of the size of its bottoms.

A rule takes a ``Place`` and the signals of the bottoms, and returns the signal of each top; it
raises ``Stop`` where the answer depends on what is not in the net. Weights are independent of what
they meet, because they are as their fillers left them (Glorot and Bengio 2010; He et al. 2015;
Poole et al. 2016). How much to doubt each step is in the rules: a layer with few channels is far
from its average, a maximum depends on how smooth the map is.
"""

from __future__ import annotations

from math import tanh

from caffefix.evidence.signal_rules import activations, forks, joins, losses, norms, pooling, weights
from caffefix.evidence.signal_rules.base import Place, Rule, Stop

_SAME = "Split Slice Flatten Reshape Permute Tile Crop ShuffleChannel BatchReindex".split()

RULES: dict[str, Rule] = {
    "Convolution": weights.convolution,
    "Deconvolution": weights.convolution,
    "DepthwiseConvolution": weights.convolution,
    "ConvolutionDepthwise": weights.convolution,
    "InnerProduct": weights.inner_product,
    "Embed": weights.embed,
    "BatchNorm": norms.batch_norm,
    "Scale": norms.scale,
    "Bias": norms.bias,
    "MVN": norms.mvn,
    "Normalize": norms.normalize,
    "LRN": norms.lrn,
    "ReLU": activations.relu,
    "PReLU": activations.prelu,
    "ReLU6": activations.pointwise(lambda x: min(max(x, 0.0), 6.0)),
    "ELU": activations.elu,
    "AbsVal": activations.pointwise(abs),
    "BNLL": activations.pointwise(activations.softplus),
    "Sigmoid": activations.pointwise(activations.sigmoid, bounded=True),
    "TanH": activations.pointwise(tanh, bounded=True),
    "Swish": activations.pointwise(lambda x: x * activations.sigmoid(x)),
    "Power": activations.power,
    "Dropout": activations.dropout,
    "Pooling": pooling.pooling,
    "Eltwise": joins.eltwise,
    "Concat": joins.concat,
    "Reduction": joins.reduction,
    "Softmax": losses.softmax,
    "SoftmaxWithLoss": losses.softmax_loss,
    "EuclideanLoss": losses.labelled,
    "SigmoidCrossEntropyLoss": losses.labelled,
    "HingeLoss": losses.labelled,
    "ContrastiveLoss": losses.labelled,
    "InfogainLoss": losses.labelled,
    "MultinomialLogisticLoss": losses.labelled,
    "Accuracy": losses.metric,
    **dict.fromkeys(_SAME, joins.same),
    **forks.RULES,
}

__all__ = ["RULES", "Place", "Rule", "Stop"]
