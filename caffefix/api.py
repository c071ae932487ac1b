"""caffefix for Python programs: what ``import caffefix`` provides. docs/python.md says what is stable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import AnyStr, Generic

from caffefix._startup.records import replace
from caffefix.caffe.change import Change
from caffefix.commands.diff.work import CompareError, compare
from caffefix.engine.repair import Request
from caffefix.engine.repair import repair as _repair
from caffefix.engine.select import Selection
from caffefix.findings import Applicability, Assumptions, Severity
from caffefix.results import Diagnostic as Finding
from caffefix.results import FileResult, Status
from caffefix.syntax.parse import PrototxtError
from caffefix.syntax.parse import parse as _parse
from caffefix.syntax.source import Source, display
from caffefix.syntax.tree import Document

__all__ = [
    "Applicability",
    "Change",
    "Document",
    "Finding",
    "ParseError",
    "RefusedError",
    "Repair",
    "Severity",
    "check",
    "diff",
    "parse",
    "repair",
]


class ParseError(ValueError):
    """Text whose syntax Caffe's parser would refuse, or that cannot be compared.

    Attributes:
        line: of the error, from 1; 0 if the error has no single position.
        column: of the error, in characters from 1; 0 if the error has no single position.
    """

    def __init__(self, message: str, line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


class RefusedError(RuntimeError):
    """A repair that could not be proved; no part of it is returned."""


@dataclass(frozen=True)
class Repair(Generic[AnyStr]):
    """The result of a repair.

    Attributes:
        text: the repaired text, of the type that was given; the given text if nothing changes.
        diff: a unified diff from the given text to this one; empty if nothing changes.
        findings: in file order, those that are fixed (``applied``) and those that remain.
    """

    text: AnyStr
    diff: AnyStr
    findings: tuple[Finding, ...]

    @property
    def changed(self) -> bool:
        """Whether the repair changed the text."""
        return bool(self.diff)


def parse(text: str | bytes) -> Document:
    """The lossless tree of a prototxt text; ``Document.print()`` returns the text, one character per byte.

    Raises:
        ParseError: Caffe's parser would refuse the text's syntax.
    """
    try:
        return _parse(_bytes(text).decode("latin-1"))
    except PrototxtError as error:
        place = Source("", _bytes(text)).position(error.offset)
        raise ParseError(f"{place.line}:{place.column}: {error.message}", place.line, place.column) from None


def check(
    text: str | bytes,
    *,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    dialect: str = "",
    from_scratch: bool = True,
    name: str = "<text>",
) -> tuple[Finding, ...]:
    """What is wrong with a net or solver, in file order, notes included.

    Args:
        text: the net or solver; ``str`` is encoded as UTF-8.
        select: names and globs of findings to check for; all by default.
        ignore: names and globs to leave out.
        dialect: the fork of Caffe that the text is for; recognised from the text by default.
        from_scratch: whether the net is trained from its fillers; False where weights are loaded.
        name: what messages call the text.

    Raises:
        ParseError: Caffe's parser would refuse the text's syntax.
        UnknownNameError: no finding has such a name (``caffefix.engine.select``).
    """
    given = _bytes(text)
    made = repair(given, select=select, ignore=ignore, dialect=dialect, from_scratch=from_scratch, name=name)
    return tuple(replace(finding, applied=False) for finding in made.findings)


def repair(
    text: AnyStr,
    *,
    unsafe: bool = False,
    select: Sequence[str] = (),
    ignore: Sequence[str] = (),
    dialect: str = "",
    from_scratch: bool = True,
    name: str = "<text>",
) -> Repair[AnyStr]:
    """Repair a net or solver, with all proofs.

    Args:
        text: the net or solver; ``str`` is encoded as UTF-8.
        unsafe: whether to apply fixes that change what a working net computes.
        select: names and globs of findings to check for; all by default. An exact name allows its unsafe fix.
        ignore: names and globs to leave out.
        dialect: the fork of Caffe that the text is for; recognised from the text by default.
        from_scratch: whether the net is trained from its fillers; False where weights are loaded.
        name: what messages and the diff call the text.

    Raises:
        ParseError: Caffe's parser would refuse the text's syntax.
        RefusedError: the repair cannot be proved.
        UnknownNameError: no finding has such a name (``caffefix.engine.select``).
    """
    selection = Selection(tuple(select), tuple(ignore), unsafe)
    selection.check()
    request = Request(selection, Assumptions(from_scratch=from_scratch, dialect=dialect))
    result = _repair(Source(name, _bytes(text)), request)
    _raise_for(result)
    new = text if result.new is None else _as_given(result.new, text)
    return Repair(new, _as_given(result.diff, text), result.findings)


def diff(old: str | bytes, new: str | bytes) -> tuple[Change, ...]:
    """What differs in meaning between two nets or two solvers, whatever their formats.

    Raises:
        ParseError: one does not parse or is neither net nor solver, or one is a net and the other a solver.
    """
    try:
        found = compare(Source("old", _bytes(old)), Source("new", _bytes(new)))
    except CompareError as error:
        raise ParseError(str(error)) from None
    return tuple(
        replace(change, place=display(change.place), layer=display(change.layer), old=display(change.old),
                new=display(change.new))
        for change in found.changes
    )  # fmt: skip


def _raise_for(result: FileResult) -> None:
    if result.status is Status.ERROR:
        raise ParseError(result.reason, result.line, result.column)
    if result.status is Status.REFUSED:
        raise RefusedError(result.reason)


def _bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def _as_given(data: bytes, given: AnyStr) -> AnyStr:
    """The bytes in the type that was given."""
    if isinstance(given, str):
        return data.decode("utf-8", "surrogateescape")
    return data
