"""All commands by name: each package in the folder of commands is one."""

from __future__ import annotations

import importlib
import pkgutil

import click

from caffefix import commands

DEFAULT = "repair"  # what a command line without the name of a command calls


def names() -> list[str]:
    """Names of the commands, with the default one, in order."""
    found = (info.name for info in pkgutil.iter_modules(commands.__path__))
    return sorted(name.replace("_", "-") for name in found if not name.startswith("_"))


def command(name: str) -> click.Command | None:
    """The command of that name; None if there is none."""
    if name not in names():
        return None
    module = importlib.import_module(f"{commands.__name__}.{name.replace('-', '_')}.command")
    found: click.Command = module.command
    return found
