"""Writing results to files. One process writes, whichever did the work, so it knows what was written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

from caffefix._startup.records import dataclass, field, replace
from caffefix.results import FileResult, Status
from caffefix.zoo.files import FileError, digest_of, read, write
from caffefix.zoo.signals import held


@dataclass(slots=True)
class Index:
    """What git's index says about files that are to be replaced. Git is run once per repository."""

    _tops: dict[str, str] = field(default_factory=dict)  # of folders; empty for those in no working tree
    _differing: dict[str, frozenset[str]] = field(default_factory=dict)
    _silent: dict[str, str] = field(default_factory=dict)  # repositories that git cannot report on, and why

    def objection(self, real: str) -> str:
        """Why a file must not be replaced: git could not restore its content; empty if git could.

        A file that git does not track is treated like one outside git.
        """
        top = self._top(os.path.dirname(real))
        if not top:
            return ""
        if top not in self._differing and top not in self._silent:
            self._ask(top)
        if top in self._silent:
            return f"git cannot tell whether it has changes ({self._silent[top]}); --allow-dirty writes it"
        if real in self._differing[top]:
            return "it has changes that are not in git's index; git add it first, or give --allow-dirty"
        return ""

    def _ask(self, top: str) -> None:
        from caffefix.zoo.git import GitError, NoGitError, unstaged

        try:
            self._differing[top] = unstaged(top)
        except NoGitError as error:
            if shutil.which("git") and os.path.lexists(os.path.join(top, ".git", "index")):  # it was a repository
                self._silent[top] = str(error)
            else:
                self._differing[top] = frozenset()
        except GitError as error:
            self._silent[top] = str(error)

    def _top(self, folder: str) -> str:
        """The folder, or the nearest above it, that has a ``.git``."""
        passed = []
        found = ""
        while True:
            if folder in self._tops:
                found = self._tops[folder]
                break
            passed.append(folder)
            parent = os.path.dirname(folder)
            if os.path.lexists(os.path.join(folder, ".git")):
                found = folder
                break
            if parent == folder:
                break
            folder = parent
        self._tops.update(dict.fromkeys(passed, found))
        return found


@dataclass(slots=True)
class Writer:
    """Writes the new content of files.

    Attributes:
        backup: suffix of the backups that keep files' old contents; empty for no backups.
        allow_dirty: whether files that differ from git's index are replaced.
        check: refuses a file in a place where the run must not write (``FileError``).
        written: the files written so far.
    """

    backup: str = ""
    allow_dirty: bool = False
    check: Callable[[str], None] | None = None
    written: list[str] = field(default_factory=list)
    _index: Index | None = None

    def __call__(self, result: FileResult) -> FileResult:
        """Write a file's new content, if it has any; return the file's result."""
        if result.new is None:
            return result
        try:
            self.check_git(result.path)
            if self.check is not None:
                self.check(result.path)  # again, because some time has passed since the file was read
            with held():
                self._write(result)
        except FileError as error:
            findings = tuple(replace(finding, applied=False) for finding in result.findings)
            return FileResult(result.path, Status.ERROR, str(error), findings)
        return replace(result, status=Status.CHANGED)

    def _write(self, result: FileResult) -> None:
        data = read(result.path)
        if digest_of(data) != result.digest:
            raise FileError(f"{result.path}: not written: it changed while it was being repaired; run again")
        assert result.new is not None
        write(result.path, data, result.new, self.backup)
        self.written.append(result.path)

    def check_git(self, path: str) -> None:
        """Refuse a file whose content git could not restore.

        Raises:
            FileError: it differs from git's index.
        """
        if self.allow_dirty:
            return
        if self._index is None:
            self._index = Index()
        reason = self._index.objection(os.path.realpath(path))
        if reason:
            raise FileError(f"{path}: not written: {reason}")
