"""Signals that end a run: a file is replaced and counted, or neither, and what is unfinished is cleaned up.

Only the main thread may handle signals: elsewhere nothing is done about them.
"""

from __future__ import annotations

import signal
from types import TracebackType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Ended(KeyboardInterrupt):
    """The run is to end, but not from a keyboard; ``number`` is the signal that said so."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class raised:  # noqa: N801
    """Makes exceptions of SIGTERM and SIGHUP, as Python does of SIGINT, so that they clean up, too.

    One that is ignored (``nohup``) stays so.
    """

    def __enter__(self) -> None:
        self._taken = [number for number in _ENDING[1:] if signal.getsignal(number) is signal.SIG_DFL]
        try:
            for number in self._taken:
                signal.signal(number, self._end)
        except ValueError:  # not the main thread
            self._taken = []

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        for number in self._taken:
            signal.signal(number, signal.SIG_DFL)

    def _end(self, number: int, frame: object) -> None:
        raise Ended(number)


class held:  # noqa: N801
    """Holds all of them back until what is within is done."""

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
