"""A run on a terminal, as a person has it: a pty of some size, and what its screen shows at the end."""

from __future__ import annotations

import contextlib
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import interruptible
from tests.support.golden import ROOT

# Seconds without a sign of life after which a run hangs.
_PATIENCE = 60.0


@dataclass
class Session:
    """A running command on a terminal.

    Attributes:
        process: the command.
        ours: our end of the terminal.
        seen: everything it wrote.
        read: how much of that was waited for.
    """

    process: subprocess.Popen[bytes]
    ours: int
    seen: bytes = b""
    read: int = 0

    def expect(self, text: str) -> None:
        """Wait until it has written a text after the last one that was waited for."""
        wanted, deadline = text.encode(), time.monotonic() + _PATIENCE
        while wanted not in self.seen[self.read :]:
            assert self._more(deadline), f"it ended without {text!r}: {self.text}"
        self.read = self.seen.index(wanted, self.read) + len(wanted)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.ours, text.encode())

    def answer(self, *lines: str) -> None:
        """Wait for a question, and type a line; for each line."""
        for line in lines:
            self.expect("]? " if not line.startswith("Reason") else "comment: ")
            self.type(line.removeprefix("Reason") + "\n")

    def end(self) -> tuple[int, str]:
        """Its exit status, and all that it wrote."""
        deadline = time.monotonic() + _PATIENCE
        while self._more(deadline):
            pass
        os.close(self.ours)
        return self.process.wait(), self.text

    @property
    def text(self) -> str:
        """All that it wrote so far."""
        return self.seen.decode(errors="replace").replace("\r\n", "\n")

    def _more(self, deadline: float) -> bool:
        """Read what it writes; False when it has ended."""
        while not select.select([self.ours], [], [], 0.1)[0]:
            assert time.monotonic() < deadline, f"it hangs: {self.text}"
        read = b""
        with contextlib.suppress(OSError):  # Linux says so when the other end is closed
            read = os.read(self.ours, 1 << 16)
        self.seen += read
        return bool(read)


def begin(
    args: Sequence[str], cwd: Path, columns: int = 80, lines: int = 24, environment: dict[str, str] | None = None
) -> Session:
    """Start a command line of caffefix on a terminal."""
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def owner() -> None:
        """In the child: the terminal is its own, so keys such as Ctrl-C reach it as signals."""
        interruptible()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    without = {"NO_COLOR", "FORCE_COLOR", "PAGER", "LESS", "COLUMNS", "LINES"}
    own = {name: value for name, value in os.environ.items() if name not in without}
    own |= {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "LANG": "C.UTF-8", **(environment or {})}
    process = subprocess.Popen(
        [sys.executable, "-m", "caffefix", *args],
        cwd=cwd, env=own, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        preexec_fn=owner,
    )  # fmt: skip
    os.close(theirs)
    return Session(process, ours)


def on_terminal(
    *args: str, cwd: Path, columns: int = 80, lines: int = 24, environment: dict[str, str] | None = None
) -> str:
    """All that a run writes to a terminal."""
    return begin(args, cwd, columns, lines, environment).end()[1]
