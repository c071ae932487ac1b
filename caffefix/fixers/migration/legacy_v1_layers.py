"""Layers are written in the old format, `layers { type: CONVOLUTION blobs_lr: 1 }` (V1), or partly in it.

## What it finds

- `layers { … }` with types from an enum, `blobs_lr`, `weight_decay`, `param: "name"` and `blob_share_mode`:
  the format of 2014;
- migrations that stopped half-way: `layer { blobs_lr: 1 }`, `layer { type: CONVOLUTION }`, `layers { type:
  "Convolution" }`, and both `layer` and `layers` in one net.

## Why it matters

Caffe upgrades a pure V1 net each time it loads it; most other readers refuse it. Half-migrated nets do not
load at all: `Expected integer or identifier, got: "Convolution"`, `Expected string, got: CONVOLUTION`,
`Message type "caffe.LayerParameter" has no field named "blobs_lr"`, and for a mixture `Refusing to upgrade
inconsistent NetParameter input` (before 2016 the `layer`s of a mixture were silently dropped).

## Example

```
-layers {
+layer {
   name: "conv1"
-  type: CONVOLUTION
-  blobs_lr: 1   # weights
-  weight_decay: 1
+  type: "Convolution"
+  param {
+    lr_mult: 1   # weights
+    decay_mult: 1
+  }
 }
```

## Fix safety

Safe. The text becomes what Caffe's own upgrade produces in memory: types are translated by its table, there
are as many `param` blocks as the longest of the four lists has entries, and `scale`, `mean_file`,
`crop_size` and `mirror` of a data layer move to `transform_param`, where they overwrite existing values.
Comments move with their fields. A net with a type or a field that Caffe's V1 does not have belongs to a
fork, and so does a net with a field that no known fork has: forks from 2014 know no other format. Such a
net is reported and left entirely unchanged. So is a net in the same folder as one that only such forks
accept. Where the Caffe in the repository knows no other format, nothing is reported.

## When it is a false alarm

For tools that read only V1: ignore the finding there.

## References

- BVLC Caffe, `src/caffe/util/upgrade_proto.cpp`: `UpgradeV1Net`, `UpgradeV1LayerType`,
  `UpgradeNetDataTransformation`
- BVLC/caffe issues 3381 and 2889 (`layer` beside `layers`)
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from caffefix.caffe.layers.book import V1_NUMBERS, V1_TYPES
from caffefix.caffe.nearest import nearest
from caffefix.caffe.net import Generation, Layer, Net
from caffefix.caffe.schema import load
from caffefix.caffe.typecheck import Kind, Problem, scalar_fits
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._schema import of_unknown_fork
from caffefix.syntax import comments
from caffefix.syntax.edits import (
    After,
    Before,
    Delete,
    Edit,
    Insert,
    Kept,
    Last,
    NewField,
    NewMessage,
    Rename,
    Replace,
    wrap,
)
from caffefix.syntax.scalars import integer_value, is_string, string_value
from caffefix.syntax.tree import Node

PASS = Pass.UPGRADE
# Caffe does not read a net that mixes the two formats; in a pure net the meaning does not change.
CHANGES = (
    *("layer.type", "layer.param", "layer.blobs_lr", "layer.weight_decay", "layer.blob_share_mode"),
    *(f"layer.*data_param.{name}" for name in ("scale", "mean_file", "crop_size", "mirror")),
    "layer.transform_param",
)
NEEDS_FAMILY = True
SIGNS = ("layers", "blobs_lr", "weight_decay", *V1_TYPES)
NAME = "legacy-v1-layers"

# What UpgradeV1LayerParameter copies; V1 has no other fields.
_FIELDS = frozenset(
    """
    name type bottom top include exclude blobs blobs_lr weight_decay param blob_share_mode loss_weight
    accuracy_param argmax_param concat_param contrastive_loss_param convolution_param data_param
    dropout_param dummy_data_param eltwise_param exp_param hdf5_data_param hdf5_output_param
    hinge_loss_param image_data_param infogain_loss_param inner_product_param loss_param lrn_param
    memory_data_param mvn_param pooling_param power_param relu_param sigmoid_param slice_param
    softmax_param tanh_param threshold_param transform_param window_data_param
    """.split()
)
# The list in V1, and the field of a param block that receives its i-th entry.
_LISTS = {"blobs_lr": "lr_mult", "weight_decay": "decay_mult", "param": "name", "blob_share_mode": "share_mode"}
_TRANSFORM_FIELDS = ("scale", "mean_file", "crop_size", "mirror")


class _LeftAlone(Exception):
    """A layer that cannot be migrated, and why."""

    def __init__(self, node: Node, why: str, *, is_of_a_fork: bool = False) -> None:
        super().__init__(why)
        self.node = node
        self.why = why
        self.is_of_a_fork = is_of_a_fork


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each net, or for each type or field that only a fork can read."""
    foreign = of_unknown_fork(subject)
    if not subject.knows("NetParameter", "layer"):
        return  # V1 is the only format that this Caffe knows
    for net in subject.nets:
        old = [layer for layer in net.layers if layer.generation is Generation.V1]
        halves = [layer for layer in net.layers if layer.generation is Generation.V2 and _is_half(layer)]
        if not old and not halves:
            continue
        edits: list[Edit] = []
        unknown: dict[str, Finding] = {}
        for layer in (*old, *halves):
            try:
                _check_number(subject, layer)
                edits += _migrate(layer)
            except _LeftAlone as error:
                unknown.setdefault(error.why, _left_alone(subject, layer, error))
        if unknown:
            yield from unknown.values()
            continue
        if foreign is not None or not _reads_layer(subject):
            yield _of_a_fork(old or halves, foreign)
            continue
        sibling = _for_v1_alone(subject)
        if sibling:
            yield _beside_a_fork(old or halves, sibling)
            continue
        edits += _keywords(old)
        message, severity = _describe(net, old, halves, loads=_loads(subject))
        first = min((*old, *halves), key=lambda layer: layer.node.offset)
        # Caffe ignores old layers inside a solver, so to Caffe the migrated layers are new.
        changes = ("layer",) if net.node.parent is not None else CHANGES if _is_mixed(old, halves) else ()
        fix = Fix(tuple(edits), Applicability.SAFE, "rewrite as layer { … }", changes)
        yield Finding(NAME, severity, message, first.node, layer=first.name, fix=fix)


