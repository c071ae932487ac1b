"""Running caffefix on a terminal, as a person does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.golden import ROOT


def on_terminal(*args: object, cwd: Path, environment: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Exit status, standard output (a pipe), and what a terminal of 100 columns shows of standard error."""
    import pty  # of POSIX only

    master, slave = pty.openpty()
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "COLUMNS": "100", "TERM": "xterm"}
    process = subprocess.Popen(
        [sys.executable, "-m", "caffefix", *map(os.fspath, args)],  # type: ignore[call-overload]
        cwd=cwd,
        env={**variables, **(environment or {})},
        stdout=subprocess.PIPE,
        stderr=slave,
    )
    os.close(slave)
    shown = b""
    try:
        while chunk := os.read(master, 65536):
            shown += chunk
    except OSError:  # the other end is closed
        pass
    os.close(master)
    out, _ = process.communicate(timeout=120)
    return process.returncode, out.decode(), shown.decode()
