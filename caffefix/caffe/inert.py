"""What a net says without effect: fields that BVLC's Caffe does not read, or reads as if they were absent.

The normal form, by which repairs are proved, keeps these: a fixer has no business with them. They are left out
where two nets are compared for people. Each rule names the source that it follows, and is for BVLC's own types;
a test trains nets with and without such fields in real Caffe.
"""

from __future__ import annotations

from collections import Counter

from caffefix._startup.records import replace
from caffefix.caffe.normal import NormalForm, NormalLayer, NormalNet

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Types with one blob of weights and, unless bias_term is false, one of biases; and the message that says so.
_WEIGHTED = {
    b"Convolution": "convolution_param",
    b"Deconvolution": "convolution_param",
    b"InnerProduct": "inner_product_param",
    b"Embed": "embed_param",
}
# LossLayer and its children with the set-up of LossLayer (loss_layer.cpp).
_LOSSES = frozenset(
    (b"SoftmaxWithLoss", b"EuclideanLoss", b"SigmoidCrossEntropyLoss", b"HingeLoss", b"ContrastiveLoss",
     b"MultinomialLogisticLoss", b"InfogainLoss")
)  # fmt: skip


def without_inert(form: NormalForm) -> NormalForm:
    """The normal form of a file that BVLC's Caffe reads, without what that Caffe makes nothing of."""
    return replace(form, nets=tuple(map(_net, form.nets)))


def _net(net: NormalNet) -> NormalNet:
    reads = Counter(name for layer in net.layers for name in layer.message.bottom)
    layers = tuple(_layer(layer, reads) for layer in net.layers)
    return replace(net, layers=layers)


def _layer(layer: NormalLayer, reads: Counter[bytes]) -> NormalLayer:
    message = layer.message
    if message.DESCRIPTOR.name != "LayerParameter":
        return layer  # in a solver, a layer of an old format stays as it is
    weighted = message.type in _WEIGHTED
    bias = weighted and _has_bias(message)
    params = _surplus(message, 2 if bias else 1) if weighted else 0
    filler = weighted and not bias and getattr(message, _WEIGHTED[message.type]).HasField("bias_filler")
    weight = _is_usual_loss(message, reads)
    if not (params or filler or weight):
        return layer
    copy = type(message)()
    copy.CopyFrom(message)
    if params:
        del copy.param[len(copy.param) - params :]
    if filler:
        getattr(copy, _WEIGHTED[message.type]).ClearField("bias_filler")
    if weight:
        copy.ClearField("loss_weight")
    return NormalLayer(layer.name, copy)


def _has_bias(message: Any) -> bool:
    """``bias_term``; without it a bias_filler is not read (base_conv_layer.cpp, inner_product_layer.cpp)."""
    holder = _WEIGHTED[message.type]
    param = getattr(message, holder) if message.HasField(holder) else None
    return param is None or not param.HasField("bias_term") or bool(param.bias_term)


def _surplus(message: Any, blobs: int) -> int:
    """How many of the last ``param`` entries say nothing.

    Net::Init takes a default ParamSpec for each blob that has none (net.cpp: ``default_param_spec``), and nothing
    else reads them in these types. More entries than blobs abort Caffe, so these are never surplus.
    """
    if len(message.param) > blobs:
        return 0
    count = 0
    for spec in reversed(message.param):
        if spec.ListFields():
            break
        count += 1
    return count


def _is_usual_loss(message: Any, reads: Counter[bytes]) -> bool:
    """Whether a loss says its loss_weight although it is 1.

    LossLayer::LayerSetUp adds a loss_weight of 1 where none is given. One that is given also counts as a reader of
    its top (insert_splits.cpp), which changes nothing if there is no other.
    """
    if message.type not in _LOSSES or list(message.loss_weight) != [1.0] or len(message.top) > 1:
        return False
    return not any(reads[name] for name in message.top)
