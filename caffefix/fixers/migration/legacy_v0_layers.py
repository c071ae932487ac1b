"""Layers are written in the first format, `layers { layer { … } }` (V0).

## What it finds

Nets whose layers wrap an inner `layer` with lower-case types (`conv`, `innerproduct`, `padding`), the
format used before the end of 2013.

## Why it matters

Caffe upgrades such a net each time it loads it, with a warning, and silently drops what the old upgrade
does not know (an `include` next to the inner layer, for instance). Most other readers refuse it.

## Example

```
 layers {
-  layer {
-    name: "conv1"
-    type: "conv"
+  name: "conv1"
+  type: CONVOLUTION
+  convolution_param {
     num_output: 96
-    kernelsize: 11
+    kernel_size: 11
   }
   bottom: "data"
   top: "conv1"
 }
```

`legacy-v1-layers` then rewrites this as `layer { type: "Convolution" }`.

## Fix safety

Safe: the text becomes what Caffe's own upgrade produces in memory. Padding layers are folded into the
convolution or pooling that follows them. Where the upgrade would silently drop a field, the net is left
unchanged by default, and the field is named; `--unsafe` keeps the fields that V1 has (an `include` next to
the inner layer then does what its author meant).

## When it is a false alarm

Never: no later format has a `layer` inside `layers`.

## References

- BVLC Caffe, `src/caffe/util/upgrade_proto.cpp`: `UpgradeV0Net`, `UpgradeV0PaddingLayers`,
  `UpgradeV0LayerParameter`, `UpgradeV0LayerType`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.records import dataclass, field
from caffefix.caffe.net import Generation, Layer, Net
from caffefix.caffe.schema import load
from caffefix.caffe.v0 import PADDED, PADDING, REPEATED, SAME, V0_TYPES, destination
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import Delete, Edit, Insert, Last, NewField, Replace, Unwrap, wrap
from caffefix.syntax.scalars import is_string, string_value
from caffefix.syntax.tree import Node

PASS = Pass.UPGRADE
SIGNS = ("layers",)
NAME = "legacy-v0-layers"

_OUTER = frozenset(("bottom", "top", "layer"))
# The net's own fields that the upgrade copies; it drops the rest.
_NET = frozenset(("name", "layers", "input", "input_dim", "force_backward"))


class _LeftAlone(Exception):
    """Something that cannot be migrated."""

    def __init__(self, node: Node, why: str) -> None:
        super().__init__(why)
        self.node = node
        self.why = why


@dataclass
class _Plan:
    """Edits, and fields that Caffe would drop although V1 has them."""

    edits: list[Edit] = field(default_factory=list)
    dropped: list[Node] = field(default_factory=list)


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each net. Migration takes up to three rounds: padding, fields, unwrapping."""
    for net in subject.all_nets:
        old = [layer for layer in net.layers if layer.generation is Generation.V0]
        if not old:
            continue
        first = next(net.node.fields("layers"))
        try:
            plan = _plan(net, old)
        except _LeftAlone as error:
            rest = "it is" if len(old) == 1 else "they are"
            yield Finding(NAME, Severity.WARNING, f"{_what(len(old))}; left as {rest}: {error.why}", error.node)
            continue
        # Padding layers go in the first round; they are not counted, so all rounds have the same message.
        what = _what(sum(_type(layer) != PADDING for layer in old) or len(old))
        if plan.dropped:
            names = ", ".join(dict.fromkeys(node.name for node in plan.dropped))
            upgrade = f"which Caffe upgrades at each load, silently dropping {names}"
            message = f"{what}, {upgrade}; migrates the net and keeps {names}"
            title = f"migrate V0, keeping {names}"
            fix = Fix(tuple(plan.edits), Applicability.UNSAFE, title, _revived(plan.dropped))
        else:
            message = f"{what}, which Caffe upgrades at each load; rewrites them in V1 format"
            # Caffe ignores old layers inside a solver, so to Caffe the migrated layers are new.
            changes = ("layer",) if net.node.parent is not None else None
            fix = Fix(tuple(plan.edits), Applicability.SAFE, "rewrite as layers { … }", changes)
        yield Finding(NAME, Severity.WARNING, message, first, layer="", fix=fix)


def _what(number: int) -> str:
    count = "1 layer is" if number == 1 else f"{number} layers are"
    return f"{count} in V0 format (layers {{ layer {{ … }} }})"


def _revived(dropped: list[Node]) -> tuple[str, ...]:
    """Paths that take effect once they are no longer dropped."""
    paths = set()
    for node in dropped:
        inside = next(node.ancestors(), None)
        if node.name in ("layer", "layers"):
            paths.add("layer")
        else:
            paths.add(node.name if inside is None else f"layer.{node.name}")
    return tuple(sorted(paths))


