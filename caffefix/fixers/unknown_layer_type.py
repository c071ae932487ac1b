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

Safe, where the type reads the messages of parameters that the layer has, and where Caffe then sets
the layer up: the old net could not be built. `type: "data"` beside `input_param` is no `"Data"` layer,
which would ask for a database: where one type alone reads the message that is there, this type is
offered, and the fix is unsafe. A layer that lacks what the type needs, or that does not fit its
bottoms with it, is shown without a fix.

## When it is a false alarm

For a fork that registers a type of the same letters. One is known (CTPN's `Lstm`) and left
alone, and so is every file that BVLC's parser does not take, because it is some fork's.

## References

- BVLC Caffe, `include/caffe/layer_factory.hpp`, `CreateLayer`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix.caffe.graph import graph
from caffefix.caffe.layers.book import kind_of
from caffefix.caffe.layers.bvlc import BVLC_TYPES
from caffefix.caffe.layers.params import lacks, messages, reading, reads
from caffefix.caffe.net import Generation, Layer, Net
from caffefix.caffe.net import Phase as NetPhase
from caffefix.caffe.roles import Role
from caffefix.caffe.schema import load
from caffefix.caffe.shapes import infer
from caffefix.findings import Applicability, Finding, Fix, Phase, Severity, Subject
from caffefix.fixers.wrong_blob_count import miscounted
from caffefix.records import dataclass
from caffefix.syntax.edits import Replace
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import parse
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


@dataclass(frozen=True, slots=True)
class _Misspelt:
    """A layer of a type that is written in other letters.

    Attributes:
        net: the index of its net.
        index: its own, among the net's layers.
        layer: the layer.
        node: its type.
        alike: BVLC's type of these letters.
        right: the type that reads what the layer has: mostly the same; empty if none does, or several.
    """

    net: int
    index: int
    layer: Layer
    node: Node
    alike: str
    right: str

    @property
    def edit(self) -> Replace:
        quote = self.node.value[0]
        return Replace(self.node, f"{quote}{self.right}{quote}")


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer, in files that BVLC's parser takes."""
    if not subject.forks & load().bit("bvlc"):
        return
    found = [item for number, net in enumerate(subject.nets) for item in _misspelt(number, net)]
    troubles = _troubles(subject, [item for item in found if item.right])
    for item in found:
        yield _finding(item, troubles.get(id(item), ""))


def _misspelt(number: int, net: Net) -> Iterator[_Misspelt]:
    for index, layer in enumerate(net.layers):
        alike = _FOLDED.get(layer.type.lower(), layer.type)
        if alike == layer.type or layer.type in _OF_FORKS or layer.generation is not Generation.V2:
            continue
        node = layer.node.field("type")
        if node is not None and is_string(node.value):
            yield _Misspelt(number, index, layer, node, alike, _right(alike, messages(layer)))


def _right(alike: str, given: Sequence[str]) -> str:
    if reads(alike, given):
        return alike
    able = list(reading(given))
    return able[0] if len(able) == 1 else ""


def _troubles(subject: Subject, found: Sequence[_Misspelt]) -> dict[int, str]:
    """Why Caffe would still not set up a layer, in the file as it is with all of the types put right."""
    if not found:
        return {}
    document = subject.document
    text = apply(document.text, lower(document, [item.edit for item in found], NAME))
    after = Subject(parse(text), subject.options)
    return {id(item): _trouble(after, after.nets[item.net], item) for item in found}


def _trouble(after: Subject, net: Net, item: _Misspelt) -> str:
    layer = net.layers[item.index]
    needed = lacks(layer.type, messages(layer))
    if needed:
        return f"it needs {needed}"
    if after.role(net) is not Role.SNIPPET and miscounted(layer):
        return "its bottoms and tops are not as many as that type takes"
    for phase in NetPhase:
        for problem in infer(graph(net, phase, layer.stages), net, phase).problems:
            if problem.layer is layer:
                return f'Caffe then aborts with "{problem.message}"'
    return ""


def _finding(item: _Misspelt, trouble: str) -> Finding:
    layer, right = item.layer, item.right
    what = f'Caffe aborts with "Unknown layer type: {layer.type}", for case matters'
    fix = None
    if not right or trouble:
        hint = trouble or f"it does not read {' and '.join(_unread(item))}, which the layer has"
        message = f'{what}; "{right or item.alike}" is not put there, for {hint}'
    elif right == item.alike:
        message = f'{what}; writes "{right}"'
        fix = Fix((item.edit,), Applicability.SAFE, f"{layer.type} → {right}")
    else:
        unread = " and ".join(_unread(item))
        message = (
            f'{what}; "{item.alike}" does not read {unread}, which the layer has: writes "{right}", which does'
        )
        fix = Fix((item.edit,), Applicability.UNSAFE, f"{layer.type} → {right}")
    return Finding(NAME, Severity.ERROR, message, item.node, layer.name, fix)


def _unread(item: _Misspelt) -> list[str]:
    read = kind_of(item.alike).params
    return [name for name in messages(item.layer) if name not in read]
