"""A layer has more `param` blocks than it has blobs to learn.

## What it finds

More `param` blocks (V1: `blobs_lr`, `weight_decay`) than a layer of BVLC's Caffe has blobs: two
for a Convolution with `bias_term: false`, any for a Pooling or ReLU layer.

## Why it matters

Caffe counts them as it builds the net and aborts: `Too many params specified for layer conv1`.
It happens when `bias_term: false` is added to a layer and the rates of its bias are forgotten.

## Example

```
 layer {
   name: "conv1"
   type: "Convolution"
   bottom: "data"
   top: "conv1"
   param { lr_mult: 1 }
-  param { lr_mult: 2 }
   convolution_param { num_output: 64 kernel_size: 7 bias_term: false }
 }
```

## Fix safety

Safe: the old net could not be built. The last blocks are deleted, which are the bias's.

## When it is a false alarm

For a fork whose layer of that type has more blobs than BVLC's. Files that BVLC's parser does not
take are left alone for that reason, and so are BatchNorm (see `batch-norm-lr-mult`) and all types
that are not BVLC's.

## References

- BVLC Caffe, `src/caffe/net.cpp`, `Net::Init` ("Too many params specified"); the layers'
  `LayerSetUp`
- KaimingHe/deep-residual-networks, issue 39
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Generation, Layer
from caffefix.findings import Applicability, Finding, Fix, Phase, Severity, Subject
from caffefix.fixers._layers import bvlc_layers
from caffefix.syntax.edits import Delete
from caffefix.syntax.tree import Node

PHASE = Phase.REPAIR
GROUP = "Learning rates and freezing"
CHANGES = ("layer.param",)
NAME = "surplus-param"

_WITHOUT = frozenset(
    """
    AbsVal Accuracy ArgMax BNLL BatchReindex Clip Concat ContrastiveLoss Crop Data Dropout DummyData ELU Eltwise
    EuclideanLoss Exp Filter Flatten HDF5Data HDF5Output HingeLoss Im2col ImageData InfogainLoss Input LRN Log
    LSTMUnit MVN MemoryData MultinomialLogisticLoss Pooling Power ReLU Reduction Reshape SPP Sigmoid
    SigmoidCrossEntropyLoss Silence Slice Softmax SoftmaxWithLoss Split TanH Threshold Tile WindowData
    """.split()
)
_WITH_BIAS = {
    "Convolution": "convolution_param",
    "Deconvolution": "convolution_param",
    "InnerProduct": "inner_product_param",
    "Embed": "embed_param",
}
_V1_LISTS = ("blobs_lr", "weight_decay", "param", "blob_share_mode")
SIGNS = _V1_LISTS


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer."""
    for layer in bvlc_layers(subject):
        blobs = _blobs(layer)
        if blobs is not None:
            yield from _judge(layer, blobs)


def _blobs(layer: Layer) -> int | None:
    """How many blobs BVLC's layer has; None if that cannot be told."""
    kind = layer.type
    if kind in _WITHOUT:
        return 0
    if kind in _WITH_BIAS:
        holder = _WITH_BIAS[kind]
        # Without its parameters the layer aborts on other grounds, or is part of a snippet.
        return None if layer.node.message(holder) is None else 1 + layer.flag(holder, "bias_term", True)
    if kind == "PReLU":
        return 1
    if kind == "Scale" and layer.bottoms:
        return (len(layer.bottoms) == 1) + layer.flag("scale_param", "bias_term", False)
    if kind == "Bias" and layer.bottoms:
        return int(len(layer.bottoms) == 1)
    return None


def _judge(layer: Layer, blobs: int) -> Iterator[Finding]:
    if layer.generation is Generation.V1:
        names: tuple[str, ...] = _V1_LISTS
    else:
        names = ("param",)
    lists = [list(layer.node.fields(name)) for name in names]
    count = max(map(len, lists))
    if count <= blobs:
        return
    surplus: list[Node] = [node for nodes in lists for node in nodes[blobs:]]
    surplus.sort(key=lambda node: node.offset)
    why = " (bias_term: false)" if layer.type in _WITH_BIAS and blobs == 1 else ""
    message = (
        f"{_count(count)} with rates, but this {layer.type} layer has {_count(blobs)} to learn{why}: Caffe "
        f'aborts with "Too many params specified for layer {layer.name}"'
    )
    if any(node.in_list for node in surplus):
        yield Finding(NAME, Severity.ERROR, message, surplus[0], layer.name)
        return
    what = "the last one" if count - blobs == 1 else f"the last {count - blobs}"
    fix = Fix(tuple(map(Delete, surplus)), Applicability.SAFE, f"delete {count - blobs} of {count} params")
    yield Finding(NAME, Severity.ERROR, f"{message}; deletes {what}", surplus[0], layer.name, fix)


def _count(blobs: int) -> str:
    return {0: "no blob", 1: "1 blob"}.get(blobs, f"{blobs} blobs")
