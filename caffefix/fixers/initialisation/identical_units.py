"""All units of a layer start the same and can only ever change in the same way.

## What it finds

Two consecutive layers whose weights both start at a constant (Caffe's 0, or an explicit one), with no layer
between them that treats units differently, in a train net where the first of them learns. Where it cannot
learn, `missing-weight-filler` is reported instead.

## Why it matters

Units of a layer differ only by their initial values. If all have the same weights and the next layer reads
all with the same weights, all get the same gradient, for ever: a layer of 500 units has the power of one.
With a bias above zero or a sigmoid such a net does learn, and the loss falls, but only to the level that one
unit can reach.

## Example

```
 inner_product_param {
   num_output: 500
+  weight_filler {
+    type: "msra"
+  }
 }
```

## Fix safety

Unsafe: it changes the initial values of the net. The first layer of each pair gets a random filler, which is
enough: the next may start at zero.

## When it is a false alarm

When all weights are loaded (`--weights`).

## References

- BVLC Caffe, `include/caffe/filler.hpp` (constant 0 where there is no filler)
- Goodfellow, Bengio and Courville 2016, Deep Learning, 8.4 (parameters must break symmetry)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.fillers import read_filler
from caffefix.caffe.graph import Graph, Step, build
from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.net import Layer, Net, Phase, alike
from caffefix.caffe.roles import LEARNING, loss_stages
from caffefix.evidence.liveness import dead_weights
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers.initialisation._fillers import Chooser, fill

PASS = Pass.TUNE
CHANGES = ("layer.*_param.weight_filler",)
NEEDS_FAMILY = True  # a solver in the same folder may load weights
SIGNS = tuple(kind.name for kind in BOOK.values() if kind.linear)
ROLES = LEARNING
NAME = "identical-units"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer of identical units."""
    if not subject.from_scratch:
        return
    for net in subject.nets:
        if not subject.learns(net):
            continue
        even = [layer for layer in net.layers if _is_constant(layer, "weight_filler")]
        if len(even) > 1:
            yield from _judge(net)


def _judge(net: Net) -> Iterator[Finding]:
    view = net.view(Phase.TRAIN, loss_stages(net, Phase.TRAIN))
    graph = build(view, net.inputs)
    found = [step for step in graph.steps if _is_even(step.layer) and _read_alike(graph, step)]
    dead = set(map(id, dead_weights(view))) if found else set()
    chooser = Chooser(view)
    for step in found:
        layer = step.layer
        if id(layer) in dead:
            continue
        kind = chooser.choose(layer)
        count = f"{layer.number(layer.kind.weights, 'num_output', 0):.0f}"
        message = (
            f"all {count} units start with the same weights, and the next layer reads them with the same weights: "
            f"they stay identical for ever; gives the layer {kind} weights"
        )
        fix = Fix(tuple(fill(layer, kind)), Applicability.UNSAFE, f"weight_filler {kind}")
        holder = layer.node.message(layer.kind.weights)
        yield Finding(NAME, Severity.WARNING, message, holder or layer.node, layer=layer.name, fix=fix)


@alike
def _is_constant(layer: Layer, name: str) -> bool:
    if not layer.kind.linear:
        return False
    holder = layer.node.message(layer.kind.weights)
    return holder is not None and read_filler(holder.message(name)).constant is not None


def _is_even(layer: Layer) -> bool:
    """Whether the layer has several units that start alike, and learns."""
    if not _is_constant(layer, "weight_filler") or layer.param(0).lr_mult == 0 or layer.param(0).shared_name:
        return False
    message = layer.kind.weights
    if layer.number(message, "num_output", 0) < 2 or layer.number(message, "group", 1) != 1:
        return False
    return not layer.flag(message, "bias_term", True) or _is_constant(layer, "bias_filler")


def _read_alike(graph: Graph, step: Step) -> bool:
    """Whether every reader of the layer's units reads all of them with the same weights."""
    blobs = list(step.tops)
    ends = 0
    while blobs:
        for reader in graph.readers(blobs.pop()):
            layer = reader.layer
            if layer.kind.by_channel and len(reader.bottoms) == 1 and _draws_nothing(layer):
                blobs += reader.tops
            elif _is_constant(layer, "weight_filler") and layer.number("convolution_param", "group", 1) == 1:
                ends += 1
            else:
                return False
    return ends > 0


def _draws_nothing(layer: Layer) -> bool:
    if layer.type == "Pooling":
        return layer.word("pooling_param", "pool", "MAX") in ("MAX", "AVE", "0", "1")
    node = layer.node.message(layer.kind.own)
    fillers = [node.message(name) for name in ("filler", "bias_filler")] if node is not None else []
    return all(read_filler(filler).constant is not None for filler in fillers)
