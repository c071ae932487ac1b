"""Edits: what fixers write, on nodes.

Fixers say what should happen to fields; ``lowering.lower`` turns that into spans of text, in
the style of the place, with comments travelling beside their fields.

    Replace(node, "xavier")               another value
    Rename(node, "layer")                 another name
    Insert(After(node), (NewMessage(…),)) new fields; a ``Kept`` among them moves a field there
    Delete(node)                          whole-line and same-line comments stay, unless told
    Unwrap(node)                          the fields of a message take its place
    wrap((a, b), "param")                 an Insert that gathers fields into a new message
    Reword(comment, "# the stem")         another comment; without a text, none
    Remark(node, "# the stem")            a comment on a line of its own above a field
    Respell(start, end, ":")              characters that only look like prototxt's own
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from caffefix._startup.records import dataclass
from caffefix.syntax.comments import Comment
from caffefix.syntax.tree import Node


class EditError(Exception):
    """Edits that cannot be made: they overlap, or the verb does not fit the node."""


# ---------------------------------------------------------------- new text


@dataclass(frozen=True, slots=True)
class NewField:
    """A scalar to insert. ``value`` is written as it is, or quoted where ``string`` is set."""

    name: str
    value: str
    string: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A field that moves to the place of insertion with the comments it owns, perhaps renamed.

    If ``bare``, the whole lines of comment above it stay; what is inserted before it comes below them.
    """

    node: Node
    name: str | None = None
    bare: bool = False


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to insert."""

    name: str
    items: tuple[New, ...] = ()


New: TypeAlias = NewField | NewMessage | Kept


# ---------------------------------------------------------------- places


@dataclass(frozen=True, slots=True)
class Before:
    """Before a field and the comments it owns."""

    node: Node


@dataclass(frozen=True, slots=True)
class After:
    """After a field and its same-line comment."""

    node: Node


@dataclass(frozen=True, slots=True)
class First:
    """First in a message."""

    node: Node


@dataclass(frozen=True, slots=True)
class Last:
    """After the last field of a message."""

    node: Node


Place: TypeAlias = Before | After | First | Last


# ---------------------------------------------------------------- verbs


@dataclass(frozen=True, slots=True)
class Replace:
    """Give a scalar another value, written as it stands here."""

    node: Node
    value: str


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a field another name."""

    node: Node
    name: str


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert fields at a place."""

    place: Place
    items: tuple[New, ...]


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a field. Its comments stay, each on a line of its own, unless ``comments`` is False.

    Without ``suppressions``, those that tell the tool to keep quiet about it go: they would silence what stands
    below it, where nothing is put in its place.
    """

    node: Node
    comments: bool = True
    suppressions: bool = True


@dataclass(frozen=True, slots=True)
class Unwrap:
    """Put the fields of a message in its place, one level out."""

    node: Node


@dataclass(frozen=True, slots=True)
class Reword:
    """Give a comment another text; an empty one takes it away, with its line if it is alone there."""

    comment: Comment
    text: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Put a comment on a line of its own, right above a field that begins a line.

    Above the root stands what is said of the file: before the first field and the comments it owns.
    """

    node: Node
    text: str


@dataclass(frozen=True, slots=True)
class Respell:
    """Write a stretch of the text otherwise that means the same to a reader (``lookalikes.as_meant``)."""

    start: int
    end: int
    text: str


Edit: TypeAlias = Replace | Rename | Insert | Delete | Unwrap | Reword | Remark | Respell


def wrap(nodes: Sequence[Node], name: str, names: Sequence[str | None] = (), at: Place | None = None) -> Insert:
    """Gather fields into a new message that stands where the first of them stood."""
    renamed = list(names) + [None] * (len(nodes) - len(names))
    items = tuple(Kept(node, new) for node, new in zip(nodes, renamed, strict=True))
    return Insert(at or Before(nodes[0]), (NewMessage(name, items),))


def kept(edit: Edit) -> Iterable[Kept]:
    """The fields that an edit moves."""
    stack = list(edit.items) if isinstance(edit, Insert) else []
    while stack:
        item = stack.pop()
        if isinstance(item, Kept):
            yield item
        elif isinstance(item, NewMessage):
            stack.extend(item.items)
