"""``caffefix fixers``: the catalogue of findings."""

from __future__ import annotations

import sys

import click

from caffefix.commands._shared.output import say


@click.command("fixers")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text",
    help="Report format; docs/json.md describes the JSON.",
)  # fmt: skip
def command(form: str) -> None:
    """List what caffefix finds, by group, with the safety of the fixes."""
    from caffefix.commands._shared.pages import pages
    from caffefix.commands.fixers import as_json, text

    render = {"text": text, "json": as_json}[form].render
    say(sys.stdout, render(pages()))
