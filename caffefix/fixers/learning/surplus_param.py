"""A layer has more `param` blocks than blobs to learn.

## What it finds

More `param` blocks (V1: `blobs_lr`, `weight_decay`) than a layer of BVLC's Caffe has blobs: for example two
for a Convolution with `bias_term: false`, four for BatchNorm, any for a Pooling or ReLU layer.

## Why it matters

Caffe counts the blocks while it builds the net and aborts: `Too many params specified for layer conv1`. This
happens when `bias_term: false` is added to a layer and the rates of its bias are forgotten.

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

Safe: the old net could not be built. The last blocks, those of the bias, are deleted.

## When it is a false alarm

For a fork whose layer of that type has more blobs than BVLC's. For that reason files that BVLC's parser does
not accept are not reported, nor are types that are not BVLC's, nor Python layers.

## References

- BVLC Caffe, `src/caffe/net.cpp`, `Net::Init` ("Too many params specified"); the layers'
  `LayerSetUp`
- KaimingHe/deep-residual-networks, issue 39
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.blob_counts import blob_count
from caffefix.caffe.net import Generation, Layer
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import bvlc_layers
from caffefix.syntax.edits import Delete
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
CHANGES = ("layer.param",)
NAME = "surplus-param"

_V1_LISTS = ("blobs_lr", "weight_decay", "param", "blob_share_mode")
SIGNS = _V1_LISTS


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer."""
    for layer in bvlc_layers(subject):
        lists = [list(layer.node.fields(name)) for name in _lists(layer)]
        if any(lists):
            blobs = blob_count(layer)
            if blobs is not None:
                yield from _judge(layer, lists, blobs)


def _lists(layer: Layer) -> tuple[str, ...]:
    return _V1_LISTS if layer.generation is Generation.V1 else ("param",)


def _judge(layer: Layer, lists: list[list[Node]], blobs: int) -> Iterator[Finding]:
    count = max(map(len, lists))
    if count <= blobs:
        return
    surplus: list[Node] = [node for nodes in lists for node in nodes[blobs:]]
    surplus.sort(key=lambda node: node.offset)
    what = "" if layer.type == "BatchNorm" else " to learn"
    why = " (bias_term: false)" if blobs == 1 and layer.kind.weights else ""
    message = (
        f"rates for {_count(count)}, but this {layer.type} layer has {_count(blobs)}{what}{why}: "
        f"Caffe aborts{_words(layer, blobs)}"
    )
    if any(node.in_list for node in surplus):
        yield Finding(NAME, Severity.ERROR, message, surplus[0], layer.name)
        return
    what = "the last one" if count - blobs == 1 else f"the last {count - blobs}"
    fix = Fix(tuple(map(Delete, surplus)), Applicability.SAFE, f"delete {count - blobs} of {count} params")
    yield Finding(NAME, Severity.ERROR, f"{message}; deletes {what}", surplus[0], layer=layer.name, fix=fix)


def _words(layer: Layer, blobs: int) -> str:
    """What Caffe aborts with; on rates for statistics it aborts earlier, with other words."""
    if layer.type == "BatchNorm" and any(param.lr_mult for param in layer.params[:blobs]):
        return ""
    return f' with "Too many params specified for layer {layer.name}"'


def _count(blobs: int) -> str:
    return {0: "no blob", 1: "1 blob"}.get(blobs, f"{blobs} blobs")
