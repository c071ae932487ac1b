"""A Scale follows a BatchNorm that has its own gamma and beta, so both are learned twice.

## What it finds

A Scale layer after a BatchNorm, where a training log (`--log TRAIN.LOG`) shows that NVCaffe 0.15 trains the
net: its BatchNorm has gamma and beta among its blobs. Without such a log nothing is reported, because the
file does not say which Caffe it is for.

## Why it matters

BVLC's BatchNorm only normalises, and a Scale after it learns gamma and beta. NVIDIA's does both, and a
Scale after it does the same again: two factors where one is enough. It costs memory and time; it is not an
error.

## Example

```
 layer {
   name: "bn1"
   type: "BatchNorm"
   bottom: "conv1"
   top: "conv1"
   batch_norm_param {
     scale_filler {
       value: 1
     }
   }
 }
-layer {
-  name: "scale1"
-  type: "Scale"
-  bottom: "conv1"
-  top: "conv1"
-  scale_param {
-    bias_term: true
-  }
-}
```

## Fix safety

No fix: existing weights may be stored under the Scale's name. The finding is a note, shown with `--notes`.

## When it is a false alarm

If the net is also meant for BVLC's Caffe, which needs the Scale; or if a Caffe other than the one of the
log will train it now.

## References

- NVIDIA/caffe, branch caffe-0.15, `src/caffe/layers/batch_norm_layer.cpp`, `LayerSetUp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Phase
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._layers import with_makers

PASS = Pass.TUNE
NAME = "redundant-scale"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each Scale."""
    log = subject.options.log
    # The only version known to start gamma at 0 is one that has a gamma.
    if log is None or not log.starts_gamma_at_zero:
        return
    for net in subject.nets:
        for layer, makers in with_makers(net.view(Phase.TRAIN)):
            maker = makers[0] if layer.type == "Scale" and len(makers) == 1 else None
            if maker is not None and maker.type == "BatchNorm":
                message = (
                    f"learns a gamma and a beta after BatchNorm layer '{maker.name}', which has its own in "
                    f"{log.label}: one of the two is enough"
                )
                yield Finding(NAME, Severity.INFO, message, layer.node, layer.name)
