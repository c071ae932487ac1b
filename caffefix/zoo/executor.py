"""What processes many files: this process, or several (``processes``). A cluster would be another.

An executor receives jobs in batches and yields the results in the order of the jobs, as they arrive; it
keeps a bounded number of them, however many jobs there are. A batch is done by one worker, one job
after another. If a worker dies, only the job that it was working on is lost.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Sequence

from caffefix.results import FileResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

Batch = Sequence[str]


class Task(Protocol):
    """What is done to each file. It is sent to the workers, so it must be picklable."""

    def begin(self) -> None:
        """Called before the first file of a batch."""

    def __call__(self, job: str, /) -> FileResult:
        """The result for a file."""

    def lost(self, job: str, reason: str, /) -> FileResult:
        """The result for a file whose worker died."""


class Executor(Protocol):
    """Does a task for all jobs."""

    def run(self, task: Task, batches: Iterable[Batch]) -> Generator[FileResult, None, None]:
        """The results, in order."""


class Serial:
    """This process."""

    def run(self, task: Task, batches: Iterable[Batch]) -> Generator[FileResult, None, None]:
        """The results, in order."""
        for batch in batches:
            task.begin()
            for job in batch:
                yield task(job)


def usable_cpus() -> int:
    """The number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
