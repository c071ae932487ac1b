"""A layer type that is a known one but for upper and lower case.

## What it finds

`type: "Relu"`, `"Batchnorm"`, `"SoftMaxWithLoss"`: a type that BVLC's Caffe does not have, while
exactly one of its types is the same but for case. Types that differ otherwise may belong to a
fork and are no findings.

## Why it matters

The file parses, but Caffe aborts when it builds the net: `Unknown layer type: Relu (known types:
AbsVal, Accuracy, …)`.

## Example

```
 layer {
   name: "relu1"
-  type: "Relu"
+  type: "ReLU"
   bottom: "conv1"
   top: "relu1"
 }
```

## Fix safety

Safe: the old net could not be built.

## When it is a false alarm

For a fork that registers a type of the same letters. One is known (CTPN's `Lstm`) and left
alone, and so is every file that BVLC's parser does not take, because it is some fork's.

## References

- BVLC Caffe, `include/caffe/layer_factory.hpp`, `CreateLayer`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.layer_types import BVLC_TYPES
from caffefix.caffe.net import Generation, Layer
from caffefix.caffe.schema import load
from caffefix.findings import Applicability, Finding, Fix, Phase, Severity, Subject
from caffefix.syntax.edits import Replace
from caffefix.syntax.scalars import is_string
from caffefix.syntax.tree import Node

PHASE = Phase.UPGRADE
GROUP = "Graph and shapes"
CHANGES = ("layer.type",)
NAME = "unknown-layer-type"
VALUES = True

_FOLDED = {name.lower(): name for name in BVLC_TYPES}
# Types of forks that are spelt like BVLC's but for case (CTPN's own LSTM).
_OF_FORKS = frozenset(("Lstm",))


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer, in files that BVLC's parser takes."""
    if not subject.forks & load().bit("bvlc"):
        return
    for net in subject.nets:
        for layer in net.layers:
            known = _FOLDED.get(layer.type.lower(), layer.type)
            if known == layer.type or layer.type in _OF_FORKS or layer.generation is not Generation.V2:
                continue
            node = layer.node.field("type")
            if node is not None and is_string(node.value):
                yield _finding(layer, node, known)


def _finding(layer: Layer, node: Node, known: str) -> Finding:
    quote = node.value[0]
    fix = Fix((Replace(node, f"{quote}{known}{quote}"),), Applicability.SAFE, f"{layer.type} → {known}")
    message = f'Caffe aborts with "Unknown layer type: {layer.type}", for case matters; writes "{known}"'
    return Finding(NAME, Severity.ERROR, message, node, layer.name, fix)
