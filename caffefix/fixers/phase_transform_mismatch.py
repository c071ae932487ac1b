"""TRAIN and TEST scale or centre their images differently.

## What it finds

Two data layers for the same blob, one for TRAIN and one for TEST, whose `scale` or `mean_value`s
differ, or of which only one subtracts a mean.

## Why it matters

Each phase has its own data layer with its own `transform_param`; nothing keeps them alike. The net
learns on inputs of one kind and is tested on another: training loss falls while accuracy
stays at chance. A `scale` added to one of the two is the usual cause.

## Example

```
 layer {
   name: "data"
   type: "Data"
   top: "data"
   top: "label"
   include { phase: TEST }
+  transform_param { scale: 0.00390625 }
   data_param { source: "test_lmdb" batch_size: 32 backend: LMDB }
 }
```

## Fix safety

No fix: which of the two is right is not in the file.

## When it is a false alarm

When the two sources hold data of different kinds (one LMDB scaled already, say). Crops, mirroring
and the names of mean files may differ, and are not compared.

## References

- BVLC Caffe, `src/caffe/data_transformer.cpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.layer_types import IMAGE_SOURCES
from caffefix.caffe.net import Layer, Net
from caffefix.caffe.net import Phase as NetPhase
from caffefix.findings import Finding, Phase, Severity, Subject
from caffefix.fixers._layers import only_in, transform_field
from caffefix.syntax.scalars import number_text, number_value

PHASE = Phase.REPAIR
GROUP = "Data and transform"
SIGNS = tuple(sorted(IMAGE_SOURCES))
NAME = "phase-transform-mismatch"
VALUES = True


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each pair of layers, at the one for TEST."""
    for net in subject.nets:
        for train, test in _pairs(net):
            differences = list(_differences(train, test))
            if differences:
                message = (
                    f"TEST images are not transformed like those of TRAIN: {'; '.join(differences)}; "
                    "make the two alike"
                )
                node = test.node.message("transform_param") or test.node
                yield Finding(NAME, Severity.WARNING, message, node, test.name)


def _pairs(net: Net) -> Iterator[tuple[Layer, Layer]]:
    """Data layers for the same blob in TRAIN and in TEST, where there is one of each."""
    by_top: dict[str, list[Layer]] = {}
    for layer in net.layers:
        if layer.type in IMAGE_SOURCES and layer.tops and not layer.stages:
            by_top.setdefault(layer.tops[0], []).append(layer)
    for sources in by_top.values():
        train, test = ([x for x in sources if only_in(x, phase)] for phase in (NetPhase.TRAIN, NetPhase.TEST))
        if len(train) == len(test) == 1 and train[0].type == test[0].type:
            yield train[0], test[0]


def _differences(train: Layer, test: Layer) -> Iterator[str]:
    if train.type != "WindowData":  # reads its scale elsewhere
        one, other = _scale(train), _scale(test)
        if one != other:
            yield f"scale {number_text(other)} against {number_text(one)}"
    if _has_mean(train) != _has_mean(test):
        yield "a mean is subtracted in TEST only" if _has_mean(test) else "no mean is subtracted"
    elif _means(train) and _means(test) and set(_means(train)) != set(_means(test)):
        shown = (", ".join(map(number_text, _means(x))) for x in (test, train))
        yield "mean_value {} against {}".format(*shown)


def _scale(layer: Layer) -> float:
    node = transform_field(layer, "scale")
    number = number_value(node.value) if node is not None else None
    return 1.0 if number is None else number


def _means(layer: Layer) -> list[float]:
    transform = layer.node.message("transform_param")
    values = transform.scalars("mean_value") if transform is not None else []
    return [number for value in values if (number := number_value(value)) is not None]


def _has_mean(layer: Layer) -> bool:
    return transform_field(layer, "mean_file") is not None or any(_means(layer))
