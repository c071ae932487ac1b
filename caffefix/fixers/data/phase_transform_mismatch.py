"""TRAIN and TEST scale or centre their images differently.

## What it finds

Two data layers for the same blob, one for TRAIN and one for TEST, whose `scale` or `mean_value`s differ, or
of which only one subtracts a mean. As a note, also two layers with the same crop that subtract mean images of
different names.

## Why it matters

Each phase has its own data layer with its own `transform_param`; nothing keeps them alike. The net is trained
on one kind of input and tested on another: training loss falls while accuracy stays at chance. A `scale`
added to only one of the two is the usual cause.

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

No fix: the file does not say which of the two is right.

## When it is a false alarm

When the two sources hold data of different kinds (one LMDB already scaled, say). Crops and mirroring may
differ, and are not compared. Mean images of different names may still be the same. Where the two layers crop
differently, the names are not compared, because the images may then differ in size.

## References

- BVLC Caffe, `src/caffe/data_transformer.cpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.net import Layer
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._layers import phase_twins, transform_field
from caffefix.syntax.scalars import number_text, number_value, string_value

PASS = Pass.REPAIR
SIGNS = tuple(sorted(kind.name for kind in BOOK.values() if kind.images))
NAME = "phase-transform-mismatch"
VALUES = True


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each pair of layers, at the one for TEST."""
    for net in subject.nets:
        for train, test in phase_twins(net, _is_of_images):
            differences = list(_differences(train, test))
            severity = Severity.WARNING if differences else Severity.INFO
            differences += _mean_files(train, test)
            if differences:
                message = (
                    f"TEST images are not transformed like TRAIN images: {'; '.join(differences)}; "
                    "make the two alike"
                )
                node = test.node.message("transform_param") or test.node
                yield Finding(NAME, severity, message, node, test.name)


def _is_of_images(layer: Layer) -> bool:
    return layer.kind.images


def _differences(train: Layer, test: Layer) -> Iterator[str]:
    if train.type != "WindowData":  # reads its scale elsewhere
        one, other = _scale(train), _scale(test)
        if one != other:
            yield f"scale {number_text(other)} against {number_text(one)}"
    if _has_mean(train) != _has_mean(test):
        yield "a mean is subtracted in TEST only" if _has_mean(test) else "no mean is subtracted in TEST"
    elif _means(train) and _means(test) and set(_means(train)) != set(_means(test)):
        shown = (", ".join(map(number_text, _means(x))) for x in (test, train))
        yield "mean_value {} against {}".format(*shown)


def _mean_files(train: Layer, test: Layer) -> list[str]:
    """The difference between mean images, compared only where the same crop (or none) makes sizes equal."""
    nodes = [transform_field(layer, "mean_file") for layer in (test, train)]
    crops = [transform_field(layer, "crop_size") for layer in (test, train)]
    if None in nodes or len({crop and number_value(crop.value) for crop in crops}) > 1:
        return []
    names = [string_value(node.value) for node in nodes if node is not None]
    # The last folder counts too: several paths may lead to the same file.
    one, other = (name.replace("\\", "/").split("/")[-2:] for name in names)
    alike = one == other or (one[-1] == other[-1] and 1 in (len(one), len(other)))
    return [] if alike else [f"mean_file {names[0]} against {names[1]}"]


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
