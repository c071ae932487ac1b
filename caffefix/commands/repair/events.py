"""What is saved in folders, as it happens. The package watchfiles asks the system for it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Collection
from types import TracebackType

from caffefix.commands._shared.errors import fail

_QUIET = 100  # milliseconds without a change after which those before are one: an editor's save is several
_LONGEST = 1000  # milliseconds after which changes are reported although more follow
_POLL = 0.5  # seconds; on Windows, waiting for longer would not notice Ctrl-C


class Events:
    """Changes since the last ones.

    Watching is done by threads, so that signals end the wait as they end everything else.

    Args:
        folders: folders to watch with everything below them.
        parents: folders to watch without folders below them.

    Raises:
        OSError: by ``wait``, if the system cannot watch them.
    """

    def __init__(self, folders: Collection[str], parents: Collection[str]) -> None:
        self._changes: queue.SimpleQueue[set[str] | OSError] = queue.SimpleQueue()
        self._end = threading.Event()
        self._threads = [
            threading.Thread(target=self._watch, args=(paths, recursive), daemon=True)
            for paths, recursive in ((folders, True), (parents, False))
            if paths
        ]

    def __enter__(self) -> Events:
        try:
            import watchfiles  # noqa: F401
        except ImportError:
            fail("--watch needs the package watchfiles: pip install 'caffefix[watch]'")
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def wait(self) -> set[str]:
        """Wait for changes; the paths, absolute."""
        while True:
            try:
                found = self._changes.get(timeout=_POLL)
            except queue.Empty:
                continue
            if isinstance(found, OSError):
                raise found
            return found

    def _watch(self, paths: Collection[str], recursive: bool) -> None:
        from watchfiles import watch

        try:
            changes = watch(
                *sorted(paths), watch_filter=None, debounce=_LONGEST, step=_QUIET, stop_event=self._end,
                recursive=recursive, raise_interrupt=False, ignore_permission_denied=True,
            )  # fmt: skip
            for each in changes:
                self._changes.put({path for _, path in each})
        except Exception as error:  # watchfiles has its own for what the system refuses
            self._changes.put(error if isinstance(error, OSError) else OSError(str(error)))
