"""Finds what a patch matches: one goal after the other, with backtracking where a goal has no field left.

The stack is a list, so depth does not matter; steps are counted, so a patch that tries
too many combinations in a file is refused there instead of running on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator

from caffefix._startup.records import dataclass, field
from caffefix.caffe.net import Layer
from caffefix.caffe.slots import Slot, says_nothing, slots
from caffefix.patching.goals import ROOT, Goal
from caffefix.patching.layers import Layers
from caffefix.patching.pattern import LAYER, Literal, Message, Scalar, Template, Value, Variable
from caffefix.patching.prefilter import Prefilter
from caffefix.patching.values import Bound, Constraint, holes, plain, same, taken_out
from caffefix.syntax.edits import EditError
from caffefix.syntax.scalars import string_value
from caffefix.syntax.tree import Node

_STEPS = 200_000  # fields examined: two seconds; a big net needs thousands
_REST = 16  # fields that $$$REST covers in one step

# The fields by which layers can be looked up.
_TABLES: dict[str, Callable[[Layers], dict[str, list[Layer]]]] = {
    "bottom": lambda layers: layers.by_bottom,
    "top": lambda layers: layers.by_top,
    "name": lambda layers: layers.by_name,
}


class TooManySteps(EditError):
    """A file in which a patch has too many ways to match."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item is found: a field, and its type if it is a message; None for a default."""

    node: Node | None
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """One way in which a patch matches.

    Attributes:
        places: by the item's offset.
        bound: variables.
    """

    places: dict[int, Place]
    bound: dict[str, Bound]

    def node(self, offset: int) -> Node | None:
        """Where an item is found."""
        place = self.places.get(offset)
        return place.node if place is not None else None

    def message(self, offset: int) -> Node:
        """Where a message is found."""
        node = self.node(offset)
        assert node is not None
        return node