def _loads(subject: Subject) -> bool:
    """Whether some fork accepts the file, or the fork that it is for if that is known."""
    return subject.verdict is None or bool(subject.verdict.accepting & (subject.named or ~0))


def _reads_layer(subject: Subject) -> bool:
    """Whether any fork that accepts the file knows the new format; true if no fork accepts it."""
    return not subject.forks or any(v.forks & subject.forks for v in load().messages["NetParameter"]["layer"])


def _for_v1_alone(subject: Subject) -> str:
    """A net next to the file that only forks without the new format accept; empty if there is no such net.

    Such a folder is for one of these forks: a net in today's format would be the only one that it cannot read.
    If it is known which Caffe the file is for, that decides.
    """
    if subject.named:
        return ""
    new = _with_layer()
    found = (member for member in subject.family.siblings if "layers" in member.text)
    return next((member.name for member in found if member.forks and not member.forks & new), "")


@cache
def _with_layer() -> int:
    """The known forks that have the new format."""
    forks = 0
    for variant in load().messages["NetParameter"]["layer"]:
        forks |= variant.forks
    return forks


def _beside_a_fork(layers: list[Layer], sibling: str) -> Finding:
    message = f"{sibling} in the same folder is for a fork that knows only the V1 format; the net is not migrated"
    return Finding(NAME, Severity.WARNING, message, layers[0].node)


def _of_a_fork(layers: list[Layer], foreign: Problem | None) -> Finding:
    if foreign is None:
        node, what = layers[0].node, "its fields are"
    else:
        node = foreign.node
        several = "more than one " if foreign.kind is Kind.REPEATED else ""
        value = f": {node.value}" if foreign.kind is Kind.UNKNOWN_VALUE else ""
        what = f'{several}"{node.name}{value}" is'
    message = f"{what} from a fork that may know only the V1 format; the net is not migrated"
    return Finding(NAME, Severity.WARNING, message, node)


def is_foreign(layer: Layer) -> bool:
    """Whether a V1 layer has something that only a fork reads, so its net is not migrated."""
    try:
        _migrate(layer)
    except _LeftAlone:
        return True
    return False


