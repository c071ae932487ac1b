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


def _no_page(name: str) -> str:
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
        width: columns that text is wrapped to.
        docs: address of the folder with the findings' pages; empty if there is no such address.
        gate: what makes the run fail; a report that marks failures marks the same ones.
        page: returns the page of a finding by name, with its summary in the first line; empty if it has no page.
    """

    notes: bool = False
    diffs: bool = False
    delta: bool = False
    colour: bool = False
    unsafe: bool = False
    width: int = 100
    docs: str = ""
    gate: Gate = Gate()
    page: Callable[[str], str] = _no_page


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
