"""What became of each file of a run with questions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from caffefix._startup.records import replace
from caffefix.engine.repair import SILENCING
from caffefix.reports.as_text import colored, failure_text, names_of, plain
from caffefix.reports.closing import Summary, count
from caffefix.reports.report import Setting
from caffefix.results import FileResult, Status
from caffefix.syntax.source import visible


class Chosen:
    """The report: a line for each file that was changed or failed, or in which something is left."""

    NEEDS: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._paint = colored if setting.colour else plain
        self._summary = Summary()

    def begin(self) -> str:
        return ""

    def add(self, result: FileResult) -> str:
        # A comment is no repair: it is reported in the file's own line.
        self._summary.add(replace(result, findings=tuple(d for d in result.findings if d.name != SILENCING)))
        if result.status.failed:
            return failure_text(result, self._setting, self._paint) + "\n"
        parts = [*self._parts(result)]
        return f"{self._paint(visible(result.path), 'path')}: {', '.join(parts)}\n" if parts else ""

    def _parts(self, result: FileResult) -> Iterator[str]:
        if result.status is Status.CHANGED:
            fixed = names_of(d for d in result.findings if d.applied and d.name != SILENCING)
            if fixed:
                yield f"{self._paint('fixed', 'fixed')} {fixed}"
            silenced = sum(d.name == SILENCING for d in result.findings)
            if silenced:
                yield f"{count(silenced, 'finding')} silenced"
        left = sum(not (d.applied or d.is_note) for d in result.findings)
        if left:
            yield f"{count(left, 'finding')} left"

    def end(self) -> str:
        return "" if self._setting.quiet else self._summary.render(self._setting)
