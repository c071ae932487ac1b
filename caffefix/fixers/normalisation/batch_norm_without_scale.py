"""BatchNorm has no Scale after it: no layer learns the gamma and beta of the paper.

## What it finds

In train nets, BatchNorm layers whose top an activation (ReLU, Sigmoid, TanH, …) reads directly, with no Scale
or Bias between. One note per net.

## Why it matters

In the paper batch normalisation has two halves: normalise, then multiply by a learned gamma and add a learned
beta. Caffe's BatchNorm is the first half only; the second is a Scale layer with `bias_term: true`. Without it
each channel that goes into the activation has mean 0 and variance 1 for ever: a ReLU always cuts off about
half, and the bias of the preceding convolution is subtracted again, so no shift can be learned. Such nets
train, but are not those of the papers.

## Example

```
 layer {
   name: "bn1"
   type: "BatchNorm"
   bottom: "conv1"
   top: "conv1"
 }
+layer {
+  name: "scale1"
+  type: "Scale"
+  bottom: "conv1"
+  top: "conv1"
+  scale_param { bias_term: true }
+}
```

## Fix safety

No fix: the net would get new layers, and weights trained without them would not belong to the same net. The
finding is a note, shown with `--notes`.

## When it is a false alarm

When it is intended. NVIDIA's Caffe before 2017 and some engines of Intel's Caffe have gamma and beta in
BatchNorm itself; a BatchNorm with a field or a fourth `param` that BVLC's does not have is not reported, nor
are layers that use stored statistics in training (`use_global_stats: true`). A layer with weights after
BatchNorm (a Convolution) can do what Scale would, and is not reported either.

## References

- BVLC Caffe, `src/caffe/layers/batch_norm_layer.cpp`, `scale_layer.cpp`
- Ioffe and Szegedy 2015, arXiv:1502.03167
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.graph import Graph, Step, graph
from caffefix.caffe.net import Layer, Phase
from caffefix.caffe.roles import LEARNING, loss_stages
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._layers import bvlc_nets, listed

PASS = Pass.TUNE
SIGNS = ("BatchNorm",)
ROLES = LEARNING
NAME = "batch-norm-without-scale"

_BLOBS = 3  # of BVLC's BatchNorm


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each net."""
    for net in bvlc_nets(subject):
        if not subject.learns(net):
            continue
        seen = graph(net, Phase.TRAIN, loss_stages(net, Phase.TRAIN))
        bare = [step.layer for step in seen.steps if _normalises(step.layer) and _is_bare(seen, step)]
        if bare:
            message = (
                f"no Scale after BatchNorm in {listed([layer.name for layer in bare])}: Caffe's BatchNorm only "
                "normalises, and no layer learns the paper's gamma and beta; add Scale layers with bias_term: true"
            )
            yield Finding(NAME, Severity.INFO, message, bare[0].node, bare[0].name)


def _normalises(layer: Layer) -> bool:
    """Whether it is BVLC's BatchNorm, and uses the statistics of the batch."""
    plain = layer.is_bvlc_batch_norm and len(layer.params) <= _BLOBS
    return plain and not layer.flag("batch_norm_param", "use_global_stats", False)


def _is_bare(net: Graph, step: Step) -> bool:
    """Whether only activations read what it produces."""
    readers = [reader.layer for top in step.tops for reader in net.readers(top)]
    return bool(readers) and all(reader.kind.activation for reader in readers)
