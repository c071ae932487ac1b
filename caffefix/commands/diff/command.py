"""``caffefix diff``: what differs in meaning."""

from __future__ import annotations

import sys

import click

from caffefix.commands._shared.output import colour, say


@click.command("diff")
@click.argument("old", metavar="OLD")
@click.argument("new", metavar="NEW")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Report format.")
def command(old: str, new: str, form: str) -> None:
    """Show what differs in meaning between two nets or solvers.

    Both are compared as Caffe sees them after its own upgrade, so different generations of the format
    can be compared; comments, layout and fields that are set to their defaults do not count.
    Nor does what BVLC's Caffe makes nothing of. A layer or blob that only has another name is reported
    as renamed. OLD or NEW may be - for standard input.

    Exit status: 0 they mean the same, 1 they differ, 2 they cannot be compared.
    """
    from caffefix.commands.diff.work import CompareError, compare
    from caffefix.syntax.source import Source
    from caffefix.zoo.files import FileError, read_once

    if old == new == "-":
        raise click.UsageError("only one of the two can be standard input")
    try:
        sources = [Source("<stdin>" if path == "-" else path, read_once(path)) for path in (old, new)]
        found = compare(*sources)
    except (FileError, CompareError) as error:
        say(sys.stderr, f"error: {error}\n")
        sys.exit(2)
    if form == "json":
        import json

        from caffefix.reports.as_json import change

        report = {"version": 1, "same": not found.changes, "changes": [change(c) for c in found.changes]}
        say(sys.stdout, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
    else:
        from caffefix.commands.diff.text import render
        from caffefix.reports.as_text import colored, plain

        say(sys.stdout, render(found, colored if colour(sys.stdout) else plain))
    sys.exit(1 if found.changes else 0)
