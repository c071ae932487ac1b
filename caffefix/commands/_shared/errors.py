"""How mistakes in a command line are told; click is imported for them only."""

from __future__ import annotations

import sys
from typing import NoReturn

from caffefix.commands._shared.output import say


def misuse(message: str) -> Exception:
    """What click makes a usage message of."""
    from click import UsageError

    return UsageError(message)


def fail(message: str) -> NoReturn:
    """Say what is wrong with what was given, and end."""
    say(sys.stderr, f"error: {message}\n")
    sys.exit(2)
