"""Layers that do not say how many outputs they have: no rule can infer their tops."""

from __future__ import annotations

from caffefix.caffe.net import Layer
from caffefix.syntax.scalars import integer_value
from caffefix.syntax.tree import Node

# InnerProduct does not check: the filler cannot fill an empty blob (filler.hpp).
_FILLING = {
    **dict.fromkeys(("constant", "gaussian", "positive_unitball"), "Check failed: data_"),
    **dict.fromkeys(("xavier", "msra", "uniform"), "Check failed: blob->count()"),
}
_KERNELS = frozenset(("kernel_size", "kernel_h", "kernel_w"))


def is_outputless(layer: Layer) -> bool:
    """Whether a layer of a type that needs ``num_output`` has none, or 0."""
    if not layer.kind.outputless:
        return False
    node = given(layer)
    return node is None or integer_value(node.value) == 0


def given(layer: Layer) -> Node | None:
    """The field that says how many outputs there are."""
    message = layer.node.message(layer.kind.weights)
    return message.field("num_output") if message is not None else None


def words(layer: Layer) -> str:
    """Caffe's message about a layer without outputs; empty where it may report something different first."""
    if layer.kind.convolution:
        message = layer.node.message("convolution_param")
        asked = message is not None and not _KERNELS.isdisjoint(message.names())  # the kernel is checked first
        return layer.kind.outputless if asked else ""
    if layer.type != "InnerProduct":
        return layer.kind.outputless
    return _FILLING.get(layer.filler("inner_product_param", "weight_filler").type, "")
