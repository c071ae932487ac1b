"""``python -m dev COMMAND``: new, check, bless, regen, same, bench, release."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from caffefix.fixers import FOLDERS


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def group() -> None:
    """Work on caffefix. CONTRIBUTING.md says when to use which."""


@group.group()
def new() -> None:
    """Begin something new."""


@new.command("finding")
@click.argument("name")
@click.option("--group", "folder", type=click.Choice(list(FOLDERS)), required=True, help="Folder of its fixer.")
@click.option(
    "--example", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, metavar="FILE",
    help="A small net or solver that has the pattern.",
)  # fmt: skip
@click.option(
    "--fine", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=True, metavar="FILE",
    help="One that looks like it and is right.",
)  # fmt: skip
def new_finding(name: str, folder: str, example: Path, fine: Path) -> None:
    """Write the module, its page and its golden cases, and report which findings already fire on the example."""
    from dev.new import UnusableNameError, finding

    try:
        made = finding(name, folder, example.read_bytes(), fine.read_bytes())
    except UnusableNameError as error:
        raise click.ClickException(str(error)) from None
    for path in made.written:
        click.echo(f"wrote {path}")
    for other in made.firing:
        click.echo(f"already fires on the example: {other} (caffefix explain {other})")
    if not made.firing:
        click.echo("nothing fires on the example yet")
    click.echo(f"now write find() and the page in {made.written[0]}; then: python -m dev bless {name}")


@group.command()
@click.argument("names", nargs=-1)
def check(names: tuple[str, ...]) -> None:
    """Check what was changed: the tests of the findings NAMES, style (which is corrected), types.

    Without NAMES, the tests of all findings, layer types, reports and docs; this takes a few minutes.
    """
    from dev.bless import BlessError, known
    from dev.check import run

    try:
        sys.exit(run(known(names)))
    except BlessError as error:
        raise click.ClickException(str(error)) from None


@group.command()
@click.argument("names", nargs=-1)
def bless(names: tuple[str, ...]) -> None:
    """Take what caffefix now says of the golden cases of the findings NAMES, show what changed, and regenerate."""
    from dev.bless import BlessError, bless
    from dev.regen import regenerate

    try:
        click.echo(bless(names), nl=False)
    except BlessError as error:
        raise click.ClickException(str(error)) from None
    for path in regenerate():
        click.echo(f"changed {path}")


@group.command()
def regen() -> None:
    """Write everything anew that is made from something else: tables, indexes, pages."""
    from dev.regen import regenerate

    for path in regenerate():
        click.echo(f"changed {path}")


@group.command()
@click.argument("revision")
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True))
def same(revision: str, paths: tuple[str, ...]) -> None:
    """Show that PATHS get the same results as at the commit REVISION, but for the words of messages."""
    from dev.same import differences

    different = False
    for line in differences(revision, paths):
        different = True
        click.echo(line)
    if different:
        sys.exit(1)
    click.echo("the same")


@group.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("name", required=False)
@click.argument("args", nargs=-1)
def bench(name: str | None, args: tuple[str, ...]) -> None:
    """Measure something: NAME with its arguments; without NAME, list what there is."""
    from dev.bench import benches, run

    known = benches()
    if name is None:
        width = max(map(len, known))
        click.echo("".join(f"{each:<{width}}  {summary}\n" for each, summary in known.items()), nl=False)
    elif name in known:
        sys.exit(run(name, args))
    else:
        raise click.UsageError(f"there is no bench/{name}.py; without a name, dev bench lists them")


@group.command()
@click.argument("version")
@click.option("--into", type=click.Path(file_okay=False, path_type=Path), default=Path("dist"), help="Folder.")
def release(version: str, into: Path) -> None:
    """Build the wheel and the sdist of VERSION from the last commit, and try both. Nothing is uploaded."""
    from dev.release import NotReadyError, release

    try:
        for line in release(version, into):
            click.echo(line)
    except NotReadyError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    group(prog_name="python -m dev")
