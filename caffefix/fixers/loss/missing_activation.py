"""One layer of a net lacks the activation that all the others have.

## What it finds

A Convolution or InnerProduct layer whose output goes straight into Pooling, Dropout or the next layer of
these types, in a net where every other one is followed by an activation that is named after it (`conv5_2`,
`relu5_2`), at least five of them, all of one type. The last layer before a loss does not count.

## Why it matters

For Caffe nothing is wrong: the net loads and trains. But two layers in a row without an activation compute
no more than one could, and the variance of the signal is not what msra assumes. Most often a layer was lost while
typing: a VGG-16 without `relu5_3`.

## Example

```
+layer {
+  name: "relu5_3"
+  type: "ReLU"
+  bottom: "conv5_3"
+  top: "conv5_3"
+}
 layer {
   name: "pool5"
   type: "Pooling"
   bottom: "conv5_3"
```

## Fix safety

Unsafe: the net computes something different. The added activation works in place and is named like its
siblings.

## When it is a false alarm

When the layer is linear on purpose. Layers whose kernel or number of outputs differs from that of the layer
before them (bottlenecks, scores, embeddings) are not reported, nor is a net with two such layers.

## References

- Simonyan and Zisserman 2014, arXiv:1409.1556 (a ReLU behind every hidden layer)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.records import dataclass
from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.net import Generation, Layer
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import phase_layers, whole_nets
from caffefix.syntax.edits import After, Insert, NewField, NewMessage
from caffefix.syntax.scalars import quoted

PASS = Pass.REPAIR
CHANGES = ("layer",)
NAME = "missing-activation"

_FEWEST = 5
SIGNS = tuple(sorted(kind.name for kind in BOOK.values() if kind.activation))


@dataclass(frozen=True, slots=True)
class _Use:
    """A weighted layer and what reads its output, in order."""

    layer: Layer
    readers: tuple[Layer, ...]

    @property
    def activation(self) -> Layer | None:
        return next((r for r in self.readers if r.kind.activation), None)


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each net."""
    for net in whole_nets(subject):
        if all(layer.generation is Generation.V2 for layer in net.layers):
            yield from _judge(next(phase_layers(net)))


def _is_next(layer: Layer) -> bool:
    """Whether it is a layer that usually follows an activation."""
    return layer.kind.linear or layer.type == "Pooling" or layer.type == "Dropout"


def _judge(view: list[Layer]) -> Iterator[Finding]:
    uses = _uses(view)
    lacking = [(i, use) for i, use in enumerate(uses) if use.activation is None]
    hidden = [(i, use) for i, use in lacking if [r.type for r in use.readers] and _is_next(use.readers[0])]
    if len(hidden) != 1 or len(lacking) > 2:
        return
    index, use = hidden[0]
    siblings = [(u.layer.name, a) for u in uses if (a := u.activation) is not None]
    name = _common_name(siblings, use.layer.name)
    if name is None or any(layer.name == name for layer in view) or not index or len(use.readers) != 1:
        return
    if _shape(uses[index - 1].layer) != _shape(use.layer) or len(use.layer.tops) != 1:
        return
    kind, blob = siblings[0][1].type, use.layer.tops[0]
    message = (
        f"its output goes straight into '{use.readers[0].name}', while all {len(siblings)} layers like it are "
        f"followed by {kind}: Caffe trains it as a linear layer; adds {name}"
    )
    items = (
        NewField("name", name, string=True),
        NewField("type", kind, string=True),
        NewField("bottom", quoted(blob)[1:-1], string=True),
        NewField("top", quoted(blob)[1:-1], string=True),
    )
    fix = Fix((Insert(After(use.layer.node), (NewMessage("layer", items),)),), Applicability.UNSAFE, f"add {name}")
    yield Finding(NAME, Severity.WARNING, message, use.layer.node, layer=use.layer.name, fix=fix)


def _uses(view: list[Layer]) -> list[_Use]:
    """The weighted layers whose output is read, in order, with the layers that read it."""
    readers: dict[int, list[Layer]] = {}
    makers: dict[str, Layer] = {}
    for layer in view:
        for bottom in layer.bottoms:
            maker = makers.get(bottom)
            if maker is not None and maker.kind.linear:
                readers.setdefault(id(maker), []).append(layer)
        makers.update(dict.fromkeys(layer.tops, layer))
    return [_Use(x, tuple(readers[id(x)])) for x in view if x.kind.linear and id(x) in readers]


def _common_name(siblings: list[tuple[str, Layer]], name: str) -> str | None:
    """The name of the activation after a layer of that name, if the siblings follow one naming scheme."""
    if len(siblings) < _FEWEST or len({a.type for _, a in siblings}) > 1:
        return None
    kind = siblings[0][1].type.lower()
    for make in (_replaced, _in_front, _behind):
        if all(make(own, kind) == a.name for own, a in siblings):
            return make(name, kind)
    return None


def _replaced(name: str, kind: str) -> str:
    """``conv5_3`` → ``relu5_3``."""
    return kind + name.lstrip("abcdefghijklmnopqrstuvwxyz")


def _in_front(name: str, kind: str) -> str:
    return f"{kind}_{name}"


def _behind(name: str, kind: str) -> str:
    return f"{name}_{kind}"


def _shape(layer: Layer) -> tuple[str, float, float]:
    holder = layer.kind.weights
    return layer.type, layer.number(holder, "num_output", 0), layer.number(holder, "kernel_size", 0)
