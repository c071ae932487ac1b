"""What differs in meaning between two files of any generations."""

from __future__ import annotations

from caffefix.caffe.change import Change
from caffefix.caffe.dialect import root_type
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source
from caffefix.syntax.tree import Document


class CompareError(Exception):
    """Two files that cannot be compared; the message says why, with the place."""


def compare(old: Source, new: Source) -> list[Change]:
    """The differences, in the order of the new file; empty if the files mean the same to Caffe.

    Raises:
        CompareError: one does not parse or is neither net nor solver, or one is a net and the other a solver.
    """
    from caffefix.caffe.delta import changes
    from caffefix.caffe.normal import normal_form

    documents = [_document(source) for source in (old, new)]
    kinds = [_kind(source, document) for source, document in zip((old, new), documents, strict=True)]
    if kinds[0] != kinds[1]:
        raise CompareError(f"{old.path} is a {kinds[0]}, {new.path} a {kinds[1]}: they cannot be compared")
    return changes(*(normal_form(document) for document in documents))


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
