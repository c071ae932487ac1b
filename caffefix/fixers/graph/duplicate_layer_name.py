"""Two layers in the same phase have the same name, and at least one of them has weights.

## What it finds

Layers with the same name that run in the same phase, at least one of which has parameters. Layers without
parameters may share a name; TRAIN/TEST pairs are fine, and so are two layers that share all their weights
through `param { name: … }`. Nets for forks are also checked, because forks copy weights in the same way.

## Why it matters

Caffe does not check names when it builds a net, but it copies weights by name: from a file, from a
snapshot, and from the train net to the test net. It uses the first layer of that name. If that layer has
different blobs, Caffe aborts (`Incompatible number of blobs for layer conv1`, or `shape mismatch`); if the
blobs are equal, the second layer silently keeps its random weights wherever weights are loaded, including
in the test net.

## Example

```
 layer {
-  name: "conv1"
+  name: "conv1_b"
   type: "Convolution"
   bottom: "data_b"
   top: "conv1_b"
 }
```

## Fix safety

No fix: existing weights are stored under the current names.

## When it is a false alarm

In a net that is never tested or snapshotted, and into which no weights are loaded.

## References

- BVLC Caffe, `src/caffe/net.cpp`, `ShareTrainedLayersWith` and `CopyTrainedLayersFrom`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._views import View, agreed, during, of_every_fork

PASS = Pass.REPAIR
NAME = "duplicate-layer-name"
VALUES = True


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each repeated name."""
    for net in of_every_fork(subject):
        for layer, first, phases in agreed(net, _repeated):
            place = layer.node.field("name") or layer.node
            message = (
                f"another layer is also named '{layer.name}' ({first}){during(net, phases)}: Caffe finds weights "
                "by name and loads those of both into the first; rename one of them"
            )
            yield Finding(NAME, Severity.WARNING, message, place, layer.name)


def _repeated(view: View) -> Iterator[tuple[Layer, str]]:
    first: dict[str, Layer] = {}
    for step in view.graph.steps:
        layer = step.layer
        other = first.setdefault(layer.name, layer)
        if other is layer or not layer.name or not (_has_blobs(layer) or _has_blobs(other)):
            continue
        if not _share(layer, other):
            yield layer, other.type


def _has_blobs(layer: Layer) -> bool:
    return bool(layer.kind.weights) or layer.kind.blobs


def _share(layer: Layer, other: Layer) -> bool:
    """Whether two layers share all their weights by name, so both use those of the first."""
    names, others = ([param.shared_name for param in one.params] for one in (layer, other))
    biased = layer.kind.weights and layer.flag(layer.kind.weights, "bias_term", True)
    blobs = 3 if layer.type == "BatchNorm" else 2 if biased else 1
    return layer.type == other.type and names == others and all(names) and len(names) >= blobs
