"""``caffefix --watch PATH…``: checks again when a file is saved, until Ctrl-C. Nothing is written.

A check reports on all files, like any other run, but only folders in which something was saved are read again.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator, Iterable, Sequence

from caffefix.commands._shared.errors import fail, misuse
from caffefix.commands._shared.files import paths_of
from caffefix.commands._shared.orderly import Ended
from caffefix.commands._shared.output import lose, lost, say
from caffefix.commands.repair.events import Events
from caffefix.reports.formats import TEXT
from caffefix.results import FileResult
from caffefix.syntax.source import visible
from caffefix.zoo.config import Configuration
from caffefix.zoo.config_file import OWN, SHARED, ConfigError
from caffefix.zoo.discover import SUFFIXES
from caffefix.zoo.ignores import GIT, OURS
from caffefix.zoo.run import FileFilter, Run, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from caffefix.zoo.run_options import RunOptions
    from caffefix.zoo.work import Work

# What says how files are judged: after a change, all of them are.
_RULES = (OWN, SHARED, GIT, OURS)
_CLEAR = "\x1b[H\x1b[2J"
_NAMED = 3  # changed files that are named


def watch(once: Callable[..., int], /, paths: tuple[str, ...], **options: Any) -> int:
    """Check until interrupted; return the exit status.

    Args:
        once: checks once, and returns the exit status.
        paths: as given.
        options: of the command line.
    """
    _refuse_what_writes(paths, **options)
    options["no_pager"] = True  # which would wait for a key
    if not options["dry_run"]:
        options["check"] = True
    given = paths_of(paths, **options)
    known = _Known(given, _also(**options))
    try:
        with Events(known.folders, known.parents()) as events:
            status = once(paths=paths, again=known, **options)
            while status < 128 and not _is_unread():
                say(sys.stderr, "watching; Ctrl-C ends\n")
                _announce(known.wait(events))
                try:
                    status = once(paths=paths, again=known, **options)
                except Ended:
                    raise
                except SystemExit:
                    pass  # said what is wrong, which may be right after the next change
            return status
    except OSError as error:
        fail(f"the files cannot be watched: {error.strerror or error}")
    except KeyboardInterrupt:
        say(sys.stderr, "\n")
        return 130


def _is_unread() -> bool:
    """Whether nobody reads standard output any more."""
    error = lost()
    if error is not None:
        lose(error)
    return error is not None


def _announce(changed: Sequence[str]) -> None:
    if sys.stdout.isatty():
        say(sys.stdout, _CLEAR)
    named = ", ".join(visible(os.path.relpath(path)) for path in changed[:_NAMED])
    rest = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    say(sys.stderr, f"{time.strftime('%H:%M:%S')} {named}{rest}: changed\n")


def _refuse_what_writes(
    paths: tuple[str, ...],
    formats: tuple[str, ...],
    output_file: str,
    files_from: str | None,
    patch_dir: str,
    commit: bool,
    report_file: str,
    prune: bool,
    **others: Any,
) -> None:
    if "-" in paths or files_from == "-":
        raise misuse("--watch needs files: standard input cannot be read again")
    given = {
        "--patch-dir": patch_dir, "--commit": commit, "--report": report_file, "--prune": prune,
        "--output-file": output_file,
        "--format": [form for form in formats if form not in TEXT],
    }  # fmt: skip
    refused = next((flag for flag, value in given.items() if value), "")
    if refused == "--format":
        raise misuse(f"--watch shows its report on the screen: as {', '.join(sorted(TEXT))}")
    if refused:
        raise misuse(f"--watch writes no file: it cannot be given with {refused}")


def _also(
    config: str | None, proto: str | None, log: str | None, baseline: str, patches: tuple[str, ...], **others: Any
) -> list[str]:
    """Files that the command line names besides those that are checked."""
    return [path for path in (config, proto, log, baseline, *patches) if path and os.path.exists(path)]


class _Known:
    """The results so far, and what makes them stale.

    Args:
        paths: files and folders that are checked.
        also: other files that the results depend on.

    Attributes:
        folders: those that are watched with all that is below them.
    """

    def __init__(self, paths: Sequence[str], also: Iterable[str]) -> None:
        self._paths = paths
        self._also = {os.path.realpath(path) for path in also}
        self.folders = {os.path.realpath(path) for path in paths if os.path.isdir(path)}
        self._given = {os.path.realpath(path) for path in paths if not os.path.isdir(path)}
        self._configuration = Configuration()
        self._results: dict[str, FileResult] = {}
        self._files: set[str] = set()  # real paths of those that have results
        self._seen: dict[str, tuple[int, int, int] | None] = {}

    def parents(self) -> set[str]:
        """Folders that are watched for the files in them: editors replace files, so a file itself cannot be."""
        files = {*self._given, *self._also}
        for path in self._paths:
            try:
                file = self._configuration.of(path).file
            except ConfigError:
                continue  # the check says so
            files.update([os.path.realpath(file)] if file else [])
        found = {path if os.path.isdir(path) else os.path.dirname(path) for path in files}
        return {folder for folder in found if os.path.isdir(folder)}

    def __call__(
        self,
        paths: Sequence[str],
        configuration: Configuration,
        work: Work,
        run_options: RunOptions,
        file_filter: FileFilter | None = None,
    ) -> Run:
        """A run like that of ``zoo.run``, in which files that are not stale keep their results."""
        self._configuration = configuration
        whole = run(paths, configuration, work, run_options, file_filter)
        self._results = {path: self._results[path] for path in whole.paths if path in self._results}
        stale = [path for path in whole.paths if path not in self._results]
        return _Rerun(whole, Run(stale, whole.task, run_options.executor(len(stale))), self._results)

    def wait(self, events: Events) -> list[str]:
        """Wait until something has changed that matters; the paths. Results that it makes stale are dropped."""
        self._files = {os.path.realpath(path) for path in self._results}
        while True:
            changed = sorted(path for path in events.wait() if self._matters(path))
            if changed:
                break
        for path in changed:
            if path in self._also or os.path.basename(path) in _RULES or not path.endswith(SUFFIXES):
                self._results.clear()
        folders = set(map(os.path.dirname, changed))
        for path in list(self._results):
            if os.path.realpath(os.path.dirname(path)) in folders:
                del self._results[path]
        return changed

    def _matters(self, path: str) -> bool:
        """Whether a path has changed, and results may depend on it."""
        folder, name = os.path.split(path)
        if not (path in self._also or path in self._given or name in _RULES):
            if os.path.isdir(path) or not self._is_candidate(folder, name):
                return self._is_folder_of_ours(path)
            if not os.path.lexists(path) and path not in self._files and path not in self._seen:
                return False  # an editor's, which came and went
        state = _state(path)
        if path in self._seen and self._seen[path] == state:
            return False
        self._seen[path] = state
        return True

    def _is_candidate(self, folder: str, name: str) -> bool:
        """Whether a search would find a file of that name."""
        if name.startswith(".#") or self._is_hidden(folder):
            return False
        try:
            return name.endswith(SUFFIXES) or self._configuration.includes(os.path.join(folder, name))
        except ConfigError:
            return False

    def _is_folder_of_ours(self, path: str) -> bool:
        """Whether files were in a folder that is gone, or a folder is new that has any."""
        below = os.path.join(path, "")
        if any(file.startswith(below) for file in self._files):
            return not os.path.isdir(path)
        return os.path.isdir(path) and self._is_searched(path) and not self._is_hidden(path)

    def _is_searched(self, folder: str) -> bool:
        return any(os.path.join(folder, "").startswith(os.path.join(top, "")) for top in self.folders)

    def _is_hidden(self, folder: str) -> bool:
        """Whether a search of a folder above would leave it out."""
        tops = (top for top in self.folders if folder.startswith(top))
        return any("/." in folder[len(top) :].replace(os.sep, "/") for top in tops)


def _state(path: str) -> tuple[int, int, int] | None:
    """What changes when a file is saved; None for no file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


class _Rerun(Run):
    """A run in which some files keep the results that they had.

    Args:
        whole: the run over all files.
        stale: the run over those that have no result.
        results: by path; completed with those of the stale files.
    """

    def __init__(self, whole: Run, stale: Run, results: dict[str, FileResult]) -> None:
        super().__init__(whole.paths, whole.task, whole.executor)
        self._stale = stale
        self._results = results

    def __iter__(self) -> Generator[FileResult, None, None]:
        fresh = iter(self._stale)
        try:
            for path in self.paths:
                if path not in self._results:
                    self._results[path] = next(fresh)
                yield self._results[path]
        finally:
            fresh.close()
