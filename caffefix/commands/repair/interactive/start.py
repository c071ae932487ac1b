"""Questions on the terminal: prompts on standard output, answers from standard input."""

from __future__ import annotations

import os
import sys

from caffefix._startup.records import replace
from caffefix.commands._shared.output import colour, say, width
from caffefix.commands.repair.interactive.dialogue import Terminal
from caffefix.commands.repair.interactive.run import Asking
from caffefix.reports.as_text import colored, plain
from caffefix.reports.report import Setting
from caffefix.zoo.run import Run
from caffefix.zoo.work import Repairing


def started(run: Run, repairing: Repairing, setting: Setting, *, again: bool) -> Asking:
    """A run whose questions are asked on the terminal.

    Args:
        run: over the files, which it may write.
        repairing: the repair without decisions.
        setting: how findings are shown.
        again: whether to ask about what was declined in an earlier run, too.
    """
    paint = colored if colour(sys.stdout) else plain
    terminal = Terminal(lambda text: say(sys.stdout, text), _line, paint, _lines())
    shown = replace(setting, width=width(sys.stdout))
    run.task.cache = None  # results hold for the answers alone
    return Asking(run, repairing, terminal, shown, again=again)


def _lines() -> int:
    """Lines of a diff that fit on the screen, with the finding and the question; 0 where there is no screen."""
    if not sys.stdout.isatty():
        return 0
    return max(os.get_terminal_size(sys.stdout.fileno()).lines - _REST, _FEWEST)


# Lines that a finding and its question take, and of a diff that are always shown.
_REST, _FEWEST = 8, 12


def _line(prompt: str) -> str:
    """A line that is typed.

    Raises:
        KeyboardInterrupt: standard input has ended: nobody answers any more.
    """
    say(sys.stdout, prompt)
    line = sys.stdin.readline()
    if not line.endswith("\n"):
        raise KeyboardInterrupt
    return line
