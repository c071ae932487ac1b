"""BatchNorm works in place on a Caffe whose cuDNN engine then computes wrong gradients.

## What it finds

A BatchNorm layer whose top is its bottom, in a net that learns, where a training log (`--log`) was written
by NVCaffe 0.15 and the layer does not set `engine: CAFFE`.

## Why it matters

In NVCaffe 0.15 cuDNN is the default engine of BatchNorm, and its backward pass reads the layer's input
after the forward pass has overwritten it. The gradients of everything below are wrong: the loss falls
slowly, stalls or diverges, and nothing is reported. NVCaffe 0.16 keeps a copy; BVLC Caffe has no cuDNN
BatchNorm.

## Example

```
 layer {
   name: "bn1"
   type: "BatchNorm"
   bottom: "conv1"
   top: "conv1"
   batch_norm_param {
+    engine: CAFFE
   }
 }
```

## Fix safety

Unsafe: the edit changes the gradients, which is its purpose, and Caffe's own engine is slower. The layer
keeps the same five blobs, so weights load as before. (The alternative is a top with its own name, renamed
in all later layers, which costs memory.)

## When it is a false alarm

If that Caffe was built without cuDNN or ran on a CPU: then its own engine is already in use.

## References

- NVCaffe 0.15, `src/caffe/layers/cudnn_batch_norm_layer.cu`, `src/caffe/layer_factory.cpp`; changed
  in 0.16 (commit 458566de, April 2017)
- NVIDIA/caffe#276; NVIDIA/DIGITS#629
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer, Phase
from caffefix.caffe.roles import LEARNING, SNIPPET, Role
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import Edit, Insert, Last, NewField, NewMessage, Replace

PASS = Pass.REPAIR
CHANGES = ("layer.batch_norm_param.engine",)
ROLES = (*LEARNING, SNIPPET)
NAME = "in-place-batch-norm"

_CAFFE = ("CAFFE", "1")  # by name or number


def find(subject: Subject) -> Iterator[Finding]:
    """One finding, with its own fix, for each layer."""
    log = subject.options.log
    # The only version known to start gamma at zero is also the one whose engine does this.
    if log is None or not log.starts_gamma_at_zero:
        return
    for net in subject.nets:
        if not subject.learns(net) and subject.role(net) is not Role.SNIPPET:
            continue
        for layer in net.view(Phase.TRAIN):
            if _is_in_place(layer) and _engine(layer) not in _CAFFE:
                message = (
                    f"in place, and {log.label} ({log.name}) runs BatchNorm on cuDNN, whose backward pass reads "
                    "the overwritten input: the gradients below are wrong; adds engine: CAFFE"
                )
                fix = Fix((_own_engine(layer),), Applicability.UNSAFE, "engine: CAFFE")
                yield Finding(NAME, Severity.WARNING, message, layer.node, layer=layer.name, fix=fix)


def _is_in_place(layer: Layer) -> bool:
    return layer.type == "BatchNorm" and bool(layer.tops) and layer.tops[:1] == layer.bottoms[:1]


def _engine(layer: Layer) -> str | None:
    holder = layer.node.message("batch_norm_param")
    return holder.scalar("engine") if holder is not None else None


def _own_engine(layer: Layer) -> Edit:
    holder = layer.node.message("batch_norm_param")
    field = NewField("engine", "CAFFE")
    if holder is None:
        return Insert(Last(layer.node), (NewMessage("batch_norm_param", (field,)),))
    given = holder.field("engine")
    return Insert(Last(holder), (field,)) if given is None else Replace(given, "CAFFE")
