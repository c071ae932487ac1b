"""All commands by name: each package in the folder of commands is one."""

from __future__ import annotations

import importlib
import pkgutil

import click

from caffefix import commands
from caffefix.commands._shared.option import COLOUR
from caffefix.commands._shared.output import use_colour

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
    _offer_colour(found)
    return found


def _offer_colour(found: click.Command) -> None:
    """Give a command, or those of a group, the option that all commands have."""
    if isinstance(found, click.Group):
        for inner in found.commands.values():
            _offer_colour(inner)
    elif not any("--color" in parameter.opts for parameter in found.params):
        found.params.append(
            click.Option(
                COLOUR.flags, type=click.Choice(COLOUR.choices), help=COLOUR.help, expose_value=False,
                is_eager=True, callback=lambda ctx, parameter, when: use_colour(when or "auto"),
            )
        )  # fmt: skip
