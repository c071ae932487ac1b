"""The interface of a repair's reports: they receive each file as it is done, and keep no more than they must."""

from __future__ import annotations

from collections.abc import Callable

from caffefix._startup.records import dataclass
from caffefix.results import FileResult, Gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar, Protocol
else:
    Protocol = object


def _nothing(name: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a report contains, and what it may use.

    Attributes:
        notes: whether findings of severity ``info`` are reported.
        diffs: whether the report of a dry run contains the diffs.
        delta: whether text shows what changes in meaning; other formats that can show it always do.
        colour: whether text is coloured.
        unsafe: whether text contains the diffs of unsafe fixes that are not applied.
        quiet: whether text contains nothing but findings and failures.
        verbose: whether text names each place of a finding, and what its fix does.
        width: columns that text is wrapped to.
        terminal: whether text goes to a terminal, where a line of any kind is wrapped.
        files: number of the run's files; 0 if it is unknown.
        docs: address of the folder with the findings' pages; empty if there is no such address.
        gate: what makes the run fail; a report that marks failures marks the same ones.
        page: returns the page of a finding by name, with its summary in the first line; empty if it has no page.
        line: returns the command line of this run with other options (``--dry-run``); empty if there is none to
            suggest.
    """

    notes: bool = False
    diffs: bool = False
    delta: bool = False
    colour: bool = False
    unsafe: bool = False
    quiet: bool = False
    verbose: bool = False
    width: int = 100
    terminal: bool = False
    files: int = 0
    docs: str = ""
    gate: Gate = Gate()
    page: Callable[[str], str] = _nothing
    line: Callable[[str], str] = _nothing


class Report(Protocol):
    """A report in progress: text to be written immediately, in three steps.

    Attributes:
        NEEDS: what its results must contain: fields of ``Request`` that are off by default.
    """

    NEEDS: ClassVar[frozenset[str]]

    def __init__(self, setting: Setting) -> None: ...

    def begin(self) -> str:
        """The text before the first file."""

    def add(self, result: FileResult) -> str:
        """The text for one file."""

    def end(self) -> str:
        """The text after the last file."""
