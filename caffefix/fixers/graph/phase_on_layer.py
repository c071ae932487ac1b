"""`phase` is set on a layer itself, where it does not keep the layer out of the other phase.

## What it finds

A layer with a `phase: TRAIN` or `phase: TEST` of its own and no `include` or `exclude`, in a net where two
such layers, or one of them and a layer that exists in both phases, produce the same blob.

## Why it matters

Only `include { phase: … }` and `exclude { phase: … }` decide which layers a phase has. A layer's own
`phase` field only tells the layer how to behave: the layer exists in both phases. So the usual pair of data
layers becomes two layers that produce the same blob, and Caffe aborts with `Top blob 'data' produced by
multiple sources.`

## Example

```
 layer {
   name: "data"
   type: "Data"
   top: "data"
   top: "label"
-  phase: TRAIN
+  include {
+    phase: TRAIN
+  }
   data_param { source: "train_lmdb" batch_size: 32 backend: LMDB }
 }
 layer {
   name: "data"
   type: "Data"
   top: "data"
   top: "label"
-  phase: TEST
+  include {
+    phase: TEST
+  }
   data_param { source: "test_lmdb" batch_size: 32 backend: LMDB }
 }
```

## Fix safety

Safe where the old net could be built in neither phase, or stays the same in the phase in which it could be
built. Otherwise unsafe: a net that worked loses a layer. All layers that have a `phase` and no rules are
changed together.

## When it is a false alarm

A layer may have a `phase` so that it behaves as in that phase in both phases, and nets printed by Caffe
have a `phase` in every layer. Where no blob is produced twice, nothing is reported.

## References

- BVLC Caffe, `src/caffe/net.cpp`, `Net::FilterNet`, `Net::Init`; `caffe.proto`, `LayerParameter`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Generation, Layer, Net, Phase
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import bvlc_nets, listed
from caffefix.syntax.edits import wrap
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
CHANGES = ("layer.phase", "layer.include")
SIGNS = ("phase",)
NAME = "phase-on-layer"

_PHASES = {"TRAIN": Phase.TRAIN, "0": Phase.TRAIN, "TEST": Phase.TEST, "1": Phase.TEST}


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each net."""
    for net in bvlc_nets(subject):
        phased = {id(layer): node for layer in net.layers if (node := _phase(layer)) is not None}
        if not phased:
            continue
        before, after = (_twice(net, ids) for ids in ({}, phased))
        if not any(before.values()) or any(after.values()):
            continue  # the net loads already, or would not load after the edit either
        layers = [layer for layer in net.layers if id(layer) in phased]
        failing = [phase for phase, blobs in before.items() if blobs]
        blob = before[failing[0]][0]
        where = "" if len(failing) == len(before) else f" in phase {failing[0].value}"
        names = listed(dict.fromkeys(x.name for x in layers))
        message = (
            f"phase in {names} does not keep a layer out of the other phase, so Caffe aborts{where} with "
            f"\"Top blob '{blob}' produced by multiple sources.\"; writes include {{ phase: … }}"
        )
        edits = tuple(wrap((node,), "include") for node in phased.values())
        fix = Fix(edits, _applicability(before, phased), f"phase → include {{ phase }} ({len(edits)} layers)")
        yield Finding(NAME, Severity.ERROR, message, next(iter(phased.values())), layer=layers[0].name, fix=fix)


def _phase(layer: Layer) -> Node | None:
    """The ``phase`` of a layer without rules."""
    node = layer.node.field("phase") if layer.generation is Generation.V2 else None
    if node is None or node.value not in _PHASES or layer.node.has("include") or layer.node.has("exclude"):
        return None
    return node


def _applicability(before: dict[Phase, list[str]], phased: dict[int, Node]) -> Applicability:
    """SAFE if no phase in which the net could be built loses a layer."""
    built = [phase for phase, blobs in before.items() if not blobs]
    loses = any(_PHASES[node.value] is not phase for phase in built for node in phased.values())
    return Applicability.UNSAFE if loses else Applicability.SAFE


def _twice(net: Net, phased: dict[int, Node]) -> dict[Phase, list[str]]:
    """For each phase, the blobs produced twice if these layers exist only in their own phase."""
    found: dict[Phase, list[str]] = {}
    for phase in Phase:
        made: set[str] = set(net.inputs)
        found[phase] = []
        for layer in net.view(phase):
            node = phased.get(id(layer))
            if node is not None and _PHASES[node.value] is not phase:
                continue
            for index, top in enumerate(layer.tops):
                in_place = index < len(layer.bottoms) and layer.bottoms[index] == top
                if top in made and not in_place:
                    found[phase].append(top)
                made.add(top)
    return found
