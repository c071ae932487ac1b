"""The options of ``caffefix PATH…``. What it does is in ``run.py``, which runs without click."""

from __future__ import annotations

import sys
from typing import Any

import click

from caffefix.commands._shared.options import configured
from caffefix.commands._shared.sections import Sections, many_files
from caffefix.commands.repair.run import repair
from caffefix.reports.formats import NAMES


class _Repair(Sections):
    """The command that needs no name: usage messages do not show one."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        name = parent.info_name if parent is not None else info_name
        return super().make_context(name, args, None, **extra)


@click.command("repair", cls=_Repair, hidden=True, options_metavar="[OPTIONS]", short_help="Repair files.")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option(
    "--dry-run",
    "--diff",
    is_flag=True,
    help="Write no file, but the diff to standard output.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file would change, too.")
@click.option(
    "--fail-on", type=click.Choice(["never", "error", "warning", "change"]), metavar="WHAT",
    help="Exit with 1 if a finding of severity error is left (error, the default), one of severity warning or "
    "error (warning), if a file changes or an error is left (change), or not at all (never).",
)  # fmt: skip
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found: --fail-on never.")
@click.option(
    "--patch", "patches", multiple=True, metavar="PATCH",
    help="Look for this semantic patch: a file, a folder of them, or the name of one that is shipped.",
)  # fmt: skip
@click.option(
    "--unsafe/--no-unsafe", default=None, help="Also apply fixes that change what a working net computes."
)
@click.option(
    "--root", "roots", multiple=True, type=click.Path(exists=True, file_okay=False), metavar="DIR",
    help="Folder that paths in solvers start from.",
)  # fmt: skip
@configured
@click.option("--delta", is_flag=True, help="Show what changes in the meaning, layer by layer.")
@click.option("--log", "log", metavar="TRAIN.LOG", help="What Caffe wrote when it trained them: evidence.")
@click.option("--notes", is_flag=True, help="Show notes, too.")
@click.option(
    "--statistics", is_flag=True, help="Write no file; show how often each finding was met, not each one."
)
@click.option(
    "--format", "formats", multiple=True, metavar="NAME[=FILE]",
    help=f"Report, any number of them: {', '.join(NAMES)}. One goes to standard output, the others to files.",
)  # fmt: skip
@click.option("--output-file", default="", metavar="FILE", help="Where the report without a FILE of its own goes.")
@click.option(
    "--docs-url", envvar="CAFFEFIX_DOCS_URL", default="", metavar="URL",
    help="Folder with the findings' pages, for links in reports.",
)  # fmt: skip
@click.option("--stdin-filename", default="<stdin>", metavar="NAME", help="What to call standard input (-).")
@many_files
def command(**options: Any) -> None:
    """Find what is wrong with Caffe prototxt files, and repair it in place.

    PATH is a file, a folder to search, or - for standard input. Only safe fixes are applied,
    and only when they are proved. NAMES are names or globs of findings, separated by commas;
    see `caffefix fixers`. What holds for a whole zoo is written down in caffefix.toml or
    pyproject.toml; see `caffefix config`. A comment `# caffefix: ignore[NAME] reason` silences a
    finding where it stands. With --patch, nothing else is looked for unless it is selected, too.

    \b
    Exit status:
      0    done, and no finding of severity error is left
      1    a finding of severity error is left; with --check, a file would change
           (--fail-on says what else counts, --exit-zero that nothing does)
      2    a file was not read, parsed, proved or written (the others are done), or wrong usage
      130  interrupted: each file is as it was or repaired whole
    """
    sys.exit(repair(**options))
