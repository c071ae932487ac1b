"""What every report of a repair is: told of each file as it is done, and holding no more than it must."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Protocol

from caffefix._startup.records import dataclass
from caffefix.results import FileResult, Gate


def _no_page(name: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a report is to say, and what it may know.

    Attributes:
        notes: whether findings of severity ``info`` are told.
        diffs: whether the report of a dry run holds the diffs.
        delta: whether text tells what changes in the meaning; other formats that can always do.
        colour: whether text is coloured.
        docs: address of the folder with the findings' pages; empty if they are nowhere to link to.
        gate: what the run fails for; a report that knows failures tells the same ones.
        page: the page of a finding by its name, its summary in the first line; empty if there is none.
    """

    notes: bool = False
    diffs: bool = False
    delta: bool = False
    colour: bool = False
    docs: str = ""
    gate: Gate = Gate()
    page: Callable[[str], str] = _no_page


class Report(Protocol):
    """A report in the making: text to be written at once, in three steps.

    Attributes:
        NEEDS: which results it asks for: fields of ``Request`` that are off by default.
    """

    NEEDS: ClassVar[frozenset[str]]

    def __init__(self, setting: Setting) -> None: ...

    def begin(self) -> str:
        """What stands before the first file."""

    def add(self, result: FileResult) -> str:
        """What is said of one file."""

    def end(self) -> str:
        """What stands behind the last one."""
