"""A pager for output that may be longer than the screen, as git uses one."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from contextlib import suppress

from caffefix.commands._shared.orderly import CLOSED_PIPE

_DEFAULT = "less"
# Quit if all fits on the screen, show colours, leave the text on the screen.
_LESS = "FRX"


class PagerClosed(SystemExit):
    """The reader has seen enough."""

    def __init__(self) -> None:
        super().__init__(CLOSED_PIPE)


class Pager:
    """A running pager; text goes to it, and it writes to the terminal.

    Args:
        process: the pager, with a pipe as its standard input.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def write(self, text: str) -> None:
        """Show text.

        Raises:
            PagerClosed: the reader has left the pager.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(text.encode("utf-8", "replace"))
            self._process.stdin.flush()
        except OSError:
            raise PagerClosed from None

    def close(self) -> None:
        """Wait until the reader leaves it."""
        assert self._process.stdin is not None
        with suppress(OSError):  # it has been left
            self._process.stdin.close()
        while True:
            try:
                self._process.wait()
                return
            except KeyboardInterrupt:
                pass  # the pager decides what Ctrl-C means


def pager() -> Pager | None:
    """A new pager: ``PAGER``, by default less; None where output is no terminal's or there is no pager."""
    if not (sys.stdout.isatty() and sys.stderr.isatty()) or os.environ.get("TERM") == "dumb":
        return None
    command = shlex.split(os.environ.get("PAGER", _DEFAULT))
    if not command or command == ["cat"]:
        return None
    environment = {"LESS": _LESS, "LV": "-c", "LESSCHARSET": "utf-8", **os.environ}
    try:
        return Pager(subprocess.Popen(command, stdin=subprocess.PIPE, env=environment))
    except OSError:
        return None