def _plan(net: Net, old: list[Layer]) -> _Plan:
    plan = _Plan()
    for node in net.node.children() if net.node.parent is None else ():
        _check_known(node, "NetParameter", "nets have")
    plan.dropped += [node for node in net.node.children() if node.name not in _NET and net.node.parent is None]
    plan.dropped += [layer.node for layer in net.layers if layer.generation is Generation.V1]
    for layer in old:
        if layer.node.in_list:
            raise _LeftAlone(layer.node, "it is written as a list")
        for node in layer.node.children():
            _check_known(node, "V1LayerParameter", "layers have")
        plan.dropped += [node for node in layer.node.children() if node.name not in _OUTER]
    unread = [node for node in map(_inner, old) if is_string(node.scalar("type") or "''")]
    padding = [node for node in unread if node.string("type") == PADDING]
    # Every field must have a place before anything is moved.
    fields = [edit for node in unread if node not in padding for edit in _fields(node)]
    for node in padding:
        if sum(child.name == "pad" for child in node.children()) > 1:
            raise _LeftAlone(node, 'Caffe accepts "pad" only once in a layer')
    if padding:
        plan.edits = _fold_padding(old)
    else:
        plan.edits = fields or [Unwrap(_inner(layer)) for layer in old]
    return plan


def _check_known(node: Node, message: str, whose: str) -> None:
    """Caffe's parser stops at unknown fields, so its upgrade never sees them."""
    if node.name not in load().messages[message]:
        raise _LeftAlone(node, f'Caffe cannot read the file, because its {whose} no field "{node.name}"')


def _inner(layer: Layer) -> Node:
    node = layer.node.message("layer")
    assert node is not None, "a V0 layer has a layer inside"
    return node


def _type(layer: Layer) -> str:
    return _inner(layer).string("type") or ""


# ---------------------------------------------------------------- padding


def _fold_padding(layers: list[Layer]) -> list[Edit]:
    """Delete each padding layer; the layer that reads its blob does the padding (UpgradeV0PaddingLayers)."""
    edits: list[Edit] = []
    producer: dict[str, Layer] = {}
    for layer in layers:
        for bottom in layer.node.fields("bottom"):
            source = producer.get(string_value(bottom.value))
            if source is None or _type(source) != PADDING:
                continue
            if _type(layer) not in PADDED or len(layer.bottoms) != 1:
                raise _LeftAlone(bottom, "a padding layer feeds something other than one convolution or pooling")
            edits += [Replace(bottom, _bottom(source).value), *_pad(_inner(layer), _inner(source))]
        for top in layer.tops:
            producer[top] = layer
    return edits + [Delete(layer.node) for layer in layers if _type(layer) == PADDING]


def _bottom(padding: Layer) -> Node:
    bottoms = list(padding.node.fields("bottom"))
    if len(bottoms) != 1 or len(padding.tops) != 1 or bottoms[0].in_list:
        raise _LeftAlone(padding.node, "a padding layer does not have exactly one bottom and one top")
    return bottoms[0]


def _pad(consumer: Node, padding: Node) -> list[Edit]:
    value = padding.scalar("pad") or "0"
    own = consumer.field("pad")
    return [Replace(own, value)] if own is not None else [Insert(Last(consumer), (NewField("pad", value),))]


# ---------------------------------------------------------------- fields


def _fields(inner: Node) -> list[Edit]:
    """Move fields to the messages that V1 has for them; the type becomes an enum value."""
    kind = inner.string("type") or ""
    node = inner.field("type")
    if node is None or kind not in V0_TYPES:
        raise _LeftAlone(inner, f'Caffe has no V0 type "{kind}" and aborts')
    edits: list[Edit] = [Replace(node, V0_TYPES[kind])]
    groups: dict[str, list[tuple[Node, str]]] = {}
    once: set[str] = set()
    for child in inner.children():
        if child.name in once:
            raise _LeftAlone(child, f'Caffe accepts "{child.name}" only once in a layer')
        if child.name not in REPEATED:
            once.add(child.name)
        if child.name in SAME or (child.name, kind) == ("hdf5_output_param", "hdf5_output"):
            continue
        _check_known(child, "V0LayerParameter", "V0 layers have")
        where = destination(child.name, kind)
        if where is None:
            raise _LeftAlone(child, f'Caffe\'s upgrade drops "{child.name}" from a {kind} layer')
        if child.is_list:
            raise _LeftAlone(child, f'"{child.name}" is written as a list')
        groups.setdefault(where[0], []).append((child, where[1]))
    for message, members in groups.items():
        nodes = [child for child, _ in members]
        edits.append(wrap(nodes, message, [name if name != child.name else None for child, name in members]))
    return edits
