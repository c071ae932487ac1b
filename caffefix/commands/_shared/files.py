"""The options about many files, and what they mean. Click is not imported here: see the package."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import TracebackType

from caffefix.commands._shared.errors import misuse
from caffefix.commands._shared.option import Kind, Option
from caffefix.commands._shared.output import say
from caffefix.syntax.source import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import Any, Protocol

    from caffefix.results import FileResult
    from caffefix.zoo.delivery import Delivery
    from caffefix.zoo.run import FileFilter
    from caffefix.zoo.run_options import RunOptions

    class Run(Protocol):
        """Results as they arrive."""

        @property
        def written(self) -> Sequence[str]: ...

        def __len__(self) -> int: ...

        def __iter__(self) -> Generator[FileResult, None, None]: ...


OPTIONS = (
    Option(
        ("--jobs", "-j"), "Number of processes; by default one per processor if there are many files.",
        Kind.COUNT, "N",
        for_many=True,
    ),
    Option(
        ("--files-from",), "Add the paths listed in FILE; - for standard input.", Kind.VALUE, "FILE",
        fallback=None, for_many=True,
    ),
    Option(
        ("--changed-since",), "Only files that differ from this git revision.", Kind.VALUE, "REV", for_many=True
    ),
    Option(("--no-gitignore",), "Also search what .gitignore excludes.", for_many=True),
    Option(
        ("--patch-dir",), "Write a patch for each finding, not the files; git am applies them in order.",
        Kind.VALUE, "DIR", for_many=True,
    ),
    Option(("--commit",), "Make a git commit for each finding.", for_many=True),
    Option(
        ("--split-by",), "One patch or commit for each finding in each folder directly below PATH.", Kind.CHOICE,
        choices=("folder",), for_many=True,
    ),
    Option(
        ("--backup",), "Keep the old file, with SUFFIX appended to its name.", Kind.VALUE, "SUFFIX", for_many=True
    ),
    Option(
        ("--allow-dirty",), "Also write files that have changes which are not in git's index.", for_many=True
    ),
    Option(
        ("--report",), "Write a summary by finding, fork and folder: Markdown, or JSON for *.json.", Kind.VALUE,
        "FILE", name="report_file", for_many=True,
    ),
    Option(("--no-cache",), "Do not reuse results of earlier runs, and keep none.", for_many=True),
    Option(
        ("--cache-dir",), "Where results are kept, if not in your cache folder.", Kind.VALUE, "DIR",
        variable="CAFFEFIX_CACHE_DIR", for_many=True,
    ),
    Option(
        ("--follow-links",), "Follow links to folders, and links that lead out of the given paths.", for_many=True
    ),
)  # fmt: skip


def paths_of(paths: tuple[str, ...], files_from: str | None, changed_since: str, **others: Any) -> tuple[str, ...]:
    """All paths that are given; the working folder if none is given with ``--changed-since``."""
    from caffefix.zoo.discover import listed
    from caffefix.zoo.files import PATHS, FileError, read_once

    if "-" in paths and (len(paths) > 1 or files_from is not None):
        raise misuse("- must be the only path: standard input and files cannot be mixed")
    if files_from is None:
        if not paths and not changed_since:
            raise misuse("Missing argument 'PATH...'.")
        return paths or (".",)
    try:
        data = read_once(files_from, PATHS)
    except FileError as error:
        raise misuse(f"--files-from: {error}") from None
    return (*paths, *listed(data))


def file_filter(changed_since: str, no_gitignore: bool, **others: Any) -> FileFilter:
    """Which of the files found are to be processed."""
    from caffefix.zoo.run import FileFilter

    return FileFilter(changed_since, not no_gitignore)


def run_options(
    writing: bool,
    roots: tuple[str, ...],
    jobs: int | None,
    follow_links: bool,
    no_cache: bool,
    cache_dir: str,
    backup: str,
    allow_dirty: bool,
    **others: Any,
) -> RunOptions:
    """How the run processes the files."""
    from caffefix.zoo.discover import SUFFIXES
    from caffefix.zoo.run_options import RunOptions

    if os.path.basename(backup) != backup or backup.endswith(SUFFIXES):
        raise misuse("--backup needs a suffix that makes no prototxt file and names no folder, such as .orig")
    return RunOptions(
        writing,
        roots,
        jobs or 0,
        follow_links,
        cached=not no_cache,
        cache_folder=cache_dir,
        backup=backup,
        allow_dirty=allow_dirty,
    )


class Handover:
    """What is done with the results besides the report: patches or commits, a summary, a progress bar.

    Args:
        paths: the given paths.
        writing: whether the command line allows files to be written.
        unsafe: whether unsafe fixes are requested.
        notes: whether notes are shown.
    """

    def __init__(
        self,
        paths: tuple[str, ...],
        *,
        writing: bool,
        unsafe: bool | None,
        notes: bool,
        patch_dir: str,
        commit: bool,
        split_by: str | None,
        report_file: str,
        **others: Any,
    ) -> None:
        self.steps = bool(patch_dir or commit)
        self.forks = bool(report_file)
        self.done = self.told = 0
        self._paths = paths
        self._notes = notes
        self._report_file = report_file
        self._delivery: Delivery | None = None
        self._run: Run | None = None
        self._running: Generator[FileResult] | None = None
        if patch_dir and commit:
            raise misuse("--patch-dir and --commit cannot both be given")
        if self.steps and (not writing or paths == ("-",)):
            raise misuse("--patch-dir and --commit need files, and cannot be given with --dry-run or --check")
        if split_by and not self.steps:
            raise misuse("--split-by needs --patch-dir or --commit")
        if self.steps:
            from caffefix.zoo.delivery import Delivery

            self._delivery = Delivery(paths, patch_dir, bool(split_by), bool(unsafe))
        if report_file:
            from caffefix.reports.summary import ZooSummary
            from caffefix.zoo.series import top_folder

            self._summary = ZooSummary(lambda path: top_folder(path, paths), notes=notes)

    def __enter__(self) -> Handover:
        if self._delivery is not None:
            self._delivery.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._running is not None:
                self._running.close()  # ends the workers, however the report ends
        finally:
            if self._delivery is not None:
                self._delivery.__exit__(None, None, None)

    def run_options(self, run_options: RunOptions) -> RunOptions:
        """How the run must process the files."""
        return self._delivery.run_options(run_options) if self._delivery is not None else run_options

    def of(self, run: Run, *, bar: bool = True) -> Iterator[FileResult]:
        """The results, passed on to the report.

        Args:
            run: yields them.
            bar: whether a terminal shows the progress.
        """
        self._run = run
        self._running = iter(run)
        results: Iterator[FileResult] = self._running
        if self._delivery is not None:
            results = self._delivery.of(results)
        if bar and sys.stderr.isatty() and len(run) > 1:
            from caffefix.reports.progress import watched

            results = watched(results, len(run), sys.stderr)
        for result in results:
            if self.forks:
                self._summary.add(result)
            yield result
            self.done += 1
            self.told = len(run.written)

    def conclude(self) -> None:
        """Finish, once every file is processed and reported."""
        if self._delivery is not None:
            say(sys.stderr, self._delivery.conclude() + "\n")
        if self.forks:
            from caffefix.zoo.report_file import ReportFile

            with ReportFile(self._report_file) as file:
                file.write(
                    self._summary.json() if self._report_file.endswith(".json") else self._summary.markdown()
                )

    def interrupted(self, words: str) -> str:
        """The message for a run that was cut short, with the fixed files that no report has named.

        Args:
            words: how the run ended.
        """
        if self.steps:
            return f"{words}: no patch and no commit was made"
        if self._run is None:
            return f"{words}: nothing was changed"
        written = self._run.written
        untold = written[self.told :]  # written, but not counted yet
        told = "".join(f"{visible(path)}: fixed\n" for path in untold)
        done = self.done + len(untold)
        return (
            f"{told}{words} after {done} of {len(self._run)} files, {len(written)} of them fixed: "
            "every other file is unchanged; run again to continue"
        )
