"""The deploy net is not the net whose weights it is to load.

## What it finds

A deploy net beside a train net with the same layers (at least three of four layers with weights
have a namesake of the same type, and each is the other's best match in the folder). The names of the
files must not speak against it: but for words like `train` and `deploy` they are the same, or it is `deploy`
alone beside the only train net. Where solvers beside them train one of several such nets, it is that one.
In it, for at most one of four layers,

- a layer with weights of another shape: `num_output`, `kernel_size`, `group`, `bias_term`;
- a layer that computes something else: `stride`, `pad`, `dilation`, the fields of Pooling and LRN;
- a layer with weights that the train net does not have, and that does not share them (`param { name }`)
  with one that it has;
- a layer of the train net that is missing between two layers that both nets have: one with weights,
  ReLU and other activations, Pooling, LRN; or one of these too many.

## Why it matters

Weights are loaded by the names of layers. Where shapes differ, Caffe aborts: `Cannot copy param 0
weights from layer 'fc8'; shape mismatch`, or `Incompatible number of blobs for layer fc8`. All else
goes unnoticed: a layer without a namesake keeps what its filler gives, zeros by default, and
another stride or a missing ReLU makes another net, whose answers are worse than they were in
training.

## Example

With `num_output: 20` in the train net:

```
 inner_product_param {
-  num_output: 1000
+  num_output: 20
 }
```

## Fix safety

No fix: which of the two nets is right cannot be told from them.

## When it is a false alarm

If the deploy net loads weights that were changed for it (net surgery), or is for another model than
the train net beside it. Nets with stages are not compared; where the deploy net has none of the
train net's BatchNorm layers, they are taken to be merged into the weights. Pooling behind the last
layer with weights is not compared, for it goes with the size of the images.

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

_ELSE = "with weights from there it computes something else, if they fit at all"


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
        return  # not the same net with mistakes, but another one
    for layer, message in found:
        yield Finding(NAME, Severity.WARNING, message, layer.node, layer.name)


def _is_merged(mine: list[Layer], theirs: list[Layer]) -> bool:
    """Whether the train net's BatchNorm is gone into the weights."""
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
                yield layer, f"{name} has no such layer, so that its weights stay as they are filled"
            continue
        if twin.type != layer.type:
            continue
        if have_weights.get(layer.name) is layer:
            for field, here, there in _different(shape(layer), shape(twin)):
                what = "Incompatible number of blobs" if field == "bias_term" else "shape mismatch"
                yield layer, f'{field} is {here}, in {name} {there}: weights from there do not fit ("{what}")'
        if index > last:
            continue  # pooling behind the last weights goes with the size of the input
        for field, here, there in _different(geometry(layer), geometry(twin)):
            yield layer, f"{field} is {here}, in {name} {there}: {_ELSE}"


def _shares(layer: Layer, loaded: Collection[str]) -> bool:
    """Whether a layer has a parameter by the name under which another one's is loaded."""
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
    """Layers too many or too few between two that both nets have."""
    expected = {(first.name, last.name): chain for first, last, chain in between(theirs)}
    before = {last: first for first, last in expected}
    kept = weighted(mine).keys()
    for first, last, chain in between(mine):
        place = f"between {first.name} and {last.name}"
        skipped = _skipped(first.name, last.name, before, kept)
        if skipped:
            yield last, f"{place} {name} has {_chain(skipped)}, which is missing here: {_ELSE}"
        twin = expected.get((first.name, last.name))
        here, there = ([layer.type for layer in layers] for layers in (chain, twin or ()))
        if twin is not None and here != there:
            yield last, f"{place} stands {_chain(here)}, in {name} {_chain(there)}: {_ELSE}"


def _skipped(first: str, last: str, before: dict[str, str], kept: Collection[str]) -> list[str]:
    """The layers with weights that the train net has between two layers, and the deploy net has not."""
    found: list[str] = []
    name = before.get(last)
    while name is not None and name not in kept and name not in found:
        found.insert(0, name)
        name = before.get(name)
    return found if name == first else []


def _chain(names: list[str]) -> str:
    return ", ".join(names) or "nothing"
