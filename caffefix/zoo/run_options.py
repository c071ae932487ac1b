"""How a run processes its files."""

from __future__ import annotations

from collections.abc import Callable

from caffefix._startup.records import dataclass
from caffefix.zoo.executor import Executor, Serial, usable_cpus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.zoo.cache import Cache
    from caffefix.zoo.writing import Writer

# With fewer files than this, starting processes costs more than it saves.
FEW = 10


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How a run processes its files.

    Attributes:
        writing: whether changed files are written.
        roots: folders that solvers' paths may be relative to.
        jobs: how many processes; 0 for as many as there are processors, if there is enough to do.
        follow_links: whether links are followed to folders, and out of the given paths.
        cached: whether results of earlier runs are used and kept, if there are many files.
        cache_folder: where they are kept, however few files; empty for the user's cache folder.
        backup: suffix of the backups that keep files' old contents; empty for no backups.
        allow_dirty: whether files that differ from git's index are replaced.
        base: the folder that names in diffs are relative to, and that all files must be in; empty for the
            working folder, with files anywhere.
        known: real paths of the files that may change; None for all.
    """

    writing: bool = False
    roots: tuple[str, ...] = ()
    jobs: int = 0
    follow_links: bool = False
    cached: bool = False
    cache_folder: str = ""
    backup: str = ""
    allow_dirty: bool = False
    base: str = ""
    known: frozenset[str] | None = None

    def cache(self, files: int) -> Cache | None:
        """The cache of results; None if it is not worthwhile."""
        if files <= FEW and not (self.cached and self.cache_folder):
            return None
        from caffefix.zoo.cache import default_folder, open_cache, passing_cache  # not needed for a few files

        if self.cached:
            return open_cache(self.cache_folder or default_folder())
        return passing_cache()

    def writer(self, check: Callable[[str], None]) -> Writer | None:
        """What writes the files; None if nothing is written.

        Args:
            check: refuses a file in a place where the run must not write.
        """
        if not self.writing:
            return None
        from caffefix.zoo.writing import Writer

        return Writer(self.backup, self.allow_dirty, check)

    def executor(self, files: int) -> Executor:
        """The executor for this number of files."""
        jobs = self.jobs or (usable_cpus() if files > FEW else 1)
        if min(jobs, files) < 2:
            return Serial()
        from caffefix.zoo.processes import Processes

        return Processes(min(jobs, files))
