"""What a message must contain to be worth a search: most layers of a file are skipped by this alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from caffefix.caffe.slots import says_nothing, slots
from caffefix.patching.goals import ROOT, Goal
from caffefix.patching.kinds import kinds_of
from caffefix.patching.pattern import Literal, Message, Scalar
from caffefix.syntax.green import Block, Green


class Prefilter:
    """The names of fields that a message must have, and prefilters of the messages in it.

    Attributes:
        names: of fields.
        inner: of each message in it: its name, empty for any, and its prefilter.
    """

    __slots__ = ("inner", "names")

    def __init__(self, names: Iterable[str] = (), inner: Iterable[tuple[str, Prefilter]] = ()) -> None:
        self.names = set(names)
        self.inner = list(inner)

    def passes(self, block: Block) -> bool:
        """Whether a message may match; recurses as deep as a pattern nests."""
        places = block.places()
        if not self.names <= places.keys():
            return False
        for name, prefilter in self.inner:
            items = [block.items[index] for index in places[name]] if name else block.items
            if not any(map(prefilter._passes_item, items)):
                return False
        return True

    def _passes_item(self, item: Green) -> bool:
        if not isinstance(item, Block):
            return False
        return self.passes(item) if item.kind != "[" else any(map(self._passes_item, item.items))


def prefilters(goals: Sequence[Goal], kind: str) -> dict[int, Prefilter]:
    """A prefilter for each message of a pattern, by its offset.

    Args:
        goals: of the pattern.
        kind: the type in caffe.proto of what the pattern searches.
    """
    found = {ROOT: Prefilter()}
    kinds: dict[int, set[str]] = {ROOT: {kind}}
    for goal in goals:
        item, around = goal.item, found[goal.parent]
        if isinstance(item, Message):
            inner = found[item.offset] = Prefilter()
            kinds[item.offset] = set[str]().union(*(kinds_of(item, outer) for outer in kinds[goal.parent]))
            around.inner.append((item.name, inner))
        if item is None or not item.name:
            continue
        if isinstance(item, Scalar) and goal.optional and may_be_absent(item, kinds[goal.parent]):
            continue
        around.names.add(item.name)
    return found


def may_be_absent(item: Scalar, kinds: Iterable[str]) -> bool:
    """Whether a field with that value means, in some fork, the same as an absent one in such a message."""
    if not isinstance(item.value, Literal):
        return False
    return any(
        says_nothing(kind, slots(kind).get(item.name), item.value.text, bvlc, lambda other: False)
        for kind in kinds
        for bvlc in (False, True)
    )
