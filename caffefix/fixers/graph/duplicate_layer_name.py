"""Two layers of a phase have the same name, and one of them has weights.

## What it finds

Layers that run in the same phase under one name, at least one of which has parameters. Layers
without parameters may share a name; pairs for TRAIN and TEST are fine, and so are two layers that share
all their weights by `param { name: … }`. Nets of forks are looked at, too: they hand over weights alike.

## Why it matters

Caffe does not check names when it builds a net, but it hands weights over by name: from a file, from
a snapshot, and from the train net to the test net. It takes the first layer of that name. With
other blobs there it aborts (`Incompatible number of blobs for layer conv1`, or `shape mismatch`);
with equal ones, the second layer silently keeps its random weights wherever they are loaded, the test
net included.

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

No fix: weights that exist already are stored under the names that there are.

## When it is a false alarm

In a net that is never tested, snapshotted or loaded into.

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
    """One finding for each name that comes again."""
    for net in of_every_fork(subject):
        for layer, first, phases in agreed(net, _repeated):
            place = layer.node.field("name") or layer.node
            message = (
                f"there is another layer '{layer.name}' ({first}){during(net, phases)}: Caffe finds weights by "
                "name and gives those of both to the first; give one of them another name"
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
    """Whether two layers share all their weights by the names of these, so that the first one's are both's."""
    names, others = ([param.shared_name for param in one.params] for one in (layer, other))
    biased = layer.kind.weights and layer.flag(layer.kind.weights, "bias_term", True)
    blobs = 3 if layer.type == "BatchNorm" else 2 if biased else 1
    return layer.type == other.type and names == others and all(names) and len(names) >= blobs
