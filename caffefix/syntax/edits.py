"""Edits: the operations on nodes that fixers write.

Fixers say what should happen to fields; ``lowering.lower`` turns this into spans of text, in the style of the
place, with comments moving along with their fields.

    Replace(node, "xavier")               another value
    Rename(node, "layer")                 another name
    Insert(After(node), (NewMessage(…),)) new fields; a ``Kept`` among them moves a field there
    Delete(node)                          whole-line and same-line comments stay by default
    Unwrap(node)                          the fields of a message take its place
    wrap((a, b), "param")                 an Insert that gathers fields into a new message
    Reword(comment, "# the stem")         another comment; without a text, none
    Remark(node, "# the stem")            a comment on a line of its own above a field
    Respell(start, end, ":")              characters that only look like prototxt's own
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from caffefix._startup.records import dataclass
from caffefix.syntax.comments import Comment
from caffefix.syntax.tree import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


class EditError(Exception):
    """Edits that cannot be made: they overlap, or the verb does not fit the node."""


# ---------------------------------------------------------------- new text


@dataclass(frozen=True, slots=True)
class NewField:
    """A scalar to insert. ``value`` is written unchanged, or quoted where ``string`` is set."""

    name: str
    value: str
    string: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A field that moves to the place of insertion with the comments it owns, perhaps renamed.

    If ``bare``, the whole-line comments above it stay; fields inserted before it go below them.
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
    """Give a scalar another value, which is written unchanged."""

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

    Without ``suppressions``, comments that suppress findings about it are deleted: they would apply to the field
    below it, where nothing replaces it.
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
    """Give a comment another text; an empty text deletes it, with its line if it is alone there."""

    comment: Comment
    text: str


@dataclass(frozen=True, slots=True)
class Remark:
    """Put a comment on a line of its own, right above a field that begins a line.

    Above the root means about the file: before the first field and the comments it owns.
    """

    node: Node
    text: str


@dataclass(frozen=True, slots=True)
class Respell:
    """Respell a stretch of the text without changing its meaning to a reader (``lookalikes.as_meant``)."""

    start: int
    end: int
    text: str


Edit: TypeAlias = Replace | Rename | Insert | Delete | Unwrap | Reword | Remark | Respell


def wrap(nodes: Sequence[Node], name: str, names: Sequence[str | None] = (), at: Place | None = None) -> Insert:
    """Gather fields into a new message at the place of the first of them."""
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
