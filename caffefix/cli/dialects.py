"""``caffefix dialects``: which forks accept a file."""

from __future__ import annotations

import sys

import click

from caffefix.cli._output import say


@click.command("dialects")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Report.")
def command(files: tuple[str, ...], form: str) -> None:
    """Tell which forks of Caffe accept a file, and what the others stop at."""
    from caffefix.caffe.dialect import judge
    from caffefix.reports.dialect_text import as_json, as_text
    from caffefix.syntax.parse import PrototxtError, parse
    from caffefix.syntax.source import Source
    from caffefix.zoo.discover import discover
    from caffefix.zoo.files import FileError, read

    failed = False
    rows = []
    for path in discover(files):
        try:
            source = Source(path, read(path))
            verdict = judge(parse(source.text))
        except (FileError, PrototxtError) as error:
            reason = error.render(source) if isinstance(error, PrototxtError) else str(error)
            say(sys.stderr, f"error: {reason}\n")
            failed = True
            continue
        if form == "json":
            rows.append(as_json(source, verdict))
        else:
            say(sys.stdout, as_text(source, verdict))
    if form == "json":
        import json

        say(sys.stdout, json.dumps({"version": 1, "files": rows}, indent=1, ensure_ascii=False) + "\n")
    sys.exit(2 if failed else 0)
