"""Many files: found, and processed in the order in which they were found."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import groupby

from caffefix._startup.records import dataclass
from caffefix.results import FileResult
from caffefix.zoo.config import Configuration
from caffefix.zoo.config_file import ConfigError
from caffefix.zoo.discover import SUFFIXES, Search, discover
from caffefix.zoo.executor import Batch, Executor
from caffefix.zoo.family import MOST
from caffefix.zoo.one_file import OneFile
from caffefix.zoo.own_caffe import OwnCaffeError, OwnCaffes
from caffefix.zoo.run_options import RunOptions
from caffefix.zoo.work import Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.zoo.writing import Writer


@dataclass(frozen=True, slots=True)
class FileFilter:
    """Which of the files found are to be processed.

    Attributes:
        changed_since: a revision: only files that differ from it according to git; empty for all.
        gitignore: whether ``.gitignore`` counts.
    """

    changed_since: str = ""
    gitignore: bool = True

    def of(self, found: Iterator[str], paths: Iterable[str]) -> Iterator[str]:
        """The files to be processed."""
        if not self.changed_since:
            return found
        from caffefix.zoo.git import changed_since

        folders = {path if os.path.isdir(path) else os.path.dirname(path) or os.curdir for path in paths}
        changed = changed_since(self.changed_since, folders)
        return (path for path in found if os.path.realpath(path) in changed)


@dataclass(slots=True)
class Run:
    """A run over known files; iterating does the work, and yields each result in order.

    One file's failure does not stop the others.

    Attributes:
        paths: the files.
        task: what is done to each.
        executor: what runs the task.
        writer: what writes changed files; None if nothing is written.
    """

    paths: Sequence[str]
    task: OneFile
    executor: Executor
    writer: Writer | None = None

    @property
    def written(self) -> Sequence[str]:
        """The files written so far, in order."""
        return self.writer.written if self.writer is not None else ()

    @property
    def trouble(self) -> str:
        """Why the intended cache cannot be used; empty if it can."""
        return self.task.cache.trouble if self.task.cache is not None else ""

    def __len__(self) -> int:
        return len(self.paths)

    def __iter__(self) -> Generator[FileResult, None, None]:
        results = self.executor.run(self.task, _batches(self.paths))
        try:
            for result in results:
                yield self.writer(result) if self.writer is not None else result
        finally:
            results.close()
            if self.task.cache is not None:
                self.task.cache.close()


def run(
    paths: Sequence[str],
    configuration: Configuration,
    work: Work,
    run_options: RunOptions,
    file_filter: FileFilter | None = None,
) -> Run:
    """Find the files and prepare the run; no file is changed before the run is iterated over.

    The settings in force are determined for all files first: a mistake in a configuration file stops the
    run before anything is changed.

    Raises:
        ConfigError: a configuration file cannot be used.
        GitError: git does not know what has changed.
    """
    file_filter = file_filter or FileFilter()
    search = Search(
        configuration.excludes, configuration.includes, file_filter.gitignore, run_options.follow_links
    )
    found = list(file_filter.of(discover(paths, search), paths))
    protos = {configuration.of(path).settings.proto for path in found} - {""}
    for proto in sorted(protos):
        _check_proto(proto)
    within = None if run_options.follow_links else frozenset(map(os.path.realpath, paths))
    task = OneFile(configuration, work, run_options, within, run_options.cache(len(found)))
    return Run(found, task, run_options.executor(len(found)), run_options.writer(task.check))


def _check_proto(path: str) -> None:
    """Stop before the first file if a named .proto file cannot be used as the dialect."""
    try:
        OwnCaffes().of(os.curdir, path)
    except OwnCaffeError as error:
        raise ConfigError(str(error)) from None


def _batches(paths: Sequence[str]) -> Iterator[Batch]:
    """The files that one worker processes in a row.

    Files that may be each other's family stay together: they are judged with the folder in its state
    before the first of them was written.
    """
    for _, group in groupby(paths, os.path.dirname):
        folder = list(group)
        together = sum(path.endswith(SUFFIXES) for path in folder) <= MOST
        size = len(folder) if together else MOST
        for start in range(0, len(folder), size):
            yield folder[start : start + size]
