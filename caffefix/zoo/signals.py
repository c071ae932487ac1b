"""Signals that end a run: a file is both replaced and counted, or neither.

Only the main thread may handle signals: in other threads nothing is done about them.
"""

from __future__ import annotations

import signal
from types import TracebackType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class held:  # noqa: N801
    """Holds these signals back until the block is done."""

    def __enter__(self) -> None:
        self._came: list[int] = []
        self._before: dict[int, Any] = {}
        try:
            for number in _ENDING:
                self._before[number] = signal.signal(number, self._note)
        except ValueError:  # not the main thread
            return

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._came:
            signal.raise_signal(self._came[0])

    def _note(self, number: int, frame: object) -> None:
        self._came.append(number)
