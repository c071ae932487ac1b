"""No convolution of a net may learn, though nothing but random numbers was put into them.

## What it finds

Train nets in which all convolutions on the way to the loss have rates of zero (`lr_mult: 0`, in
V1 `blobs_lr: 0`) for weights and bias, while other layers learn. One finding for each convolution.

## Why it matters

A rate of zero freezes a layer as it is. When weights are loaded that is how features are kept;
when a net is trained from scratch, what is kept is the filler: a classifier is then trained on
random features, and where there was no filler, on zeros. The net loads, and the loss falls a
little, so that it looks like a matter of rates. It often comes from a net for fine-tuning that
was copied to train anew.

## Example

```
 layer {
   name: "conv1"
   type: "Convolution"
   bottom: "data"
   top: "conv1"
   param {
-    lr_mult: 0
+    lr_mult: 1
   }
   param {
-    lr_mult: 0
+    lr_mult: 1
   }
   convolution_param {
     num_output: 32
     kernel_size: 3
     weight_filler {
       type: "msra"
     }
   }
 }
```

## Fix safety

Unsafe: freezing is right where weights are loaded. Zero rates become 1, Caffe's default, in all
of these layers together.

## When it is a false alarm

When weights are loaded (`--weights`, fine-tuning): use `--ignore frozen-random-layer`, or
`from-scratch = false` for the folder. Deconvolutions, BatchNorm and Scale layers are no matter
here: a fixed bilinear upsampling or a fixed normaliser is made on purpose. Nets that look like
fine-tuning are left alone: those where some convolutions learn and some do not, where new
layers have a higher rate than 1, with layers of detectors (`Python`, `ROIPooling`), and those
that say so in the name of the net or of a layer (`fc8-finetune`).

## References

- BVLC Caffe, `src/caffe/net.cpp`, `AppendParam` and `ParamSpec.lr_mult`; `sgd_solver.cpp`
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from caffefix.caffe.graph import build
from caffefix.caffe.layer_types import BVLC_TYPES, WEIGHTED
from caffefix.caffe.net import Layer, Net, Phase
from caffefix.caffe.roles import LEARNING, loss_stages
from caffefix.findings import Applicability, Finding, Fix, Severity, Subject
from caffefix.findings import Phase as FixPhase
from caffefix.patterns import pattern
from caffefix.syntax.edits import Replace
from caffefix.syntax.scalars import number_value
from caffefix.syntax.tree import Node

PHASE = FixPhase.TUNE
GROUP = "Learning rates and freezing"
CHANGES = ("layer.param.lr_mult",)
NEEDS_FAMILY = True  # a solver beside the net may load weights
SIGNS = ("lr_mult", "blobs_lr")
ROLES = LEARNING
NAME = "frozen-random-layer"

_FINE_TUNING = pattern(r"fine[-_ ]?tun", re.IGNORECASE)
_CONVOLUTIONS = frozenset({"Convolution", "DepthwiseConvolution", "ConvolutionDepthwise"})


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each frozen convolution; one fix for all of a net."""
    if not subject.from_scratch:
        return
    for net in subject.nets:
        if not subject.learns(net):
            continue
        if not any(_rates(layer) for layer in net.layers if layer.type in _CONVOLUTIONS):
            continue
        frozen = _frozen(net)
        edits = tuple(Replace(rate, "1") for layer in frozen for rate in _rates(layer))
        fix = Fix(edits, Applicability.UNSAFE, f"lr_mult 0 → 1 in {len(frozen)} layers")
        for layer in frozen:
            message = (
                "lr_mult is 0 for weights and bias in every convolution of this net: trained from scratch they "
                "stay random for ever, and only the layers behind them learn; sets the rates to 1 (leave them "
                "if you load weights)"
            )
            yield Finding(NAME, Severity.WARNING, message, _rates(layer)[0], layer.name, fix)


def _frozen(net: Net) -> list[Layer]:
    """All convolutions that feed a loss, if none of them learns but other layers do, from scratch as it seems."""
    view = net.view(Phase.TRAIN, loss_stages(net, Phase.TRAIN))
    if any(map(_FINE_TUNING.search, (net.node.string("name") or "", *(layer.name for layer in view)))):
        return []
    if any(layer.type not in BVLC_TYPES or layer.type == "Python" for layer in view):
        return []
    graph = build(view, net.inputs)
    needed = graph.to_loss()
    feeding = [step.layer for step in graph.steps if any(top.index in needed for top in step.tops)]
    weighted = [layer for layer in feeding if layer.type in WEIGHTED and layer.type != "Deconvolution"]
    learning = [layer for layer in weighted if not _is_frozen(layer)]
    if not learning or any(layer.type in _CONVOLUTIONS or layer.param(0).lr_mult > 1 for layer in learning):
        return []
    return [layer for layer in weighted if layer.type in _CONVOLUTIONS]


def _is_frozen(layer: Layer) -> bool:
    blobs = 2 if layer.flag(WEIGHTED[layer.type].message, "bias_term", True) else 1
    return all(layer.param(index).lr_mult == 0 for index in range(blobs))


def _rates(layer: Layer) -> list[Node]:
    """The rates of zero that a layer gives."""
    rates = [node.field("lr_mult") for node in layer.node.fields("param") if node.is_message]
    rates += [node for node in layer.node.fields("blobs_lr") if not node.is_list]
    return [node for node in rates if node is not None and number_value(node.value) == 0]
