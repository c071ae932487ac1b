"""A progress bar on a terminal: files done, speed, time left, and what was found so far."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING

from caffefix.findings import Severity
from caffefix.results import FileResult, Status

if TYPE_CHECKING:
    from rich.progress import Progress

# Seconds between two drawings, and before the first.
_PAUSE = 0.1
_FIRST = 0.5


def watched(results: Iterable[FileResult], total: int, stream: IO[str]) -> Iterator[FileResult]:
    """The results, passed on to a report, with a bar while the report is not writing to the terminal.

    The bar is hidden while a result is passed on, so that what is then written is not disturbed. There
    is no thread: the bar moves when a result arrives.

    Args:
        results: of a run.
        total: how many there will be.
        stream: a terminal.
    """
    bar: _Bar | None = None
    begun = time.monotonic()
    counts = _Counts()
    try:
        for result in results:
            counts.add(result)
            if bar is not None:
                bar.hide()
            yield result
            if bar is None and time.monotonic() - begun > _FIRST:
                bar = _Bar(total, stream, begun)
            if bar is not None:
                bar.show(counts)
    finally:
        if bar is not None:
            bar.hide()


class _Counts:
    def __init__(self) -> None:
        self.files = self.changed = self.failed = self.findings = 0

    def add(self, result: FileResult) -> None:
        self.files += 1
        self.changed += result.status in (Status.CHANGED, Status.WOULD_CHANGE)
        self.failed += result.status.failed
        self.findings += sum(d.severity is not Severity.INFO for d in result.findings)

    def __str__(self) -> str:
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{self.findings} findings, {self.changed} files to fix{failed}"


class _Bar:
    """A rich progress bar that is shown and hidden at will."""

    def __init__(self, total: int, stream: IO[str], begun: float) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (BarColumn(24), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
        console = Console(file=stream)
        self._progress: Progress = Progress(*columns, console=console, auto_refresh=False, transient=True)
        self._task = self._progress.add_task("", total=total)
        self._total = total
        self._begun = begun
        self._drawn = 0.0
        self._shown = False

    def show(self, counts: _Counts) -> None:
        """Draw the bar, unless it was drawn a moment ago."""
        now = time.monotonic()
        if now - self._drawn < _PAUSE:
            return
        self._drawn = now
        rate = counts.files / (now - self._begun)
        left = (self._total - counts.files) / rate
        text = f"{rate:.0f} files/s, {_duration(left)} left, {counts}"
        self._progress.update(self._task, completed=counts.files, description=text)
        self._progress.start()
        self._progress.refresh()
        self._shown = True

    def hide(self) -> None:
        """Remove the bar."""
        if self._shown:
            self._progress.stop()
            self._shown = False


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
