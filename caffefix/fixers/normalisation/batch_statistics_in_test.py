"""BatchNorm uses the statistics of the batch when the net is tested or deployed.

## What it finds

`use_global_stats: false` in BatchNorm layers of a deploy net, or in layers that TEST shares with TRAIN in a
net that also has layers of its own for TEST.

## Why it matters

Without the field Caffe does the right thing: batch statistics in TRAIN, the running averages in TEST. An
explicit value holds in both phases. With `false` the output for an image depends on the other images of its
batch, and with a batch of one (a deploy net) every channel is normalised by itself: accuracy that was good in
training is lost.

## Example

```
 layer {
   name: "bn1"
   type: "BatchNorm"
   bottom: "conv1"
   top: "conv1"
-  batch_norm_param {
-    use_global_stats: false
-  }
 }
```

## Fix safety

Unsafe: the net computes something different when it is tested. Training does not change.

## When it is a false alarm

When the statistics of the image itself are wanted: instance normalisation, as in style transfer and some
GANs. Nets with a Deconvolution are not reported for that reason. In NVIDIA's fork the field has no effect;
files and layers that are not BVLC's are not reported.

## What the forums say

"`use_global_stats` is to be true in training and false in testing." It is the other way round, and Caffe
chooses by itself if the field is left out. Trained from scratch with `true`, BatchNorm divides by its
initial statistics, which are 0: it multiplies by 1/√eps, 316. Convolution, BatchNorm, Scale and
InnerProduct on five classes that differ by colour, 300 iterations (`bench/forum_claims.py global_stats`):

| use_global_stats | base_lr | first loss | last loss | accuracy in mixed batches | of one class | of one image |
|---|---|---|---|---|---|---|
| left out | `0.01` | 1.76 | 0.013 | 100% | 100% | 100% |
| `true` in TRAIN, `false` in TEST | `0.01` | 66 | nan | 20% | 20% | 20% |
| `true` in TRAIN, `false` in TEST | `1e-06` | 66 | 1.33 | 53% | 21% | 21% |
| `false` | `0.01` | 1.76 | 0.013 | 100% | 21% | 20% |

(Caffe's solver and layers; for BatchNorm a Python layer with BVLC's formulas, because the Caffe that was
used, kendryte-caffe, always normalises by stored statistics.) `true` in TRAIN is right for fine-tuning with
frozen statistics.

## References

- BVLC Caffe, `src/caffe/layers/batch_norm_layer.cpp`, `LayerSetUp`
- BVLC/caffe issue 3347 (the wrong answer); Ioffe and Szegedy 2015, arXiv:1502.03167
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer, Net, Phase, truth
from caffefix.caffe.roles import Role
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import alone, listed, whole_nets
from caffefix.syntax.edits import Delete
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
CHANGES = ("layer.batch_norm_param.use_global_stats",)
SIGNS = ("use_global_stats",)
NAME = "batch-statistics-in-test"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each net: its layers are changed together."""
    for net in whole_nets(subject):
        role = subject.role(net)
        if role not in (Role.DEPLOY, Role.TEST, Role.TRAIN_VAL):
            continue
        if any(layer.type == "Deconvolution" for layer in net.layers):
            continue  # such nets produce images: generators and style transfer may need false
        wrong = list(_hard_coded(net))
        if not wrong:
            continue
        layers, nodes = zip(*wrong, strict=True)
        when = "TEST as well" if role is Role.TRAIN_VAL else "a net that is only tested"
        message = (
            f"use_global_stats: false makes {listed(x.name for x in layers)} normalise with each batch's own "
            f"statistics in {when}; deletes it, so Caffe chooses by phase"
        )
        title = f"delete use_global_stats: false ({len(nodes)} layers)"
        fix = Fix(tuple(Delete(alone(node)) for node in nodes), Applicability.UNSAFE, title)
        yield Finding(NAME, Severity.WARNING, message, nodes[0], layer=layers[0].name, fix=fix)


def _hard_coded(net: Net) -> Iterator[tuple[Layer, Node]]:
    for layer in net.layers:
        node = layer.node.message("batch_norm_param") if layer.is_bvlc_batch_norm else None
        field = node.field("use_global_stats") if node is not None else None
        if field is not None and not truth(field.value) and layer.is_in(Phase.TEST, layer.stages):
            yield layer, field
