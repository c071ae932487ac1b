"""Turns a match into edits on nodes, with the verbs that fixers write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.slots import slots
from caffefix.patching.entries import Add, Change, Entry, Inside, Keep, Remove, Unwrap, Wrap, entries_in
from caffefix.patching.goals import is_layer
from caffefix.patching.matcher import Match
from caffefix.patching.pattern import Item, Message, Rest, Scalar, walk
from caffefix.patching.values import ValueMistake, same, written
from caffefix.syntax import edits as verbs
from caffefix.syntax.edits import After, Before, Edit, First, Insert, Kept, Last, New, NewField, NewMessage, Place
from caffefix.syntax.scalars import is_string, quoted, string_value
from caffefix.syntax.source import short
from caffefix.syntax.tree import Node

_DEPTH = 64  # of messages that are copied


@dataclass(frozen=True, slots=True)
class Draft:
    """What a patch would do about one match.

    Attributes:
        edits: the verbs.
        words: each edit in a few words.
        node: the field that it is about.
        match: what was matched.
        trouble: why nothing can be done; empty if something can.
    """

    edits: tuple[Edit, ...]
    words: tuple[str, ...]
    node: Node
    match: Match
    trouble: str = ""


def moved_variables(entries: Sequence[Entry]) -> frozenset[str]:
    """Variables for fields that are deleted here and written elsewhere: they move, including comments."""
    gone = (entry.item for entry in entries_in(entries) if isinstance(entry, Remove))
    come = (item for entry in entries_in(entries) if isinstance(entry, Add) for item in walk((entry.item,)))
    removed, added = (
        {item.variable for item in items if isinstance(item, Rest | Message) and item.variable}
        for items in (gone, come)
    )
    return frozenset(removed & added)


def draft(entries: Sequence[Entry], match: Match, host: Node, kind: str) -> Draft | None:
    """The edits for a match; None if there is nothing left to do, or a field would appear twice.

    Args:
        entries: the body.
        match: what was matched.
        host: the net or solver.
        kind: its type in caffe.proto.
    """
    writer = _Writer(match, moved_variables(entries))
    try:
        if not writer.level(entries, host, kind):
            return None
    except ValueMistake as mistake:
        return Draft((), (), writer.node or _first_node(match, host), match, str(mistake))
    if not writer.edits:
        return None
    return Draft(tuple(writer.edits), tuple(writer.words), writer.node or _first_node(match, host), match)


def _first_node(match: Match, host: Node) -> Node:
    found = (place.node for place in match.places.values())
    return next((node for node in found if node is not None and node is not host), host)


class _Writer:
    def __init__(self, match: Match, movable: frozenset[str]) -> None:
        self.match = match
        self.moving = movable
        self.waiting = set(movable)  # not written yet
        self.edits: list[Edit] = []
        self.words: list[str] = []
        self.node: Node | None = None

    def level(self, entries: Sequence[Entry], parent: Node, kind: str) -> bool:
        """Write what happens in a message; False if a field that may appear once would appear twice.

        It recurses into messages, as deep as a body may nest.
        """
        for index, entry in enumerate(entries):
            if self._is_new(entry):
                if index and self._is_new(entries[index - 1]):
                    continue  # written with the one before
                if not self._insert(entries, index, parent, kind):
                    return False
            elif not self._entry(entry, parent, kind):
                return False
        return True

    def _entry(self, entry: Entry, parent: Node, kind: str) -> bool:
        if isinstance(entry, Inside):
            return self._inside(entry)
        if isinstance(entry, Wrap):
            return self._wrap(entry, parent, kind)
        if isinstance(entry, Change):
            return self._change(entry, parent, kind)
        if isinstance(entry, Remove):
            self._remove(entry.item)
        elif isinstance(entry, Unwrap):
            node = self.match.message(entry.before.offset)
            self._do(verbs.Unwrap(node), f"unwrap {node.name}", node)
        return True

    def _is_new(self, entry: Entry) -> bool:
        """Whether an entry is an insertion, including a field that changes from an unwritten default."""
        absent = isinstance(entry, Change) and self.match.node(entry.before.offset) is None
        return isinstance(entry, Add) or absent

    def _do(self, edit: Edit, words: str, node: Node) -> None:
        self.edits.append(edit)
        self.words.append(words)
        if self.node is None:
            self.node = node

    # ---- what stays and what is deleted

    def _inside(self, entry: Inside) -> bool:
        place = self.match.places[entry.before.offset]
        assert place.node is not None
        if entry.after.name and entry.after.name != place.node.name:
            self._rename(place.node, entry.after.name)
        return self.level(entry.entries, place.node, place.kind)

    def _rename(self, node: Node, name: str) -> None:
        self._do(verbs.Rename(node, name), f"{node.name} → {name}", node)

    def _change(self, entry: Change, parent: Node, kind: str) -> bool:
        node = self.match.node(entry.before.offset)
        assert node is not None
        slot = slots(kind).get(entry.after.name)
        text = written(entry.after.value, self.match.bound, slot)
        if node.name != entry.after.name:
            if slot is not None and not slot.repeated and parent.has(slot.name):
                return False
            self._rename(node, entry.after.name)
        if not same(slot, node.value, text):
            if is_string(text) and is_string(node.value):
                text = quoted(string_value(text), node.value[0])
            self._do(verbs.Replace(node, text), f"{entry.after.name} {short(node.value)} → {short(text)}", node)
        return True

    def _remove(self, item: Item) -> None:
        if isinstance(item, Rest):
            bound = self.match.bound[item.variable]
            nodes = bound if isinstance(bound, tuple) else ()
        else:
            found = self.match.node(item.offset)
            nodes = (found,) if found is not None else ()
        if isinstance(item, Rest | Message) and item.variable in self.moving:
            return  # the edit that writes it again moves it from here
        for node in nodes:
            # Suppressions for a layer would apply to the next one.
            edit = verbs.Delete(node, suppressions=not is_layer(item))
            self._do(edit, f"delete {node.name}", node)

    # ---- what is added

    def _insert(self, entries: Sequence[Entry], index: int, parent: Node, kind: str) -> bool:
        """Insert a run of new fields at its place."""
        stop = index
        while stop < len(entries) and self._is_new(entries[stop]):
            stop += 1
        run = (e for e in entries[index:stop] if isinstance(e, Add | Change))
        items = [e.after if isinstance(e, Change) else e.item for e in run]
        leaving = {e.item.name for e in entries if isinstance(e, Remove) and not isinstance(e.item, Rest)}
        for item in items:
            slot = None if isinstance(item, Rest) else slots(kind).get(item.name)
            if slot is not None and not slot.repeated and slot.name not in leaving and parent.has(slot.name):
                return False
        new = tuple(part for item in items for part in self._new(item, kind))
        place = self._place(entries, index, stop, parent)
        if new:
            node = parent if parent.parent is not None else place.node
            self._do(Insert(place, new), _added(new), node)
        return True

    def _place(self, entries: Sequence[Entry], index: int, stop: int, parent: Node) -> Place:
        """Where a run of new fields goes: after the field above it in the patch, otherwise before the one
        below."""
        for entry in reversed(entries[:index]):
            if isinstance(entry, Keep) and isinstance(entry.item, Rest):
                break
            node = self._node_of(entry)
            if node is not None:
                return Before(node) if isinstance(entry, Remove) else After(node)
        for entry in entries[stop:]:
            node = self._node_of(entry)
            if node is not None:
                return Before(node)
        above = entries[index - 1] if index else None
        return Last(parent) if above is not None or parent.parent is None else First(parent)

    def _node_of(self, entry: Entry) -> Node | None:
        """The field of the file that an entry is about; for a list's element, the list."""
        if isinstance(entry, Keep | Remove):
            node = None if isinstance(entry.item, Rest) else self.match.node(entry.item.offset)
        elif isinstance(entry, Inside | Change):
            node = self.match.node(entry.before.offset)
        else:
            node = None
        return node.parent if node is not None and node.in_list else node

    def _wrap(self, entry: Wrap, parent: Node, kind: str) -> bool:
        """Put fields that stay into a new message, at the place of the first of them."""
        slot = slots(kind).get(entry.after.name)
        inner = slot.type if slot is not None else ""
        items: list[New] = []
        for each in entry.entries:
            if isinstance(each, Add):
                items += self._new(each.item, inner)
            elif isinstance(each, Keep) and isinstance(each.item, Rest):
                items += map(Kept, self._run(each.item.variable))
            elif not self._entry(each, parent, inner):
                return False
            elif not isinstance(each, Remove) and (node := self._node_of(each)) is not None:
                items.append(Kept(node))
        first = next((item.node for item in items if isinstance(item, Kept)), None)
        place = Before(first) if first is not None else Last(parent)
        new = NewMessage(entry.after.name, tuple(items))
        self._do(Insert(place, (new,)), f"add {new.name}", first or parent)
        return True

    def _new(self, item: Item, kind: str) -> Iterator[New]:
        """New text for an item of the ``+`` side."""
        if isinstance(item, Scalar):
            yield _field(item.name, written(item.value, self.match.bound, slots(kind).get(item.name)))
        elif isinstance(item, Rest):
            yield from self._again(item.variable, self._run(item.variable))
        elif item.variable and all(isinstance(inner, Rest) for inner in item.items):
            bound = self.match.bound[item.variable]
            yield from self._again(item.variable, (bound,) if isinstance(bound, Node) else (), item.name)
        else:
            slot = slots(kind).get(item.name)
            inner_kind = slot.type if slot is not None else ""
            yield NewMessage(item.name, tuple(new for inner in item.items for new in self._new(inner, inner_kind)))

    def _run(self, variable: str) -> tuple[Node, ...]:
        bound = self.match.bound[variable]
        return bound if isinstance(bound, tuple) else ()

    def _again(self, variable: str, nodes: Sequence[Node], name: str = "") -> Iterator[New]:
        """Fields that a variable is bound to: moved, once, if they are deleted where they are; otherwise
        copied."""
        moves = variable in self.waiting
        self.waiting.discard(variable)
        for node in nodes:
            if moves and node.in_list:
                raise ValueMistake(f"{node.name} is written as a list")
            yield Kept(node, name or None) if moves else copied(node, name)


def _field(name: str, text: str) -> NewField:
    return NewField(name, string_value(text), string=True) if is_string(text) else NewField(name, text)


def _added(items: Iterable[New]) -> str:
    shown = []
    for item in items:
        if isinstance(item, NewField):
            shown.append(f"add {item.name}: {short(item.value)}")
        else:
            shown.append(f"add {item.name if isinstance(item, NewMessage) else item.name or item.node.name}")
    return ", ".join(shown)


def copied(node: Node, name: str = "") -> New:
    """A field as new text, without comments.

    Raises:
        ValueMistake: it is nested too deep to be copied.
    """
    return _copied(node, name, 0)


def _copied(node: Node, name: str, depth: int) -> New:
    if depth > _DEPTH:
        raise ValueMistake(f"{node.name} is nested more than {_DEPTH} deep")
    if not node.is_message and not node.is_list:
        return _field(name or node.name, " ".join(node.value.split()) if "\n" in node.value else node.value)
    inner = (e for child in node.children() for e in (child.children() if child.is_list else (child,)))
    return NewMessage(name or node.name, tuple(_copied(child, "", depth + 1) for child in inner))
