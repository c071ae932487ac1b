"""Without a scale_filler, BatchNorm's gamma starts at zero in NVCaffe up to 0.15.

## What it finds

BatchNorm layers without a `scale_filler` in train nets and snippets, where a training log (`--log
TRAIN.LOG`) shows that gamma is 0: the log was written by a version of Caffe that fills gamma with 0, or its
lines show five blobs of the layer, all exactly 0. Without a log nothing is reported: the file does not say
which Caffe it is for.

## Why it matters

NVIDIA's Caffe keeps gamma and beta among the blobs of BatchNorm. Up to version 0.15 it fills gamma with the
constant 0 unless a filler says otherwise, so every top is 0. A ReLU after the layer has derivative 0 there:
gamma never gets a gradient, and neither does anything below. In a `debug_info` log such layers show `param
blob 0 data: 0` and tops of 0.

## Example

```
 layer {
   name: "bn1"
   type: "BatchNorm"
   bottom: "conv1"
   top: "conv1"
   batch_norm_param {
     use_global_stats: false
+    scale_filler {
+      type: "constant"
+      value: 1
+    }
   }
 }
```

## Fix safety

Safe where layers can never learn without the filler, by exact analysis; unsafe where the net learns from
gamma 0, though slowly. The filler does not affect weights that are loaded. Caffe of other forks has no
`scale_filler` in BatchNorm (BVLC's refuses the file): the edit is for the Caffe of the log.

## When it is a false alarm

If the net is now trained with a Caffe other than the one that wrote the log. A residual branch may start at
0 on purpose: an explicit `scale_filler` says so, and is left unchanged.

## References

- NVIDIA/caffe, branch caffe-0.15, `src/caffe/layers/batch_norm_layer.cpp`,
  `cudnn_batch_norm_layer.cpp`, `LayerSetUp`
- BVLC Caffe, `relu_layer.cpp` (derivative 0 at 0)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer, Net, Phase
from caffefix.caffe.roles import LEARNING, SNIPPET, Role
from caffefix.evidence.liveness import dead_weights
from caffefix.evidence.logs.evidence import LogEvidence
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import Edit, Insert, Last, NewField, NewMessage

PASS = Pass.REPAIR
CHANGES = ("layer.batch_norm_param",)
NEEDS_FAMILY = True  # a solver next to the net may load weights
SIGNS = ("BatchNorm",)
ROLES = (*LEARNING, SNIPPET)
NAME = "batch-norm-zero-gamma"

_FILLER = NewMessage("scale_filler", (NewField("type", "constant", string=True), NewField("value", "1")))


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each BatchNorm layer, and one fix for all those of a net."""
    log = subject.options.log
    if log is None or not subject.from_scratch:
        return
    for net in subject.nets:
        is_snippet = subject.role(net) is Role.SNIPPET
        if not is_snippet and not subject.learns(net):
            continue
        zero = [layer for layer in net.layers if _starts_at_zero(layer, log)]
        if not zero:
            continue
        is_dead = _is_dead(net, zero, is_snippet)
        applicability = Applicability.SAFE if is_dead else Applicability.UNSAFE
        layers = "layer" if len(zero) == 1 else "layers"
        fix = Fix(tuple(map(_fill, zero)), applicability, f"add scale_filler to {len(zero)} BatchNorm {layers}")
        for layer in zero:
            yield Finding(
                NAME, Severity.ERROR, _message(layer, log, is_dead), layer.node, layer=layer.name, fix=fix
            )


def _starts_at_zero(layer: Layer, log: LogEvidence) -> bool:
    if layer.type != "BatchNorm" or layer.node.message("batch_norm_param", "scale_filler") is not None:
        return False
    if layer.name in log.zero_gamma:
        return True
    return log.starts_gamma_at_zero and not log.loads_weights and layer.name not in log.other_weights


def _is_dead(net: Net, zero: list[Layer], is_snippet: bool) -> bool:
    """Whether layers can never learn while gamma starts at 0."""
    view = net.view(Phase.TRAIN)
    dead = dead_weights(view, zero_gamma=zero, open_ended=is_snippet)
    return len(dead) > len(dead_weights(view, open_ended=is_snippet))


def _message(layer: Layer, log: LogEvidence, is_dead: bool) -> str:
    shown = f", and {log.name} shows it at 0" if layer.name in log.zero_gamma else f" ({log.name})"
    who = log.label if log.starts_gamma_at_zero else "the Caffe of the log"
    end = "the layers around it can never learn" if is_dead else "its top starts at 0"
    return f"no scale_filler, so {who} starts gamma at 0{shown}: {end}; fills gamma with 1"


def _fill(layer: Layer) -> Edit:
    holder = layer.node.message("batch_norm_param")
    if holder is not None:
        return Insert(Last(holder), (_FILLER,))
    return Insert(Last(layer.node), (NewMessage("batch_norm_param", (_FILLER,)),))
