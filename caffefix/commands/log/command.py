"""``caffefix log``: what a training log shows."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import click

from caffefix.commands._shared.output import colour, say

_PAUSE = 0.5  # seconds between two updates of the progress line


@click.command("log")
@click.argument("log", metavar="TRAIN.LOG")
@click.argument("net", required=False, metavar="[NET]")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Report format.")
def command(log: str, net: str | None, form: str) -> None:
    """Report what a training log shows, and which finding in NET explains it.

    TRAIN.LOG is what Caffe wrote to standard error, or - for standard input. NET is the net that
    was trained. Numbers of debug_info lines are mean absolute values, sum |x| / count, not L2 norms.

    Exit status: 0 read, whatever it shows; 2 the log or the net could not be read; 130 interrupted.
    """
    from caffefix.commands.log import as_json as log_json
    from caffefix.commands.log import text as log_text
    from caffefix.commands.log.work import report
    from caffefix.reports.as_text import colored, plain
    from caffefix.syntax.source import Source
    from caffefix.zoo import logs
    from caffefix.zoo.files import FileError, read

    try:
        source = Source(net, read(net)) if net is not None else None
        told = report(logs.read(log, _progress()), source)
    except FileError as error:
        say(sys.stderr, f"error: {error}\n")
        sys.exit(2)
    except KeyboardInterrupt:
        say(sys.stderr, "\ninterrupted\n")
        sys.exit(130)
    if form == "json":
        say(sys.stdout, log_json.render(told))
    else:
        say(sys.stdout, log_text.render(told, colored if colour(sys.stdout) else plain))
    if told.net_error:
        say(sys.stderr, f"error: {told.net_error}\n")
        sys.exit(2)


def _progress() -> Callable[[int], None] | None:
    """Shows on a terminal how much has been read; None if standard error is not a terminal."""
    if not sys.stderr.isatty():
        return None
    shown = time.monotonic()

    def show(done: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if now - shown > _PAUSE:
            shown = now
            say(sys.stderr, f"\r{done >> 20} MiB read\r")

    return show
