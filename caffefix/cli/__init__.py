"""The entry point: finds the command that a command line is for. The commands are in ``caffefix/commands``.

``caffefix PATH…`` repairs; ``caffefix COMMAND`` does something else. A line of paths and switches alone is read
here, without click.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any

# What these say needs no parser. With any other option, or a word that may be a command, click reads the line.
_SWITCHES = {
    "--dry-run": "dry_run",
    "--diff": "dry_run",
    "--check": "check",
    "--notes": "notes",
    "--delta": "delta",
}


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
        from caffefix.commands.repair.run import DEFAULTS, repair

        try:
            sys.exit(repair(**{**DEFAULTS, **plain}))
        except KeyboardInterrupt:  # before the first file is worked on
            sys.exit(130)


def _plain(args: Sequence[str]) -> dict[str, Any] | None:
    """What a line says that has paths and switches and nothing else: no command, no value, no ``-``."""
    paths = tuple(arg for arg in args if not arg.startswith("-"))
    switches = [_SWITCHES.get(arg) for arg in args if arg.startswith("-")]
    # No command has a dot or a slash in its name. On Windows click expands patterns; elsewhere it reads variables.
    if not paths or None in switches or not any(mark in paths[0] for mark in "./"):
        return None
    if os.name == "nt" or any(name.startswith("CAFFEFIX_") for name in os.environ):
        return None
    return {"paths": paths, **{switch: True for switch in switches if switch is not None}}