def _is_mixed(old: list[Layer], halves: list[Layer]) -> bool:
    return bool(halves) or any(is_string(layer.raw_type) for layer in old)


def _describe(net: Net, old: list[Layer], halves: list[Layer], *, loads: bool) -> tuple[str, Severity]:
    if len(old) == len(net.layers) and not _is_mixed(old, halves):
        count = "1 layer is" if len(old) == 1 else f"{len(old)} layers are"
        what = f"{count} in V1 format (layers {{ type: {old[0].raw_type or '…'} }})"
        if net.node.parent is not None:  # UpgradeNetAsNeeded is not called for net_param
            return f"{what} inside a solver, where Caffe ignores them; rewrites them as layer", Severity.ERROR
        upgraded = ", which Caffe upgrades at each load" if loads else ""  # else the file is refused first
        return f"{what}{upgraded}; rewrites them as layer", Severity.WARNING
    if old and len(old) < len(net.layers):
        return (
            f"layer is mixed with layers (V1 format, {len(old)} of them), which Caffe refuses as inconsistent; "
            "rewrites the old ones as layer",
            Severity.ERROR,
        )
    return (
        f"layers half in V1 and half in V2 format ({len(halves) or len(old)} in all), which Caffe cannot parse; "
        "completes the migration",
        Severity.ERROR,
    )


def _left_alone(subject: Subject, layer: Layer, error: _LeftAlone) -> Finding:
    why, severity = error.why, Severity.WARNING
    if subject.own and subject.verdict is not None and subject.verdict.accepting & subject.own:
        severity = Severity.INFO
        if error.is_of_a_fork:
            what = error.node.name if error.node.is_message else f"{error.node.name}: {error.node.value}"
            why = f"{what} is specific to {subject.caffes.who}, whose own upgrade is not reproduced"
    return Finding(NAME, severity, f"{why}; the net is not migrated", error.node, layer.name)


def _check_number(subject: Subject, layer: Layer) -> None:
    """Check that a type given by number has the same meaning in the repository's Caffe, if there is one."""
    number = integer_value(layer.raw_type) if subject.own else None
    if number is None:
        return
    enums = subject.caffes.schema.enums
    names = {
        name
        for enum in ("V1LayerParameter.LayerType", "LayerParameter.LayerType")
        for name, entries in enums.get(enum, {}).items()
        if any(value == number and forks & subject.own for value, forks in entries)
    }
    if {V1_TYPES.get(name) for name in names} != {V1_NUMBERS.get(number)}:
        node = layer.node.field("type")
        assert node is not None
        called = " or ".join(sorted(names)) or "undefined"
        raise _LeftAlone(node, f"type {number} is {called} in {subject.caffes.who}")


def _is_half(layer: Layer) -> bool:
    node = layer.node
    return node.has("blobs_lr") or node.has("weight_decay") or layer.raw_type in V1_TYPES


def _keywords(layers: list[Layer]) -> list[Edit]:
    """``layers`` becomes ``layer``, once for a list of them."""
    nodes = [layer.node.parent if layer.node.in_list else layer.node for layer in layers]
    return [Rename(node, "layer") for node in dict.fromkeys(nodes) if node is not None]


def _migrate(layer: Layer) -> list[Edit]:
    if layer.generation is Generation.V2:
        return [*_type(layer), *_params(layer)]
    # layers { type: "BatchNorm" … } is V2 under the old keyword, so its other fields need not be V1's.
    if not is_string(layer.raw_type):
        for child in layer.node.children():
            if child.name not in _FIELDS:
                why = f"field {child.name} is not in Caffe's V1 format: a fork's field"
                raise _LeftAlone(child, why, is_of_a_fork=True)
    return [*_type(layer), *_params(layer), *_transform(layer)]


