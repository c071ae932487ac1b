"""``caffefix config``: the settings in force."""

from __future__ import annotations

import sys
from typing import Any

import click

from caffefix.commands._shared.configuration import OPTIONS, configuration
from caffefix.commands._shared.options import with_options
from caffefix.commands._shared.output import say


@click.command("config")
@click.argument("path", default=".", metavar="[PATH]")
@click.option("--unsafe/--no-unsafe", default=None, help="As for repairing.")
@with_options(OPTIONS)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Report format.")
def command(path: str, form: str, **options: Any) -> None:
    """Show the settings in force for a file or folder, and where each value comes from.

    The nearest caffefix.toml, or pyproject.toml with a table [tool.caffefix], is used, searching
    upwards from the folder of each file; options override it.
    """
    from caffefix.commands.config.text import as_json, render
    from caffefix.zoo.config_file import ConfigError

    try:
        found = configuration(**options).of(path)
    except ConfigError as error:
        say(sys.stderr, f"error: {error}\n")
        sys.exit(2)
    say(sys.stdout, as_json(found) if form == "json" else render(found))
