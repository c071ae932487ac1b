"""Layers share a blob, but give it different learning rates.

## What it finds

`param` blocks of the same `name` in one phase whose `lr_mult` (or `decay_mult`) are given and differ. Where
only one of the layers gives the field, its value holds for all.

## Why it matters

A shared blob is learned once, with one learning rate. Caffe aborts while it builds the net: `Shared param
'conv1_w' has mismatched lr_mult.`

## Example

```
 layer {
   name: "conv1_p"
   type: "Convolution"
   bottom: "data_p"
   top: "conv1_p"
-  param { name: "conv1_w" lr_mult: 2 }
+  param { name: "conv1_w" lr_mult: 1 }
   convolution_param { num_output: 32 kernel_size: 3 }
 }
```

## Fix safety

No fix: the file does not say which of the two rates is intended.

## When it is a false alarm

For Caffe before 2015, which did not compare the rates and used those of the first layer.

## References

- BVLC Caffe, `src/caffe/net.cpp`, `Net::AppendParam`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._layers import bvlc_nets, in_each_phase
from caffefix.syntax.scalars import is_string, number_value, string_value
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
SIGNS = ("param",)
NAME = "mismatched-shared-params"

_V1 = {"lr_mult": "blobs_lr", "decay_mult": "weight_decay"}


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each rate that differs from the first one given."""
    for net in bvlc_nets(subject):
        yield from in_each_phase(net, _judge)


def _judge(view: list[Layer]) -> Iterator[Finding]:
    given: dict[tuple[str, str], tuple[float, str]] = {}
    for layer in view:
        if layer.type == "BatchNorm":
            continue  # Caffe overwrites its rates before it compares them
        for name, field, node in _rates(layer):
            value = number_value(node.value)
            if value is None:
                continue
            first = given.setdefault((name, field), (value, layer.name))
            if first[0] != value:
                message = (
                    f"{field} {node.value} for the shared param '{name}', which has {first[0]:g} in layer "
                    f"'{first[1]}': Caffe aborts with \"Shared param '{name}' has mismatched {field}.\""
                )
                yield Finding(NAME, Severity.ERROR, message, node, layer.name)


def _rates(layer: Layer) -> Iterator[tuple[str, str, Node]]:
    """Each rate of a shared blob: the blob's name, ``lr_mult`` or ``decay_mult``, and its node."""
    specs = list(layer.node.fields("param"))
    for index, spec in enumerate(specs):
        if spec.is_message:
            name = spec.string("name")
            fields = [(field, spec.field(field)) for field in _V1]
        else:
            name = string_value(spec.value) if is_string(spec.value) else None
            lists = [(field, list(layer.node.fields(old))) for field, old in _V1.items()]
            fields = [(field, nodes[index] if index < len(nodes) else None) for field, nodes in lists]
        if name:
            yield from ((name, field, node) for field, node in fields if node is not None)
