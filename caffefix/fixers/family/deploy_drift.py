"""The deploy net differs from the net whose weights it is meant to load.

## What it finds

A deploy net in the same folder as a train net with the same layers (at least three of four layers with
weights have a namesake of the same type, and each is the other's best match in the folder). The names of the
files must fit: they are the same apart from words like `train` and `deploy`, or the deploy net has only such
words in its name and there is a single train net. Where solvers in the folder train one of several such nets,
that one is compared. Where at most one of four layers of the deploy net differs, the findings are

- a layer with weights of another shape: `num_output`, `kernel_size`, `group`, `bias_term`;
- a layer that computes something different: `stride`, `pad`, `dilation`, the fields of Pooling and LRN;
- a layer with weights that the train net does not have, and that does not share them (`param { name }`) with
  a layer that it has;
- a layer of the train net that is missing between two layers that both nets have: one with weights, ReLU and
  other activations, Pooling, LRN; or a surplus layer of one of these kinds.

## Why it matters

Caffe loads weights by the names of layers. Where shapes differ, it aborts: `Cannot copy param 0 weights from
layer 'fc8'; shape mismatch`, or `Incompatible number of blobs for layer fc8`. Everything else goes unnoticed:
a layer without a namesake keeps the values of its filler, zeros by default, and another stride or a missing
ReLU makes a different net, whose answers are worse than they were in training.

## Example

With `num_output: 20` in the train net:

```
 inner_product_param {
-  num_output: 1000
+  num_output: 20
 }
```

## Fix safety

No fix: the two nets do not show which of them is right.

## When it is a false alarm

If the deploy net loads weights that were changed for it (net surgery), or belongs to another model than the
train net in the same folder. Nets with stages are not compared; where the deploy net has none of the train
net's BatchNorm layers, they are assumed to be merged into the weights. Pooling after the last layer with
weights is not compared, because it depends on the size of the images.

## References

- BVLC Caffe, `src/caffe/net.cpp`, `CopyTrainedLayersFrom`
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from caffefix.caffe.family import between, geometry, shape, test_view, weighted
from caffefix.caffe.net import Layer
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.syntax.scalars import number_text

PASS = Pass.TUNE
SIGNS = ("deploy",)
NAME = "deploy-drift"
NEEDS_FAMILY = True

_ELSE = "with its weights this net computes something different, if they fit"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer that differs, in the deploy net."""
    pair = subject.family.train_net(subject.document)
    if pair is None:
        return
    member, train = pair
    mine, theirs = test_view(subject.nets[0]), test_view(train)
    if _is_merged(mine, theirs):
        return
    found = [*_layers(mine, theirs, member.name), *_chains(mine, theirs, member.name)]
    if len({layer.name for layer, _ in found}) > max(1, len(weighted(mine)) // 4):
        return  # a different net, not the same one with mistakes
    for layer, message in found:
        yield Finding(NAME, Severity.WARNING, message, layer.node, layer.name)


def _is_merged(mine: list[Layer], theirs: list[Layer]) -> bool:
    """Whether the train net's BatchNorm is merged into the weights."""
    kinds = {layer.kind for layer in theirs} - {layer.kind for layer in mine}
    return any(kind.folds for kind in kinds)


def _layers(mine: list[Layer], theirs: list[Layer], name: str) -> Iterator[tuple[Layer, str]]:
    """Layers that differ from their namesakes, or have none."""
    twins: dict[str, Layer] = {}
    for layer in theirs:
        twins.setdefault(layer.name, layer)
    have_weights = weighted(mine)
    loaded = {param.shared_name for each in mine if each.name in twins for param in each.params}
    last = max(index for index, layer in enumerate(mine) if have_weights.get(layer.name) is layer)
    for index, layer in enumerate(mine):
        twin = twins.get(layer.name)
        if twin is None:
            if have_weights.get(layer.name) is layer and not _shares(layer, loaded):
                yield layer, f"{name} has no such layer, so its weights keep the values of the filler"
            continue
        if twin.type != layer.type:
            continue
        if have_weights.get(layer.name) is layer:
            for field, here, there in _different(shape(layer), shape(twin)):
                what = "Incompatible number of blobs" if field == "bias_term" else "shape mismatch"
                yield layer, f'{field} is {here}, but {there} in {name}, whose weights do not fit ("{what}")'
        if index > last:
            continue  # pooling after the last weights depends on the size of the input
        for field, here, there in _different(geometry(layer), geometry(twin)):
            yield layer, f"{field} is {here}, but {there} in {name}: {_ELSE}"


def _shares(layer: Layer, loaded: Collection[str]) -> bool:
    """Whether a layer has a parameter of the same name as one of another layer that is loaded."""
    return any(param.shared_name and param.shared_name in loaded for param in layer.params)


def _different(here: dict[str, object], there: dict[str, object]) -> Iterator[tuple[str, str, str]]:
    for field in {**here, **there}:
        if here.get(field) != there.get(field):
            yield field, _text(here.get(field)), _text(there.get(field))


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return "x".join(dict.fromkeys(_text(item) for item in value))
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, (int, float)) else str(value or "absent")


def _chains(mine: list[Layer], theirs: list[Layer], name: str) -> Iterator[tuple[Layer, str]]:
    """Surplus or missing layers between two that both nets have."""
    expected = {(first.name, last.name): chain for first, last, chain in between(theirs)}
    before = {last: first for first, last in expected}
    kept = weighted(mine).keys()
    for first, last, chain in between(mine):
        place = f"between {first.name} and {last.name}"
        skipped = _skipped(first.name, last.name, before, kept)
        if skipped:
            yield last, f"{place} {name} has {_chain(skipped)}, missing here: {_ELSE}"
        twin = expected.get((first.name, last.name))
        here, there = ([layer.type for layer in layers] for layers in (chain, twin or ()))
        if twin is not None and here != there:
            yield last, f"{place} there is {_chain(here)}, but {_chain(there)} in {name}: {_ELSE}"


def _skipped(first: str, last: str, before: dict[str, str], kept: Collection[str]) -> list[str]:
    """The layers with weights that only the train net has between two layers."""
    found: list[str] = []
    name = before.get(last)
    while name is not None and name not in kept and name not in found:
        found.insert(0, name)
        name = before.get(name)
    return found if name == first else []


def _chain(names: list[str]) -> str:
    return ", ".join(names) or "nothing"
