"""A person's edit of a file: the difference between two trees, as trees of lines of a patch.

Fields are compared as patches see them: the order of fields with different names does not matter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from caffefix._startup.records import dataclass, field
from caffefix.patching.values import plain
from caffefix.syntax.tree import Node, descend

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


@dataclass(slots=True)
class Leaf:
    """A scalar on a line with that sign; one value for each place with the same edit.

    ``fixed`` marks one that must be shown because it is the place of a new field.
    """

    sign: str
    name: str
    values: tuple[str, ...]
    fixed: bool = False


@dataclass(slots=True)
class Branch:
    """A message; ``sign`` applies to both its braces."""

    sign: str
    name: str
    items: list[Part] = field(default_factory=list)


@dataclass(slots=True)
class Others:
    """``...`` at its place."""

    sign: str = " "


Part: TypeAlias = "Leaf | Branch | Others"


def key(node: Node) -> object:
    """What a field says, without spelling and layout."""
    if not node.is_message and not node.is_list:
        return node.name, plain(node.value)
    depth = sum(1 for _ in node.ancestors())
    return node.name, tuple(
        (sum(1 for _ in inner.ancestors()) - depth, inner.name, plain(inner.value)) for inner in descend(node)
    )


def whole(node: Node, sign: str) -> Part:
    """A whole field on lines with a sign. Nets nest a few messages deep; deeper ones are refused earlier."""
    if not node.is_message:
        return Leaf(sign, node.name, (node.value,))
    return Branch(sign, node.name, [whole(child, sign) for child in fields(node)])


def fields(node: Node) -> Iterator[Node]:
    """The fields of a message, those of lists one by one."""
    for child in node.children():
        yield from child.children() if child.is_list else (child,)


def difference(name: str, old: Sequence[Node], new: Sequence[Node]) -> Branch:
    """The edit of a message of that name: the fields that differ, on lines with signs.

    A new field comes after the field above it, which is shown for this purpose.
    """
    pairs = _pairs(old, new)
    branch = Branch(" ", name)
    partner = {id(n): o for o, n in pairs}
    kept = {id(o) for o, _ in pairs}
    shown: set[int] = set()
    lost = {key(o) for o, n in pairs if key(o) != key(n)}
    for index, node in enumerate(new):
        one = partner.get(id(node))
        if one is None:
            _add(branch, new, index, partner, shown)
        elif key(one) != key(node):
            branch.items += _changed(one, node)
            shown.add(id(node))
        elif key(node) in lost and id(node) not in shown:  # unchanged, it distinguishes itself from its twin
            branch.items.append(whole(node, " "))
            shown.add(id(node))
    branch.items[:0] = [whole(node, "-") for node in old if id(node) not in kept]
    if not any(isinstance(item, Others) for item in branch.items):
        branch.items.append(Others())
    return branch


def _add(branch: Branch, new: Sequence[Node], index: int, partner: dict[int, Node], shown: set[int]) -> None:
    """A new field, at a place that the patch can express: last, first, or after the one above."""
    above = new[index - 1] if index else None
    is_old = above is not None and id(above) in partner
    if above is not None and is_old and id(above) not in shown:
        if all(id(node) not in partner for node in new[index:]):
            branch.items.append(Others())
        else:
            branch.items.append(_anchor(above))
            shown.add(id(above))
    branch.items.append(whole(new[index], "+"))


def _anchor(node: Node) -> Part:
    """A field that is shown only for its place."""
    return Branch(" ", node.name, [Others()]) if node.is_message else Leaf(" ", node.name, (node.value,), True)


def _changed(before: Node, after: Node) -> Iterator[Part]:
    if before.is_message and after.is_message and before.name == after.name:
        yield difference(after.name, list(fields(before)), list(fields(after)))
    else:
        yield whole(before, "-")
        yield whole(after, "+")


def _pairs(old: Sequence[Node], new: Sequence[Node]) -> list[tuple[Node, Node]]:
    """Which field became which: equal fields first, then those of the same name, in order."""
    found: list[tuple[Node, Node]] = []
    for name in dict.fromkeys(node.name for node in (*old, *new)):
        one, other = ([node for node in nodes if node.name == name] for nodes in (old, new))
        if len(one) == len(other):
            found += zip(one, other, strict=True)
            continue
        matcher = SequenceMatcher(None, list(map(key, one)), list(map(key, other)), autojunk=False)
        for tag, a, b, c, d in matcher.get_opcodes():
            if tag == "equal" or (tag == "replace" and b - a == d - c):
                found += zip(one[a:b], other[c:d], strict=True)
    return found
