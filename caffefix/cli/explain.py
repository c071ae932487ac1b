"""``caffefix explain``: the page of a finding."""

from __future__ import annotations

import sys

import click

from caffefix.cli._output import say


@click.command("explain")
@click.argument("name")
def command(name: str) -> None:
    """Explain a finding: what it is, why it matters, what the fix does."""
    from caffefix.engine.select import Selection, UnknownNameError

    selection = Selection(select=(name,))
    try:
        selection.check()
    except UnknownNameError as error:
        raise click.UsageError(str(error)) from None
    for fixer in selection.fixers():
        say(sys.stdout, f"# {fixer.name}\n\n{fixer.page}\n")
