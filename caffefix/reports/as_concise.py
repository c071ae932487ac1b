"""One line per finding, ``path:line:column: name message``, and no other lines: for editors and grep."""

from __future__ import annotations

from typing import ClassVar

from caffefix.reports._shared import sentence, told
from caffefix.reports.as_text import colored, plain
from caffefix.reports.report import Setting
from caffefix.results import FileResult
from caffefix.syntax.source import visible


class Concise:
    """The report."""

    NEEDS: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, setting: Setting) -> None:
        self._notes = setting.notes
        self._paint = colored if setting.colour else plain

    def begin(self) -> str:
        return ""

    def add(self, result: FileResult) -> str:
        return "".join(
            f"{self._paint(f'{visible(result.path)}:{d.line}:{d.column}', 'path')}: "
            f"{self._paint(d.name, d.severity.value)} {sentence(d)}\n"
            for d in told(result, self._notes)
        )

    def end(self) -> str:
        return ""
