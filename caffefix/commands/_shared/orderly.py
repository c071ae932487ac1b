"""Every run ends in order: its streams exist, a termination signal cleans up, and a failure has status 2.

Status 1 means that something would change or is wrong with a net, so no failure of the run itself may return it.
"""

from __future__ import annotations

import os
import signal
import sys
from types import TracebackType

from caffefix.commands._shared.output import lose, lost, say
from caffefix.syntax.source import visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# The status that a shell reports for a command that wrote into a pipe that nobody reads.
CLOSED_PIPE = 141
_ENDING = ("SIGTERM", "SIGHUP")
_SAFE = "each file is either unchanged or completely repaired"


class Ended(SystemExit):
    """The system or a person asked this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.status = 128 + number
        self.words = f"ended by {signal.Signals(number).name}"


class Orderly:
    """The context in which a run takes place."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}

    def __enter__(self) -> None:
        _open_streams()
        for number in (getattr(signal, name) for name in _ENDING if hasattr(signal, name)):
            if signal.getsignal(number) is signal.SIG_DFL:  # under nohup it is ignored
                try:
                    self._before[number] = signal.signal(number, _end)
                except ValueError:  # not in the main thread
                    return

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        say(sys.stdout, "")  # flushes what is left, or finds that it cannot be written
        away = lost()
        if isinstance(error, Ended):
            say(sys.stderr, f"\n{error.words}: {_SAFE}\n")
        elif isinstance(error, MemoryError):
            say(sys.stderr, f"error: not enough memory; {_SAFE}\n")
            raise SystemExit(2) from None
        elif isinstance(error, OSError):
            where = f"{visible(str(error.filename))}: " if error.filename else ""
            say(sys.stderr, f"error: {where}{error.strerror or error}; {_SAFE}\n")
            raise SystemExit(2) from None
        elif isinstance(error, Exception):
            from traceback import format_exception

            said = "".join(format_exception(error))
            say(
                sys.stderr,
                f"{said}error: this is a bug in caffefix: please report it with the lines above; {_SAFE}\n",
            )
            raise SystemExit(2) from None
        elif isinstance(away, BrokenPipeError) and (error is None or isinstance(error, SystemExit)):
            raise SystemExit(CLOSED_PIPE) from None
        elif away is not None and (error is None or isinstance(error, SystemExit)):
            reason = away.strerror or away
            say(sys.stderr, f"error: cannot write standard output: {reason}; the run continued without it\n")
            raise SystemExit(2) from None


def _end(number: int, frame: object) -> None:
    raise Ended(number)


def _open_streams() -> None:
    """Replace closed streams: a file opened later would get a stream's number, and the report would go there.

    The replacement for standard input cannot be read: a closed standard input is an error, not an empty file.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        handle = os.open(os.devnull, os.O_WRONLY)
        if handle != number:
            os.dup2(handle, number)
            os.close(handle)
        setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8", closefd=False))  # noqa: SIM115
        if name == "stdout":
            lose(OSError("it is closed"))
