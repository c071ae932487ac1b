"""Two layers of a phase make a blob of the same name.

## What it finds

A `top` whose name an input or another layer of the same phase has already, where the layer does not
work in place. In place means that `top` and `bottom` of the same index are equal, and that no other
layer reads the same version of the blob: for Caffe, such a blob is split, and the layer is no longer
in place. Pairs of layers for TRAIN and TEST are fine.

## Why it matters

Caffe aborts when it builds the net: `Top blob 'fc7' produced by multiple sources.` (older versions:
`Duplicate blobs produced by multiple sources.`) Mostly a layer was copied and its top not renamed, or
an `include { phase: TEST }` is missing, or a layer reads a blob before a ReLU works on it in place.

## Example

```
 layer {
   name: "fc8_b"
   type: "InnerProduct"
   bottom: "fc7"
-  top: "fc8"
+  top: "fc8_b"
 }
```

## Fix safety

No fix: which name is meant, and who is to read it, is not in the file.

## When it is a false alarm

For a file of which a program picks layers before it loads it.

## References

- BVLC Caffe, `src/caffe/net.cpp`, `Net::AppendTop`; `src/caffe/util/insert_splits.cpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.graph import Graph, Step
from caffefix.caffe.net import Layer
from caffefix.findings import Finding, Phase, Severity, Subject
from caffefix.fixers._views import View, agreed, during, subjects

PHASE = Phase.REPAIR
GROUP = "Graph and shapes"
NAME = "duplicate-top"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each such top."""
    for net in subjects(subject):
        for layer, (slot, why), phases in agreed(net, _redefined):
            node = list(layer.node.fields("top"))[slot]
            message = (
                f"Caffe aborts{during(net, phases)} with \"Top blob '{layer.tops[slot]}' produced by "
                f'multiple sources.": {why}; give this top another name'
            )
            yield Finding(NAME, Severity.ERROR, message, node, layer.name)


def _redefined(view: View) -> Iterator[tuple[Layer, tuple[int, str]]]:
    for use in view.graph.redefined:
        step = view.graph.steps[use.step]
        yield step.layer, (use.slot, _why(view.graph, step, use.slot))


def _why(graph: Graph, step: Step, slot: int) -> str:
    name = step.tops[slot].name
    if slot < len(step.bottoms) and step.bottoms[slot].name == name:
        others = [reader.layer.name for reader in graph.readers(step.bottoms[slot]) if reader is not step]
        what = f"layer '{others[0]}' reads it too" if others else "it is read twice, or is a loss too"
        return f"the layer cannot work in place, because {what}"
    first = next((s for s in graph.steps[: step.index + 1] if name in s.layer.tops), step)
    if first is step:
        return "the layer names it twice" if step.layer.tops.count(name) > 1 else "it is an input of the net"
    return f"layer '{first.layer.name}' makes it already"
