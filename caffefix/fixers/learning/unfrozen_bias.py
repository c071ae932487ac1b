"""A layer's weights are frozen, but its bias learns because no `param` block covers it.

## What it finds

Convolution, Deconvolution and InnerProduct layers of train nets and snippets with a bias and a single `param`
block that says `lr_mult: 0`.

## Why it matters

Each blob has its own `param` block, and without one `lr_mult` is 1. So the single block freezes only the
weights, and the bias continues to learn at the full rate. A layer that was meant to stay as it was loaded
drifts, and a bilinear upsampling layer no longer only upsamples.

## Example

```
 layer {
   name: "conv1_1"
   type: "Convolution"
   bottom: "data"
   top: "conv1_1"
   param { lr_mult: 0 }
+  param { lr_mult: 0 }
   convolution_param { num_output: 64 kernel_size: 3 }
 }
```

## Fix safety

Unsafe: the net learns differently. A second block is added with the same rates as the first.

## When it is a false alarm

When the bias is meant to learn while the weights are frozen. Writing `param { lr_mult: 1 }` says so, and the
layer is no longer reported.

## References

- BVLC Caffe, `caffe.proto`, `ParamSpec` (`lr_mult` is 1 by default); `src/caffe/net.cpp`,
  `Net::AppendParam`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Generation, Layer
from caffefix.caffe.roles import LEARNING, SNIPPET, Role
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import bvlc_nets
from caffefix.syntax.edits import After, Insert, NewField, NewMessage

PASS = Pass.REPAIR
CHANGES = ("layer.param",)
SIGNS = ("param", "blobs_lr")
ROLES = (*LEARNING, SNIPPET)
NAME = "unfrozen-bias"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer."""
    for net in bvlc_nets(subject):
        if subject.learns(net) or subject.role(net) is Role.SNIPPET:
            for layer in net.layers:
                if (layer.kind.linear or layer.kind.convolution) and _has_bias(layer, layer.kind.weights):
                    yield from _judge(layer)


def _has_bias(layer: Layer, holder: str) -> bool:
    return layer.node.message(holder) is not None and layer.flag(holder, "bias_term", True)


def _judge(layer: Layer) -> Iterator[Finding]:
    if len(layer.params) != 1 or not layer.params[0].given or layer.params[0].lr_mult != 0:
        return
    new: NewField | NewMessage
    if layer.generation is Generation.V1:
        node = layer.node.field("blobs_lr")
        new, text = NewField("blobs_lr", "0"), "blobs_lr: 0"
    else:
        node = layer.node.field("param")
        rates = [f for f in (node.children() if node is not None else ()) if f.name in ("lr_mult", "decay_mult")]
        new, text = NewMessage("param", tuple(NewField(f.name, f.value) for f in rates)), "param { lr_mult: 0 }"
    if node is None or node.in_list:
        return
    message = (
        "the weights are frozen (lr_mult 0) but the bias is not: a blob without a param block learns with "
        "lr_mult 1; adds a second block with the same rates"
    )
    fix = Fix((Insert(After(node), (new,)),), Applicability.UNSAFE, f"add {text} for the bias")
    yield Finding(NAME, Severity.WARNING, message, node, layer=layer.name, fix=fix)
