"""Inputs are declared with `input:` and `input_dim:` or `input_shape` instead of an Input layer.

## What it finds

A net with `input` fields at its top level and the shapes of these inputs next to them: the format used
before 2016.

## Why it matters

Caffe turns these fields into an Input layer each time it loads the net. It does not count them: with too
few `input_dim`s (four for each input) or `input_shape`s, Caffe reads beyond the end, and the net gets
garbage dimensions; this is reported and left unchanged. If there are too many, Caffe uses the first ones.
If there are none, Caffe drops the inputs: where a layer produces such a blob, the field has no effect and
is deleted. (With a shape, the field would produce the blob a second time, and Caffe would abort.)

## Example

```
 name: "deploy"
-input: "data"
-input_dim: 1
-input_dim: 3
-input_dim: 224
-input_dim: 224
+layer {
+  name: "input"
+  type: "Input"
+  top: "data"
+  input_param {
+    shape {
+      dim: 1
+      dim: 3
+      dim: 224
+      dim: 224
+    }
+  }
+}
```

## Fix safety

Safe: the result is what Caffe's own upgrade produces in memory, one layer for all inputs, first in the net;
what the upgrade drops is deleted. Forks older than 2016 have no Input layer: where only such forks accept
the file, and with `--target caffe-old`, nothing is done.

## When it is a false alarm

For converters and old forks that read only these fields: use `--target caffe-old`.

## References

- BVLC Caffe, `src/caffe/util/upgrade_proto.cpp`, `UpgradeNetInput`
- BVLC/caffe issue 3895 (old forks refuse `input_param`)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Generation, Net
from caffefix.caffe.registry import Kind
from caffefix.caffe.schema import load
from caffefix.findings import OLD_CAFFE, Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import listed
from caffefix.syntax.edits import Before, Delete, Edit, Insert, Kept, Last, New, NewField, NewMessage, Place
from caffefix.syntax.scalars import string_value
from caffefix.syntax.tree import Node

PASS = Pass.UPGRADE
SIGNS = ("input",)
NAME = "legacy-input-fields"

_DIMS = 4  # input_dims for each input


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each net, once its layers are in V2 format."""
    if subject.options.target == OLD_CAFFE or not subject.forks & load().bit("bvlc"):
        return
    if not subject.knows("LayerParameter", "input_param") or subject.lacks(Kind.LAYER, "Input"):
        return
    for net in subject.nets:
        inputs = list(net.node.fields("input"))
        if inputs and net.generations <= {Generation.V2}:
            yield _judge(net, inputs)


def _judge(net: Net, inputs: list[Node]) -> Finding:
    shapes, dims = list(net.node.fields("input_shape")), list(net.node.fields("input_dim"))
    is_list = any(node.in_list for node in (*inputs, *shapes, *dims))
    if not shapes and not dims and not is_list:
        return _shapeless(net, inputs)
    what = "inputs are declared with input fields, which Caffe turns into an Input layer at each load"
    trouble = "they are written as lists; the net is left unchanged" if is_list else ""
    trouble = _trouble(len(inputs), len(shapes), len(dims)) or trouble
    if trouble:
        return Finding(NAME, Severity.WARNING, f"{what}; {trouble}", inputs[0])
    surplus = [*shapes[len(inputs) :], *dims[_DIMS * len(inputs) :]]
    if surplus:
        what += f", dropping the last {len(surplus)} {surplus[0].name}{'s' if len(surplus) > 1 else ''}"
    fix = _rewrite(net, inputs, shapes, dims, surplus)
    return Finding(NAME, Severity.WARNING, f"{what}; writes an Input layer", inputs[0], layer="", fix=fix)


def _rewrite(net: Net, inputs: list[Node], shapes: list[Node], dims: list[Node], surplus: list[Node]) -> Fix:
    made: list[New] = []
    for index in range(len(inputs)):
        if shapes:
            made.append(Kept(shapes[index], "shape"))
        else:
            own = dims[_DIMS * index : _DIMS * (index + 1)]
            made.append(NewMessage("shape", tuple(Kept(node, "dim") for node in own)))
    place = _place(net, inputs[0])
    # A comment above the first input is about the whole new layer, so it stays above the layer.
    tops = [Kept(node, "top", bare=node is inputs[0] and place == Before(node)) for node in inputs]
    layer = NewMessage(
        "layer",
        (
            NewField("name", "input", string=True),
            NewField("type", "Input", string=True),
            *tops,
            NewMessage("input_param", tuple(made)),
        ),
    )
    edits: list[Edit] = [Insert(place, (layer,)), *map(Delete, surplus)]
    return Fix(tuple(edits), Applicability.SAFE, "rewrite as an Input layer")


def _shapeless(net: Net, inputs: list[Node]) -> Finding:
    """Fields without any shape: Caffe drops them. If a layer produces the blob, they have no effect."""
    what = "no shape is given for the input fields, so Caffe drops them"
    idle = [node for node in inputs if string_value(node.value) not in net.inputs]
    if not idle:
        return Finding(NAME, Severity.WARNING, f"{what}: give an input_shape for each", inputs[0])
    names = listed(repr(string_value(node.value)) for node in idle)
    message = f"{what}, and layers produce {names}: deletes the field{'s' if len(idle) > 1 else ''}"
    fix = Fix(tuple(map(Delete, idle)), Applicability.SAFE, f"delete input {names}")
    return Finding(NAME, Severity.WARNING, message, idle[0], layer="", fix=fix)


def _trouble(inputs: int, shapes: int, dims: int) -> str:
    """Why the fields cannot become a layer."""
    if shapes and dims:
        return "both input_shape and input_dim are given, and Caffe drops input_dim; delete one of them"
    if shapes and shapes < inputs:
        return f"there are {shapes} input_shapes for {inputs} inputs: Caffe reads garbage or aborts"
    if dims and dims < _DIMS * inputs:
        return f"there are {dims} input_dims instead of {_DIMS * inputs} ({inputs} × {_DIMS}): Caffe reads garbage"
    return ""


def _place(net: Net, first: Node) -> Place:
    """The place of the first input, but before all layers."""
    layers = [child for child in net.node.children() if child.name == "layer"]
    if layers and layers[0].index < first.index:
        return Before(layers[0])
    return Before(first) if first.parent is not None else Last(net.node)
