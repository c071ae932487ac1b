"""A DummyData layer sets its shapes with `num`, `channels`, `height` and `width`.

## What it finds

`dummy_data_param` with the four lists used before 2014-11 instead of `shape`.

## Why it matters

Caffe still reads these fields, but marks them as deprecated in caffe.proto; they can only describe blobs
with four axes, and Caffe aborts if a `shape` is given as well.

## Example

```
 dummy_data_param {
-  num: 2
-  channels: 3
-  height: 32
-  width: 32
+  shape {
+    dim: 2
+    dim: 3
+    dim: 32
+    dim: 32
+  }
 }
```

## Fix safety

Safe: DummyDataLayer produces the same blobs from both. A layer with several tops gets one shape for each.
Lists of different lengths, and lists next to a `shape`, are not reported.

## When it is a false alarm

For forks from before 2014-11: use `--target caffe-old`.

## References

- BVLC Caffe, `src/caffe/layers/dummy_data_layer.cpp`, `LayerSetUp`; `caffe.proto`, `DummyDataParameter`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.schema import load
from caffefix.findings import OLD_CAFFE, Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import Before, Insert, Kept, NewMessage
from caffefix.syntax.tree import Node

PASS = Pass.UPGRADE
SIGNS = ("dummy_data_param",)
NAME = "legacy-dummy-shapes"

_AXES = ("num", "channels", "height", "width")


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer."""
    if subject.options.target == OLD_CAFFE or not subject.forks & load().bit("bvlc"):
        return
    if not subject.knows("DummyDataParameter", "shape"):
        return
    for net in subject.nets:
        for layer in net.layers:
            holder = layer.node.message("dummy_data_param")
            if holder is None or holder.has("shape"):
                continue
            lists = [list(holder.fields(axis)) for axis in _AXES]
            count = len(lists[0])
            if count and all(len(nodes) == count and not any(map(_is_odd, nodes)) for nodes in lists):
                fix = Fix((_shapes(lists),), Applicability.SAFE, "write shape")
                message = (
                    "num, channels, height and width are the old fields for shapes, which Caffe still reads; "
                    "writes shape"
                )
                yield Finding(NAME, Severity.WARNING, message, lists[0][0], layer=layer.name, fix=fix)


def _is_odd(node: Node) -> bool:
    return node.in_list or node.is_message


def _shapes(lists: list[list[Node]]) -> Insert:
    """A shape for each top, in place of the first of the fields."""
    shapes = tuple(
        NewMessage("shape", tuple(Kept(node, "dim") for node in nodes)) for nodes in zip(*lists, strict=True)
    )
    first = min((node for nodes in lists for node in nodes), key=lambda node: node.index)
    return Insert(Before(first), shapes)
