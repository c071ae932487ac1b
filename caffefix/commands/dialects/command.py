"""``caffefix dialects``: which forks suit a file, and which forks are known."""

from __future__ import annotations

import sys

import click

from caffefix.commands._shared.errors import misuse
from caffefix.commands._shared.output import say
from caffefix.commands._shared.own_caffe import own_caffe


@click.command("dialects")
@click.argument("files", nargs=-1, metavar="FILE...")
@click.option(
    "--list", "listing", is_flag=True, help="List the known forks instead: repository, date, what was read."
)
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Folder of a repository whose own caffe.proto is also considered.",
)
@click.option("--proto", default="", metavar="FILE", help="Another caffe.proto to consider.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Report format.")
def command(files: tuple[str, ...], listing: bool, roots: tuple[str, ...], proto: str, form: str) -> None:
    """Show which forks of Caffe suit a file: what it needs, which forks have that, and what stops the others.

    A fork suits a file if its parser accepts the file and if it registers the layer types, fillers, solver types
    and learning rate policies in it. A Caffe in the file's own repository is also considered.
    """
    if listing == bool(files):
        raise misuse("give either files or --list")
    if listing:
        _list(form)
        return
    from caffefix.caffe.needs import fit
    from caffefix.commands.dialects.text import as_json, as_text
    from caffefix.syntax.parse import PrototxtError, parse
    from caffefix.syntax.source import Source
    from caffefix.zoo.config_file import ConfigError
    from caffefix.zoo.discover import discover
    from caffefix.zoo.family import Families
    from caffefix.zoo.files import FileError, read
    from caffefix.zoo.own_caffe import OwnCaffeError

    failed = False
    rows = []
    families = Families(roots, files)
    for path in discover(files):
        try:
            source = Source(path, read(path))
            found = fit(parse(source.text), own_caffe(path, families, proto))
        except (FileError, PrototxtError, OwnCaffeError, ConfigError) as error:
            reason = error.render(source) if isinstance(error, PrototxtError) else str(error)
            say(sys.stderr, f"error: {reason}\n")
            failed = True
            continue
        if form == "json":
            rows.append(as_json(source, found))
        else:
            say(sys.stdout, as_text(source, found))
    if form == "json":
        _say_json({"version": 1, "files": rows})
    sys.exit(2 if failed else 0)


def _list(form: str) -> None:
    from caffefix.commands.dialects.text import forks_as_json, forks_as_text

    if form == "json":
        _say_json({"version": 1, "forks": forks_as_json()})
    else:
        say(sys.stdout, forks_as_text())


def _say_json(data: object) -> None:
    import json

    say(sys.stdout, json.dumps(data, indent=1, ensure_ascii=False) + "\n")
