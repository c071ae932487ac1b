"""What a repair counts: for its exit status, its warnings and ``--statistics``."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator

from caffefix.commands._shared.output import colour, say, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.commands.repair.job import Job
    from caffefix.results import FileResult, Gate


class Counted:
    """Passes results on to a report, counts them and determines the exit status."""

    def __init__(self, results: Iterable[FileResult], gate: Gate) -> None:
        self._results = results
        self._gate = gate
        self.files = self.failed = self.skipped = self.status = 0
        self.troubles: Counter[str] = Counter()

    def __iter__(self) -> Iterator[FileResult]:
        for result in self._results:
            self.files += 1
            self.failed += result.status.failed
            self.skipped += bool(result.skipped)
            if result.trouble:
                self.troubles[result.trouble] += 1
            self.status = max(self.status, self._gate.status(result))
            yield result


def statistics(counted: Counted, job: Job) -> None:
    """Write how often each finding occurs."""
    from caffefix.reports import as_text
    from caffefix.reports.closing import Summary
    from caffefix.reports.statistics import Statistics

    notes = job.setting.notes
    summary, table = Summary(), Statistics(notes=notes)
    diffs = job.setting.diffs and job.wanted.screen == "text"
    stream = sys.stderr if diffs else sys.stdout
    paint = as_text.colored if colour(stream) else as_text.plain
    for result in counted:
        summary.add(result)
        table.add(result)
        if diffs:
            show(result.diff)
        if result.status.failed:
            say(sys.stderr, as_text.render_file(result, job.setting, paint))
    if job.wanted.screen == "json":
        say(stream, table.json(counted.files, counted.failed))
    else:
        say(stream, table.text(paint) + summary.render(job.setting))