def _type(layer: Layer) -> list[Edit]:
    nodes = list(layer.node.fields("type"))
    if not nodes:
        return []
    node = nodes[0]
    if len(nodes) > 1 or node.in_list or node.is_message:
        raise _LeftAlone(nodes[-1], "Caffe accepts only one type in a layer")
    raw = node.value
    if is_string(raw):
        known = V1_TYPES.get(string_value(raw)) if layer.generation is Generation.V1 else None
        return [Replace(node, f'"{known}"')] if known is not None and known != string_value(raw) else []
    number = integer_value(raw)
    known = V1_TYPES.get(raw) if number is None else V1_NUMBERS.get(number)
    if known is None:
        near = _near(raw)
        what = f"a misspelt {near}, or a fork's type" if near else "a fork's type"
        raise _LeftAlone(node, f"type {raw} is not in Caffe's V1 format: {what}", is_of_a_fork=True)
    name = layer.node.scalar("name") or '"'
    quote = name[0] if is_string(name) else '"'
    return [Replace(node, f"{quote}{known}{quote}")]


@cache
def _near(raw: str) -> str:
    """The V1 type that a word misspells, or whose V2 name it is; empty if none or several match."""
    plain = {name.replace("_", ""): name for name in V1_TYPES}
    found = nearest(raw.replace("_", "").upper(), plain)
    return plain[found[0]] if len(found) == 1 else ""


def _params(layer: Layer) -> list[Edit]:
    """The i-th entries of the four lists become the i-th ``param`` block."""
    node = layer.node
    lists = {name: list(node.fields(name)) for name in _LISTS}
    blocks = [n for n in lists["param"] if n.is_message]
    if layer.generation is Generation.V2 or blocks:
        lists["param"] = []
    count = max(map(len, lists.values()))
    if count and blocks:
        raise _LeftAlone(blocks[0], f"param {{ … }} and {_first(lists)} are both given; which is meant is unclear")
    for name, nodes in lists.items():
        for given in nodes:
            if given.is_message or not _fits(name, given.value):
                raise _LeftAlone(given, f"Caffe does not accept this value of {name}")
    entries = [
        [(entry[i], field) for name, field in _LISTS.items() if i < len(entry := lists[name])]
        for i in range(count)
    ]
    if any(n.in_list for entry in entries for n, _ in entry):
        return _from_lists(entries)
    anchors = [entry[0][0].index for entry in entries]
    if anchors == sorted(anchors):
        return [wrap([n for n, _ in entry], "param", [field for _, field in entry]) for entry in entries]
    # Lists of different lengths, the shorter one last: all blocks go where the first field was.
    made = tuple(NewMessage("param", tuple(Kept(n, field) for n, field in entry)) for entry in entries)
    first = min((n for entry in entries for n, _ in entry), key=lambda n: n.index)
    return [Insert(Before(first), made)]


def _fits(name: str, value: str) -> bool:
    """Whether V1's parser accepts a value of one of the lists."""
    if name == "param":
        return is_string(value)
    if name == "blob_share_mode":
        return value in ("STRICT", "PERMISSIVE", "0", "1")
    return scalar_fits("float", value)


def _first(lists: dict[str, list[Node]]) -> str:
    return next(name for name, nodes in lists.items() if nodes)


def _from_lists(entries: list[list[tuple[Node, str]]]) -> list[Edit]:
    """``blobs_lr: [1, 2]``: elements cannot move, so the blocks are new text."""
    holders = dict.fromkeys(n.parent if n.in_list else n for entry in entries for n, _ in entry)
    nodes = sorted((node for node in holders if node is not None), key=lambda node: node.index)
    for node in nodes:
        if comments.inside(node):
            raise _LeftAlone(node, f"{node.name} is a list with comments, which have no place in param blocks")
    blocks = tuple(
        NewMessage("param", tuple(NewField(field, node.value) for node, field in entry)) for entry in entries
    )
    return [Insert(Before(nodes[0]), blocks), *(Delete(node) for node in nodes)]


def _transform(layer: Layer) -> list[Edit]:
    """Move a V1 data layer's transform fields to ``transform_param``, overwriting what is there."""
    source = layer.node.message(layer.kind.v1_transform)
    if source is None:
        return []
    moving = [node for name in _TRANSFORM_FIELDS for node in source.fields(name)]
    moving.sort(key=lambda node: node.index)
    if not moving:
        return []
    items = tuple(Kept(node) for node in moving)
    target = layer.node.message("transform_param")
    if target is None:
        return [Insert(After(source), (NewMessage("transform_param", items),))]
    names = {node.name for node in moving}
    overwritten = [node for node in target.children() if node.name in names]
    return [*(Delete(node) for node in overwritten), Insert(Last(target), items)]
