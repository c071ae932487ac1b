"""BatchNorm's three internal blobs are not marked `lr_mult: 0`, as Caffe expects.

## What it finds

BatchNorm layers that have fewer than three `param` blocks, or whose blocks let the solver change the
statistics (`lr_mult` other than 0; 1 is the default). In train nets and snippets also layers without any
block.

## Why it matters

The mean, the variance and the correction factor are blobs of the layer, but not parameters. Since September
2016 Caffe aborts on a block with a learning rate: `Cannot configure batch normalization statistics as layer
parameters`; one or two blocks must say `lr_mult: 0` explicitly, because the default is 1. Before that, a blob
without its block was decayed like a weight.

## Example

```
 layer {
   name: "bn1"
   type: "BatchNorm"
   bottom: "conv1"
   top: "conv1"
   param {
     lr_mult: 0
   }
+  param {
+    lr_mult: 0
+  }
+  param {
+    lr_mult: 0
+  }
 }
```

## Fix safety

Safe: completing one or two blocks makes the net load, or repeats what Caffe assumes; adding all three where
there are none changes nothing in today's Caffe (so the finding is a note) and is needed by Caffe before
September 2016. Where three blocks give a rate, Caffe's own upgrade sets it to 0 on loading.

## When it is a false alarm

In NVIDIA's fork, where the first two blobs are gamma and beta and must learn. A net that only NVIDIA's Caffe
accepts (by its fields, see `caffefix dialects`), a layer whose `batch_norm_param` has a field that BVLC's
Caffe does not have, and one with more than three blocks are not reported. In deploy nets only layers that
cannot load are reported.

## References

- BVLC Caffe, `src/caffe/layers/batch_norm_layer.cpp`, `LayerSetUp`; `upgrade_proto.cpp`,
  `UpgradeNetBatchNorm`; pull request 4704
- NVIDIA/caffe, branch caffe-0.15, `batch_norm_layer.cpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer
from caffefix.caffe.roles import Role
from caffefix.caffe.schema import Schema
from caffefix.findings import OLD_CAFFE, Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import After, Before, Edit, First, Insert, Last, NewField, NewMessage, Place, Replace
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
CHANGES = ("layer.param",)
SIGNS = ("BatchNorm",)
NAME = "batch-norm-lr-mult"

_BLOBS = 3


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each BatchNorm layer."""
    candidates = subject.named or subject.forks
    if candidates and not candidates & ~_gamma_forks(subject.caffes.schema):
        return
    for net in subject.nets:
        trained = subject.learns(net) or subject.role(net) is Role.SNIPPET
        for layer in net.layers:
            if layer.node.name == "layer" and layer.is_bvlc_batch_norm:
                yield from _judge(layer, trained, subject.options.target == OLD_CAFFE)


def _gamma_forks(schema: Schema) -> int:
    """Forks whose BatchNorm fills gamma, one of its blobs: a file that only these accept is not edited."""
    found = 0
    for variant in schema.messages["BatchNormParameter"]["scale_filler"]:
        found |= variant.forks
    return found


def _judge(layer: Layer, trained: bool, old: bool) -> Iterator[Finding]:
    if not trained and not layer.params:
        return
    if len(layer.params) == _BLOBS and not any(param.lr_mult for param in layer.params):
        return
    blocks = [node for node in layer.node.fields("param") if node.is_message]
    if len(blocks) > _BLOBS or any(n.in_list or not n.is_message for n in layer.node.fields("param")):
        return
    learning = [block for block, param in zip(blocks, layer.params, strict=True) if param.lr_mult != 0]
    missing = _BLOBS - len(blocks)
    aborts = bool(learning) and 0 < len(blocks) < _BLOBS
    if not aborts and not (trained and (missing or learning)):
        return
    edits = [*map(_silence, learning), *_complete(layer, blocks, missing)]
    fix = Fix(tuple(edits), Applicability.SAFE, "three param { lr_mult: 0 }")
    # Without any block nothing is wrong in today's Caffe.
    severity = Severity.ERROR if aborts else Severity.WARNING if blocks or old else Severity.INFO
    yield Finding(NAME, severity, _message(len(blocks), bool(learning)), layer.node, layer=layer.name, fix=fix)


def _message(count: int, learning: bool) -> str:
    blocks = "1 param block" if count == 1 else f"{count} param blocks"
    if count == _BLOBS:
        return (
            "the 3 param blocks give BatchNorm's statistics a learning rate, which Caffe sets to 0 when it "
            "loads the net; writes lr_mult: 0"
        )
    if learning:
        return (
            f"BatchNorm's statistics get a learning rate from {blocks} (lr_mult is 1 by default), on "
            "which Caffe aborts; writes three with lr_mult: 0"
        )
    if count:
        return (
            f"{blocks} for the 3 blobs of BatchNorm: Caffe before September 2016 decays the other blobs like "
            "weights; writes three with lr_mult: 0"
        )
    return (
        "no param blocks: Caffe before September 2016 decays BatchNorm's 3 statistics like weights; adds "
        "three with lr_mult: 0 (today's Caffe does the same without them)"
    )


def _silence(block: Node) -> Edit:
    rate = block.field("lr_mult")
    return Insert(First(block), (NewField("lr_mult", "0"),)) if rate is None else Replace(rate, "0")


def _complete(layer: Layer, blocks: list[Node], missing: int) -> list[Edit]:
    if not missing:
        return []
    given = ("lr_mult", *(("decay_mult",) if any(b.has("decay_mult") for b in blocks) else ()))
    fields = given if blocks else ("lr_mult", "decay_mult")
    block = NewMessage("param", tuple(NewField(name, "0") for name in fields))
    return [Insert(_place(layer.node, blocks), (block,) * missing)]


def _place(layer: Node, blocks: list[Node]) -> Place:
    """After the last block; without one, before the first message (``batch_norm_param``)."""
    if blocks:
        return After(blocks[-1])
    message = next((child for child in layer.children() if child.name.endswith("_param")), None)
    return Before(message) if message is not None else Last(layer)
