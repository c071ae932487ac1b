"""Derives a patch from an example, and proves it: the patch must make the same edit as the example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TypeAlias

from caffefix._startup.records import dataclass, field
from caffefix.caffe.net import Net
from caffefix.caffe.roles import Role, file_role
from caffefix.commands.patch.judging import alone
from caffefix.engine.repair import repair
from caffefix.findings import Subject
from caffefix.patching.errors import PatchError
from caffefix.patching.example import Branch, Leaf, Part, difference, fields, key
from caffefix.patching.generalize import CannotGeneralize, laid_over
from caffefix.patching.layers import Layers
from caffefix.patching.load import patch_of
from caffefix.patching.outline import Outline, render
from caffefix.patching.patch import Patch
from caffefix.patching.units import Step, aligned, tree, units
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source
from caffefix.syntax.tree import Document, Node

_ROUNDS = 8
_DEPTH = 30
_LAYERS = 5000


class DeriveError(Exception):
    """An example from which no patch can be derived; the message says why, and what to do."""


@dataclass
class _Example:
    before: Source
    after: Source
    old: Document
    new: Document
    steps: list[Step] = field(default_factory=list)


def derive(before: Source, after: Source, name: str) -> bytes:
    """The text of a patch that turns one file into the other.

    Args:
        before: a net or solver.
        after: the same after a manual edit.
        name: of the patch.

    Raises:
        DeriveError: there is no such patch, or it was not found.
    """
    example = _read(before, after)
    outline = _outline(example, name)
    trouble = ""
    for _ in range(_ROUNDS):
        text = render(outline)
        try:
            patch = patch_of("new.patch", text.encode("latin-1"))
        except PatchError as error:
            trouble = error.message
            break
        made = _made(patch, example)
        if key(parse(made).root) == key(example.new.root):
            exact = made.encode("latin-1") == after.data
            return (text if exact else render(outline, other_layout=True)).encode("latin-1")
        if not _narrowed(outline, example, patch):
            break
    raise DeriveError(
        "no patch was found that makes this edit and no other"
        + (f" ({trouble})" if trouble else "")
        + "; give a smaller example of one kind of edit, or write the patch yourself (docs/patches.md)"
    )


def _read(before: Source, after: Source) -> _Example:
    documents: list[Document] = []
    for source in (before, after):
        try:
            documents.append(parse(source.text))
        except PrototxtError as error:
            raise DeriveError(error.render(source)) from None
        _check(source, documents[-1])
    example = _Example(before, after, documents[0], documents[1])
    if key(example.old.root) == key(example.new.root):
        raise DeriveError(f"{before.path} and {after.path} have the same content: there is no edit to derive from")
    old, new = (list(_layers(document)) for document in documents)
    example.steps = aligned(old, new)
    return example


def _check(source: Source, document: Document) -> None:
    if document.root.has("layers"):
        raise DeriveError(
            f"{source.path}: its layers are of an old format, and patches match only the current one; "
            "run caffefix --select legacy-v0-layers,legacy-v1-layers on both files first"
        )
    if file_role(document) is Role.OTHER:
        raise DeriveError(f"{source.path}: neither a net nor a solver")
    if len(list(_layers(document))) > _LAYERS:
        raise DeriveError(f"{source.path}: more than {_LAYERS} layers; reduce it to what was edited")
    stack = [(child, 1) for child in document.root.children()]
    while stack:
        node, depth = stack.pop()
        if depth > _DEPTH:
            raise DeriveError(f"{source.path}: messages are nested more than {_DEPTH} deep")
        stack += [(child, depth + 1) for child in node.children()]


def _layers(document: Document) -> Iterator[Node]:
    return (node for node in document.root.fields("layer") if node.is_message)


# ---------------------------------------------------------------- the edit


def _outline(example: _Example, name: str) -> Outline:
    """The edit, as one pattern for all places."""
    old, new = ([n for n in fields(d.root) if n.name != "layer"] for d in (example.old, example.new))
    around = [item for item in difference("", old, new).items if isinstance(item, Leaf | Branch)]
    groups = units(example.steps)
    places = [tree(example.steps, group) for group in groups]
    if around and not any(item.sign != " " or isinstance(item, Branch) for item in around):
        around = []
    try:
        parts: list[Part] = laid_over(places) if places else []
        outline = Outline(name, [*around, *parts], groups)
        render(outline)
    except CannotGeneralize:
        kinds = Counter(
            " and ".join(example.steps[i].node.string("name") or "?" for i in group) for group in groups
        )
        shown = "; ".join(list(kinds)[:3])
        raise DeriveError(
            f"there are several kinds of edits here, in {len(groups)} places ({shown}): give an example of one "
            "kind at a time, or one whose new values follow from the old"
        ) from None
    return outline


def _made(patch: Patch, example: _Example) -> str:
    """The result of applying a patch to the file before the edit."""
    result = repair(example.before, alone(patch))
    if result.status.failed:
        raise DeriveError(f"no patch was found that makes this edit and no other: {result.reason}")
    return example.before.text if result.new is None else result.new.decode("latin-1")


# ---------------------------------------------------------------- narrowing


def _narrowed(outline: Outline, example: _Example, patch: Patch) -> bool:
    """Add a condition to a pattern that matches too much; False if there is no further condition to add."""
    positions = [i for i, layer in enumerate(outline.layers) if layer.sign != "+"]
    places = [[example.steps[unit[i]].old for i in positions] for unit in outline.units]
    wanted = {tuple(map(id, place)) for place in places}
    extra = [found for found in patch.layers_matched(Subject(example.old)) if tuple(map(id, found)) not in wanted]
    if not extra:
        return False
    choices = [
        *_neighbours(outline, example, positions, places, extra),
        *_fields(outline, positions, places, extra),
    ]
    best = max(choices, key=lambda choice: choice[0], default=None)  # of equally good ones, the first
    if best is not None:
        best[1]()
        return True
    first = [place[0] for place in places]
    return outline.name_them([node.scalar("name") or "" for node in first if node is not None])


_Choice: TypeAlias = "tuple[int, Callable[[], object]]"
_Places: TypeAlias = "Sequence[Sequence[Node | None]]"


def _fields(outline: Outline, positions: Sequence[int], places: _Places, extra: _Places) -> Iterator[_Choice]:
    """Fields of all edited layers that some other layers lack: how many lack it, and how to require it."""
    for column, position in enumerate(positions):
        common = set.intersection(*(set(_facts(place[column])) for place in places))
        for path, value in _facts(places[0][column]):
            excluded = sum((path, value) not in set(_facts(found[column])) for found in extra)
            if excluded and (path, value) in common and not outline.asks(position, path):
                yield excluded, partial(outline.ask, position, path, value)


def _neighbours(
    outline: Outline, example: _Example, positions: Sequence[int], places: _Places, extra: _Places
) -> Iterator[_Choice]:
    """The same for the types of layers that read the first layer, or that it reads."""
    if not positions or positions[0] != 0 or not any(part.sign == " " for part in outline.layers):
        return
    layers = Layers(Net(example.old.root))
    for name, ask in (("consumer", layers.consumers), ("producer", layers.producers)):
        common = set.intersection(*(ask(place[0]) for place in places if place[0] is not None))
        for kind in sorted(common):
            excluded = sum(found[0] is not None and kind not in ask(found[0]) for found in extra)
            if excluded and (0, name) not in outline.neighbours:
                yield excluded, partial(outline.neighbours.__setitem__, (0, name), kind)


def _facts(layer: Node | None) -> list[tuple[tuple[str, ...], str]]:
    """The scalars of a layer, except names and blobs, that may distinguish it from others, with their paths."""
    found: list[tuple[tuple[str, ...], str]] = []
    for child in fields(layer) if layer is not None else ():
        if child.is_message:
            inner: Sequence[Node] = list(fields(child))
            found += [((child.name, node.name), node.value) for node in inner if not node.is_message]
        elif child.name not in ("name", "bottom", "top"):
            found.append(((child.name,), child.value))
    return found
