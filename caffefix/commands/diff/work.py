"""What differs in meaning between two files of any generations."""

from __future__ import annotations

from caffefix._startup.records import dataclass
from caffefix.caffe.change import Change
from caffefix.caffe.dialect import root_type
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source
from caffefix.syntax.tree import Document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from caffefix.caffe.normal import NormalForm
    from caffefix.caffe.renaming import Renamed


class CompareError(Exception):
    """Two files that cannot be compared; the message says why, with the place."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What differs between two files.

    Attributes:
        kind: what both are, ``net`` or ``solver``.
        changes: names first, then in the order of the new file; empty if the files mean the same to Caffe.
    """

    kind: str
    changes: tuple[Change, ...]


def compare(old: Source, new: Source) -> Comparison:
    """What differs between two files.

    A layer with another name differs in its field ``name``, and a blob with another name in ``blob``, which stands
    for all layers that read or produce it. What has no effect (``inert.py``) is no difference.

    Raises:
        CompareError: one does not parse or is neither net nor solver, or one is a net and the other a solver.
    """
    from caffefix.caffe.delta import changes
    from caffefix.caffe.dialect import judge
    from caffefix.caffe.inert import without_inert
    from caffefix.caffe.normal import normal_form

    documents = [_document(source) for source in (old, new)]
    kinds = [_kind(source, document) for source, document in zip((old, new), documents, strict=True)]
    if kinds[0] != kinds[1]:
        raise CompareError(f"{old.path} is a {kinds[0]}, {new.path} a {kinds[1]}: they cannot be compared")
    verdicts = [judge(document) for document in documents]
    one, other = (normal_form(*pair) for pair in zip(documents, verdicts, strict=True))
    if all(verdict is not None and verdict.accepted_by("bvlc") for verdict in verdicts):
        one, other = without_inert(one), without_inert(other)
    names, one = _renamed(one, other)
    return Comparison(kinds[0], (*names, *changes(one, other)))


def _renamed(old: NormalForm, new: NormalForm) -> tuple[list[Change], NormalForm]:
    """The names that differ, and the old file with the new names."""
    from caffefix._startup.records import replace
    from caffefix.caffe.renaming import renamed

    theirs = {net.place: net for net in new.nets}
    found: list[tuple[str, Renamed]] = []
    nets = []
    for net in old.nets:
        names, made = renamed(net, theirs[net.place]) if net.place in theirs else ([], net)
        found += [(net.place, name) for name in names]
        nets.append(made)
    return list(_told(found)), replace(old, nets=tuple(nets))


def _told(found: list[tuple[str, Renamed]]) -> Iterator[Change]:
    from caffefix.syntax.scalars import quoted

    for place, name in found:
        layer, path = ("", "blob") if name.is_blob else (name.new, "name")
        yield Change(place, layer, name.ordinal, path, quoted(name.old), quoted(name.new))


def _document(source: Source) -> Document:
    try:
        return parse(source.text)
    except PrototxtError as error:
        raise CompareError(error.render(source)) from None


def _kind(source: Source, document: Document) -> str:
    kind = root_type(document)
    if kind is None:
        raise CompareError(f"{source.path}: neither a net nor a solver, so it has no meaning to compare")
    return "net" if kind == "NetParameter" else "solver"
