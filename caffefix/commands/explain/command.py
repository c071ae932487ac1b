"""``caffefix explain``: the pages of findings."""

from __future__ import annotations

import sys

import click

from caffefix.commands._shared.output import say


@click.command("explain")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="Explain all findings.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "markdown"]), default="text",
    help="Report format; docs/json.md describes the JSON.",
)  # fmt: skip
def command(names: tuple[str, ...], every: bool, form: str) -> None:
    """Explain a finding: what it is, why it matters, what the fix does.

    NAME is a finding's name or a glob; ``caffefix fixers`` lists them.

    Exit status: 0 explained; 2 no finding has such a name.
    """
    from caffefix.commands._shared.pages import pages
    from caffefix.commands.explain import as_json as page_json
    from caffefix.commands.explain import as_markdown as page_markdown
    from caffefix.commands.explain import text as page_text
    from caffefix.engine.select import UnknownNameError

    if every == bool(names):
        raise click.UsageError("give the names of findings, or --all")
    try:
        found = pages(names)
    except UnknownNameError as error:
        raise click.UsageError(str(error)) from None
    render = {"text": page_text, "json": page_json, "markdown": page_markdown}[form].render
    say(sys.stdout, render(found))