@dataclass
class Search:
    """Matches of goals in one net or solver.

    Attributes:
        goals: of the patch.
        prefilters: of their messages, by offset.
        constraints: of its variables.
        host: the net or solver, and its type in caffe.proto.
        layers: of the net; None for a solver.
        bvlc: whether BVLC's Caffe accepts the file, so its defaults apply; called only where it matters.
    """

    goals: tuple[Goal, ...]
    prefilters: dict[int, Prefilter]
    constraints: dict[str, Constraint]
    host: Place
    layers: Layers | None
    bvlc: Callable[[], bool]
    places: dict[int, Place] = field(default_factory=dict)
    bound: dict[str, Bound] = field(default_factory=dict)
    used: set[int] = field(default_factory=set)
    steps: int = 0

    def matches(self) -> Iterator[Match]:
        """All matches, in the order of the file.

        Raises:
            TooManySteps: there are too many ways to try.
        """
        self.places[ROOT] = self.host
        choices = [self._candidates(self.goals[0])]
        undo: list[tuple[int, list[str]]] = []
        while choices:
            if len(undo) == len(choices):
                self._undo(self.goals[len(choices) - 1], *undo.pop())
            choice = next(choices[-1], None)
            self._count()
            if choice is None:
                choices.pop()
                continue
            undo.append(self._take(self.goals[len(choices) - 1], *choice))
            if len(choices) == len(self.goals):
                yield Match(dict(self.places), dict(self.bound))
            else:
                choices.append(self._candidates(self.goals[len(choices)]))

    def _count(self, steps: int = 1) -> None:
        self.steps += steps
        if self.steps > _STEPS:
            raise TooManySteps("the patch has too many ways to match here; give it more literal values")

    def _take(self, goal: Goal, place: Place, bound: dict[str, Bound]) -> tuple[int, list[str]]:
        if goal.item is not None:
            self.places[goal.item.offset] = place
        if place.node is not None:
            self.used.add(id(place.node))
        new = [name for name in bound if name not in self.bound]
        self.bound.update(bound)
        return id(place.node), new

    def _undo(self, goal: Goal, used: int, names: list[str]) -> None:
        if goal.item is not None:
            del self.places[goal.item.offset]
        self.used.discard(used)
        for name in names:
            del self.bound[name]

    # ---- candidates

    def _candidates(self, goal: Goal) -> Iterator[tuple[Place, dict[str, Bound]]]:
        parent = self.places[goal.parent]
        assert parent.node is not None
        if goal.item is None:
            return self._left(goal, parent.node, parent.kind)
        if isinstance(goal.item, Scalar):
            return self._scalars(goal, goal.item, parent.node, parent.kind)
        return self._messages(goal, goal.item, parent.node, parent.kind)

    def _scalars(
        self, goal: Goal, item: Scalar, parent: Node, kind: str
    ) -> Iterator[tuple[Place, dict[str, Bound]]]:
        slot = slots(kind).get(item.name)
        found = False
        for node in parent.fields(item.name):
            found = True
            self._count()
            if not node.value or id(node) in self.used or not self._in_order(goal, node):
                continue
            bound = self._value(item, node.value, slot)
            if bound is not None:
                yield Place(node), bound
        if not found and goal.optional and isinstance(item.value, Literal):
            if says_nothing(kind, slot, item.value.text, self.bvlc(), parent.has):
                yield Place(None), {}

    def _value(self, item: Scalar, text: str, slot: Slot | None) -> dict[str, Bound] | None:
        """What a scalar's variable is bound to; None if the value does not match."""
        value = item.value
        if isinstance(value, Literal):
            return {} if same(slot, value.text, text) else None
        taken: str | None = text
        if isinstance(value, Template):
            name = holes(value)[1].name
            taken = taken_out(value, text)
        else:
            assert isinstance(value, Variable)
            name = value.name
        if taken is None or (name in self.constraints and not self.constraints[name].allows(taken)):
            return None
        before = self.bound.get(name)
        if before is not None and not (isinstance(before, str) and same(slot, before, taken)):
            return None
        return {name: taken}

    def _messages(
        self, goal: Goal, item: Message, parent: Node, kind: str
    ) -> Iterator[tuple[Place, dict[str, Bound]]]:
        prefilter = self.prefilters[item.offset]
        for node in self._nodes(goal, item, parent):
            if not node.is_message or not prefilter.passes(node.block):
                continue  # most layers: not counted as a step
            self._count()
            if id(node) in self.used or not self._in_order(goal, node):
                continue
            slot = slots(kind).get(node.name)
            place = Place(node, slot.type if slot is not None else "")
            before = self.bound.get(item.variable)
            if not item.variable:
                yield place, {}
            elif before is None or (isinstance(before, Node) and alike((before,), (node,))):
                yield place, {item.variable: node}

    def _nodes(self, goal: Goal, item: Message, parent: Node) -> Iterable[Node]:
        if goal.parent == ROOT and item.name == LAYER:
            return (layer.node for layer in self._layers(item))
        if item.name:
            return parent.fields(item.name)
        return (node for child in parent.children() for node in (child.children() if child.is_list else (child,)))

    def _layers(self, item: Message) -> Iterable[Layer]:
        """The layers that may match, by what is already known: a bound blob, a name, a type."""
        if self.layers is None:
            return ()
        for scalar in item.items:
            if isinstance(scalar, Scalar) and scalar.name in _TABLES:
                value = self._known(scalar.value)
                if value is not None:
                    return _TABLES[scalar.name](self.layers).get(value, ())
        types = self._types(item)
        return [layer for layer in self.layers.all if layer.type in types] if types else self.layers.all

    def _types(self, item: Message) -> Collection[str]:
        """The types that a layer may have; empty if it may have any."""
        for scalar in item.items:
            if isinstance(scalar, Scalar) and scalar.name == "type":
                if isinstance(scalar.value, Literal):
                    return (string_value(scalar.value.text),)
                limits = self.constraints.get(scalar.value.name) if isinstance(scalar.value, Variable) else None
                if limits is not None and limits.any_of:
                    return {string_value(text) for text in limits.any_of}
        return ()

    def _known(self, value: Value) -> str | None:
        """The string that a value must be, given what its variable is bound to; None if not known yet."""
        before, variable, after = holes(value) if isinstance(value, Template) else ("", value, "")
        bound = self.bound.get(variable.name) if isinstance(variable, Variable) else None
        return f"{before}{string_value(bound)}{after}" if isinstance(bound, str) else None

    def _left(self, goal: Goal, parent: Node, kind: str) -> Iterator[tuple[Place, dict[str, Bound]]]:
        if goal.rest is not None and not goal.rest.variable:
            yield Place(None), {}
            return
        if goal.rest is None:  # the first that is not a default ends it: there may be many on each path to here
            elements = (e for n in self._unused(parent) for e in (n.children() if n.is_list else (n,)))
            if all(e.value and self._says_nothing(kind, e) for e in elements):
                yield Place(None), {}
            return
        left = list(self._unused(parent))
        self._count(len(left) // _REST)
        before = self.bound.get(goal.rest.variable)
        if before is None or (isinstance(before, tuple) and alike(before, left)):
            yield Place(None), {goal.rest.variable: tuple(left)}

    def _says_nothing(self, kind: str, node: Node) -> bool:
        return says_nothing(kind, slots(kind).get(node.name), node.value, self.bvlc(), lambda name: False)

    def _unused(self, parent: Node) -> Iterator[Node]:
        for child in parent.children():
            if child.is_list and any(id(node) in self.used for node in child.children()):
                yield from (node for node in child.children() if id(node) not in self.used)
            elif id(child) not in self.used:
                yield child

    def _found(self, offset: int) -> Node | None:
        place = self.places.get(offset)
        return place.node if place is not None else None

    def _in_order(self, goal: Goal, node: Node) -> bool:
        """Whether fields of the same name are in the pattern's order."""
        if not (goal.earlier or goal.later):
            return True
        here = _rank(node)
        before, behind = (
            [_rank(found) for offset in part if (found := self._found(offset)) is not None]
            for part in (goal.earlier, goal.later)
        )
        return all(rank < here for rank in before) and all(rank > here for rank in behind)


def _rank(node: Node) -> tuple[int, int]:
    """The sort key of a message's fields, including those in lists."""
    return (node.parent.index, node.index) if node.parent is not None and node.in_list else (node.index, 0)


def alike(one: Iterable[Node], other: Iterable[Node]) -> bool:
    """Whether fields say the same, regardless of the order of different names."""
    return sorted(_facts(one)) == sorted(_facts(other))


def _facts(nodes: Iterable[Node]) -> Iterator[tuple[tuple[tuple[str, int], ...], str]]:
    """Each field by its path, with fields of the same name counted, and its value."""
    stack: list[tuple[tuple[tuple[str, int], ...], Iterable[Node]]] = [((), nodes)]
    while stack:
        path, level = stack.pop()
        seen: Counter[str] = Counter()
        for node in level:
            for element in node.children() if node.is_list else (node,):
                here = (*path, (element.name, seen[element.name]))
                seen[element.name] += 1
                yield here, repr(plain(element.value))
                if element.is_message:
                    stack.append((here, element.children()))
