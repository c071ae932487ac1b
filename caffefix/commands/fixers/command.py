"""``caffefix fixers``: the list of findings."""

from __future__ import annotations

import sys

import click

from caffefix.commands._shared.output import say


@click.command("fixers")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Report format.")
def command(form: str) -> None:
    """List the findings that caffefix reports."""
    from caffefix.engine.select import registered
    from caffefix.reports.as_text import render_fixers

    if form == "json":
        import json

        rows = [{"name": f.name, "phase": f.runs_in.name.lower(), "summary": f.summary} for f in registered()]
        say(sys.stdout, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
    else:
        table = [(f.name, f.runs_in.name.lower(), f.summary) for f in registered()]
        say(sys.stdout, render_fixers(table))
