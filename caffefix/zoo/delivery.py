"""Repairs delivered as patches or as commits instead of written files."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from types import TracebackType

from caffefix._startup.records import dataclass, field, replace
from caffefix.results import FileResult
from caffefix.zoo.git import GitError, top_level
from caffefix.zoo.run_options import RunOptions
from caffefix.zoo.series import Series, author, check_clean, commit, tracked


@dataclass(slots=True)
class Delivery:
    """One patch or one commit for each finding.

    Attributes:
        paths: the given paths.
        patch_dir: the folder for patches; empty for commits.
        by_folder: whether each folder below the paths gets its own.
        unsafe: whether unsafe fixes were requested.
        patches: paths of the written patches, in order.
    """

    paths: tuple[str, ...]
    patch_dir: str = ""
    by_folder: bool = False
    unsafe: bool = False
    patches: list[str] = field(default_factory=list)
    _top: str = ""
    _passing: str = ""  # temporary folder for patches that are only written to be committed
    _series: Series | None = None

    def __enter__(self) -> Delivery:
        """Prepare the delivery.

        Raises:
            FileError: the folder for patches cannot be used.
            GitError: there is no clean working tree to commit in.
        """
        first = next(iter(self.paths), os.curdir)
        folder = first if os.path.isdir(first) else os.path.dirname(first) or os.curdir
        try:
            self._top = top_level(folder)
        except GitError:
            if not self.patch_dir:
                raise
            self._top = os.getcwd()
        if not self.patch_dir:
            check_clean(self._top)
            self._passing = tempfile.mkdtemp(prefix="caffefix-")
        place = self.patch_dir or os.path.join(self._passing, "patches")
        self._series = Series(place, self.paths, self.by_folder, author(self._top), self.unsafe)
        self._series.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._series is not None:
            self._series.__exit__(kind, error, trace)
        if self._passing:
            shutil.rmtree(self._passing, ignore_errors=True)

    def run_options(self, run_options: RunOptions) -> RunOptions:
        """How the run must process its files: nothing is written, and names are relative to git's top level."""
        known = None if self.patch_dir else tracked(self._top)
        return replace(run_options, writing=False, base=self._top, known=known)

    def of(self, results: Iterable[FileResult]) -> Iterator[FileResult]:
        """The results, passed on to a report; after the last one, the patches are written.

        Raises:
            FileError: they cannot be written.
        """
        assert self._series is not None
        for result in results:
            self._series.add(result)
            yield result
        self.patches = self._series.finish()

    def conclude(self) -> str:
        """Make the commits, if requested; return a line that says what was done.

        Raises:
            GitError: git refuses; nothing was changed.
        """
        count = len(self.patches)
        if self.patch_dir:
            return f"{count} patch{'es' * (count != 1)} in {self.patch_dir}"
        commit(self._top, self.patches)
        return f"{count} commit{'s' * (count != 1)} made"
