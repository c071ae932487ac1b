"""The entry point: finds the command that a command line calls. The commands are in ``caffefix/commands``.

``caffefix PATH…`` repairs; ``caffefix COMMAND`` runs any other command. A line of
paths and plain options is parsed without click.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def main(args: Sequence[str] | None = None, prog_name: str | None = None) -> None:
    """Run the command line, and exit."""
    from caffefix.commands._shared.orderly import Orderly

    with Orderly():
        _main(args, prog_name)


def _main(args: Sequence[str] | None, prog_name: str | None) -> None:
    plain = _plain(sys.argv[1:] if args is None else args)
    if plain is None:
        from caffefix.cli._group import group

        group(args, prog_name=prog_name)
    else:
        from caffefix.commands.repair.run import repair

        try:
            sys.exit(repair(**plain))
        except KeyboardInterrupt:  # before the first file is worked on
            sys.exit(130)
        except Exception as error:
            _show_misuse(error)
            raise


def _show_misuse(error: Exception) -> None:
    """Exit with the message of a mistake in the line; any other error is for the caller."""
    from click import UsageError

    if isinstance(error, UsageError):
        error.show()
        sys.exit(error.exit_code)


def _plain(args: Sequence[str]) -> dict[str, Any] | None:
    """The parameters of a line that calls no command and can be parsed without click; None for any other line."""
    from caffefix.commands._shared.option import read
    from caffefix.commands.repair.options import OPTIONS

    # No command has a dot or a slash in its name. On Windows click expands patterns.
    if os.name == "nt" or not args or not (args[0].startswith("-") or any(mark in args[0] for mark in "./")):
        return None
    found = read(args, OPTIONS)
    return found if found is not None and found["paths"] else None
