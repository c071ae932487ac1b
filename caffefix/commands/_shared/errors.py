"""Reporting mistakes in a command line; click is imported only for these."""

from __future__ import annotations

import sys

from caffefix.commands._shared.output import say, wrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def misuse(message: str) -> Exception:
    """The error that click turns into a usage message."""
    from click import UsageError

    return UsageError(message)


def fail(message: str) -> NoReturn:
    """Report what is wrong with the input, and exit."""
    say(sys.stderr, wrapped(f"error: {message}", sys.stderr) + "\n")
    sys.exit(2)
