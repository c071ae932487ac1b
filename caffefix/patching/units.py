"""The places where a net was edited: layers that were changed, added or removed together."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import SequenceMatcher

from caffefix._startup.records import dataclass
from caffefix.patching.example import Branch, Leaf, Others, Part, difference, fields, key, whole
from caffefix.syntax.tree import Node

_BLOBS = ("bottom", "top")


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A layer of both nets, or of one."""

    old: Node | None
    new: Node | None

    @property
    def node(self) -> Node:
        node = self.old if self.old is not None else self.new
        assert node is not None
        return node

    @property
    def is_edited(self) -> bool:
        return self.old is None or self.new is None or key(self.old) != key(self.new)

    @property
    def blobs(self) -> set[str]:
        """Blobs that the edit affects: all blobs of an added or removed layer, otherwise those that differ."""
        old, new = (
            set() if n is None else {b for f in _BLOBS for b in n.strings(f)} for n in (self.old, self.new)
        )
        return old | new if self.old is None or self.new is None else old ^ new


def aligned(old: Sequence[Node], new: Sequence[Node]) -> list[Step]:
    """Layers aligned by their names; layers that were renamed in place are the same."""
    names = [[node.string("name") for node in nodes] for nodes in (old, new)]
    steps: list[Step] = []
    for tag, a, b, c, d in SequenceMatcher(None, names[0], names[1], autojunk=False).get_opcodes():
        one, other = old[a:b], new[c:d]
        if tag == "equal" or [n.string("type") for n in one] == [n.string("type") for n in other]:
            steps += (Step(x, y) for x, y in zip(one, other, strict=True))
        else:
            steps += (Step(x, None) for x in one)
            steps += (Step(None, y) for y in other)
    return steps


def units(steps: Sequence[Step]) -> list[list[int]]:
    """Edited layers that belong together through a blob that their edits affect; with the layer above a new
    one."""
    groups: list[tuple[set[int], set[str]]] = []
    for index, step in enumerate(steps):
        if not step.is_edited:
            continue
        members, blobs = {index}, step.blobs
        if step.old is None:
            above = next((i for i in range(index - 1, -1, -1) if steps[i].old is not None), None)
            members |= {above} if above is not None else set()
        joined = [group for group in groups if group[0] & members or group[1] & blobs]
        for group in joined:
            members |= group[0]
            blobs |= group[1]
            groups.remove(group)
        groups.append((members, blobs))
    return [sorted(members) for members, _ in groups]


def tree(steps: Sequence[Step], unit: Sequence[int]) -> list[Part]:
    """The edit at one place, as layers of a patch."""
    return [_layer(steps[index]) for index in unit]


def _layer(step: Step) -> Part:
    if step.old is None:
        return whole(step.node, "+")
    if step.new is None:
        return whole(step.node, "-")
    branch = difference("layer", list(fields(step.old)), list(fields(step.new)))
    there = {(item.name, item.values) for item in branch.items if isinstance(item, Leaf) and item.sign == " "}
    changed = {item.name for item in branch.items if not isinstance(item, Others) and item.sign == "-"}
    known: list[Part] = [
        Leaf(" ", field.name, (field.value,))
        for field in fields(step.new)
        if field.name in ("name", "type", *_BLOBS) and field.name not in changed
        if (field.name, (field.value,)) not in there
    ]
    return Branch(" ", "layer", [*known, *branch.items])
