"""``caffefix suppress``: comments for today's findings."""

from __future__ import annotations

import sys
from typing import Any

import click

from caffefix.commands._shared.configuration import OPTIONS, configuration
from caffefix.commands._shared.options import with_options
from caffefix.commands._shared.output import colour, say, write


@click.command("suppress", short_help="Add suppression comments for today's findings.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--reason", required=True, metavar="TEXT", help="The reason, for each comment.")
@click.option("--dry-run", "--diff", is_flag=True, help="Write no file; print the diff to standard output.")
@click.option(
    "--allow-dirty", is_flag=True, help="Also write files that have changes which are not in git's index."
)
@with_options(OPTIONS)
def command(paths: tuple[str, ...], reason: str, dry_run: bool, allow_dirty: bool, **options: Any) -> None:
    """Silence today's findings with comments, so only new findings are reported from now on.

    Each finding gets `# caffefix: ignore[NAME] TEXT` above its field; notes get no comment. Nothing else
    changes, which is proved as for a repair. PATH is a file or a folder to search.

    Exit status: 0 done; 2 a file was not read, parsed, proved or written (the others are done), or
    wrong usage; 130 interrupted.
    """
    from caffefix.commands.suppress.text import Summary, render_file
    from caffefix.commands.suppress.work import Suppressing
    from caffefix.engine.remarks import ReasonError, checked_reason
    from caffefix.reports import as_text
    from caffefix.zoo.config_file import ConfigError
    from caffefix.zoo.run import run
    from caffefix.zoo.run_options import RunOptions

    stream = sys.stderr if dry_run else sys.stdout
    paint = as_text.colored if colour(stream) else as_text.plain
    summary = Summary()
    try:
        text = checked_reason(reason)
        results = run(
            paths, configuration(**options), Suppressing(text), RunOptions(not dry_run, allow_dirty=allow_dirty)
        )
        for result in results:
            summary.add(result)
            if dry_run:
                write(sys.stdout.buffer, result.diff)
            say(sys.stderr if result.status.failed else stream, render_file(result, paint))
    except ReasonError as error:
        raise click.UsageError(str(error)) from None
    except ConfigError as error:
        say(sys.stderr, f"error: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        say(sys.stderr, "\ninterrupted: each file is either unchanged or complete; run again to continue\n")
        sys.exit(130)
    say(stream, summary.render())
    sys.exit(2 if summary.failed else 0)
