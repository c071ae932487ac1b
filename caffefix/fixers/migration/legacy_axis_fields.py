"""The axis of a Concat or Slice layer is set with `concat_dim` or `slice_dim` instead of `axis`.

## What it finds

`concat_param { concat_dim: 1 }` and `slice_param { slice_dim: 1 }`, the names used before 2014-11.

## Why it matters

Caffe still reads these fields, but marks them as deprecated in caffe.proto, and aborts if both names are
given: `Either axis or concat_dim should be specified; not both.` Other readers know only `axis`.

## Example

```
 concat_param {
-  concat_dim: 1
+  axis: 1
 }
```

## Fix safety

Safe: ConcatLayer and SliceLayer treat the two names alike. If both are present, Caffe aborts; the old field
is deleted if it has the same value, and otherwise left for you to decide. Files that BVLC's Caffe does not
accept are not reported: their fork may be older than `axis`.

## When it is a false alarm

For forks from before 2014-11: use `--target caffe-old`.

## References

- BVLC Caffe, `src/caffe/layers/concat_layer.cpp` and `slice_layer.cpp`, `LayerSetUp`; `caffe.proto`,
  `ConcatParameter`, `SliceParameter`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.net import Layer
from caffefix.caffe.schema import load
from caffefix.findings import OLD_CAFFE, Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import Delete, Edit, Rename
from caffefix.syntax.scalars import integer_value
from caffefix.syntax.tree import Node

PASS = Pass.UPGRADE
# Where both names are given, one is deleted: such a file could not load.
CHANGES = ("layer.concat_param.concat_dim", "layer.slice_param.slice_dim")
NAME = "legacy-axis-fields"

SIGNS = tuple(kind.old_axis for kind in BOOK.values() if kind.old_axis)


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each field."""
    if subject.options.target == OLD_CAFFE or not subject.forks & load().bit("bvlc"):
        return
    for net in subject.nets:
        for layer in net.layers:
            old = layer.kind.old_axis
            holder = layer.node.message(layer.kind.own) if old else None
            nodes = list(holder.fields(old)) if holder is not None else []
            if holder is not None and len(nodes) == 1 and not nodes[0].in_list and not nodes[0].is_message:
                yield _judge(layer, holder, nodes[0])


def _judge(layer: Layer, holder: Node, node: Node) -> Finding:
    axis = holder.scalar("axis")
    if axis is None:
        message = f"{node.name} is the old name of axis: Caffe still reads it, other readers do not; renames it"
        return _finding(
            Severity.WARNING, message, node, layer, edit=Rename(node, "axis"), title=f"axis: {node.value}"
        )
    both = f"{node.name} and axis are both given, so Caffe aborts: Either axis or {node.name} should be specified"
    if integer_value(axis) == integer_value(node.value):
        message = f"{both}; deletes the old field, which has the same value"
        return _finding(Severity.ERROR, message, node, layer, edit=Delete(node), title=f"delete {node.name}")
    return Finding(NAME, Severity.ERROR, f"{both}; delete the one that is not meant", node, layer.name)


def _finding(severity: Severity, message: str, node: Node, layer: Layer, edit: Edit, title: str) -> Finding:
    return Finding(NAME, severity, message, node, layer=layer.name, fix=Fix((edit,), Applicability.SAFE, title))
