"""``caffefix baseline``: records what is found today, so that a check reports only what is new."""

from __future__ import annotations

import sys
from typing import Any

import click

from caffefix.commands._shared.configuration import OPTIONS, configuration
from caffefix.commands._shared.errors import fail
from caffefix.commands._shared.options import with_options
from caffefix.commands._shared.output import say


@click.command("baseline", short_help="Record what is found today; check only for what is new.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-o", "--output", default="", metavar="FILE", help="The baseline; .caffefix-baseline.json by default."
)
@with_options(OPTIONS)
def command(paths: tuple[str, ...], output: str, **options: Any) -> None:
    """Record what is found today in a file; `caffefix --check --baseline FILE PATH` hides all of it.

    PATH is a file or a folder to search; no prototxt file is written. Findings are recognised by their name,
    layer and text, so lines may move. Files that cannot be parsed are recorded as well. Notes are not.

    Exit status: 0 recorded; 2 the baseline was not written, or wrong usage; 130 interrupted.
    """
    from caffefix.commands._shared.baseline import NAME, Baseline, BaselineError
    from caffefix.commands.baseline.text import recorded
    from caffefix.zoo.config_file import ConfigError
    from caffefix.zoo.files import FileError
    from caffefix.zoo.run import run
    from caffefix.zoo.run_options import RunOptions
    from caffefix.zoo.work import Repairing

    baseline = Baseline(output or NAME)
    try:
        for result in run(paths, configuration(**options), Repairing(), RunOptions()):
            baseline.record(result)
        baseline.write()
    except (BaselineError, ConfigError, FileError) as error:
        fail(str(error))
    except KeyboardInterrupt:
        say(sys.stderr, "\ninterrupted: no baseline was written\n")
        sys.exit(130)
    say(sys.stdout, recorded(baseline, paths))
