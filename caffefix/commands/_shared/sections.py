"""Options about many files, in a section of their own in the help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Option(click.Option):
    """An option of the section."""


class Sections(click.Command):
    """A command whose help has a section on many files."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {section: list[tuple[str, str]]() for section in ("Options", "Many files")}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                rows["Many files" if isinstance(parameter, _Option) else "Options"].append(record)
        for section, records in rows.items():
            with formatter.section(section):
                formatter.write_dl(records)


def many_files(command: _Command) -> _Command:
    """The options; ``paths_of``, ``which`` and ``how`` (``files.py``) take those whose names they have."""
    for names, settings in reversed(_OPTIONS):
        command = click.option(*names, cls=_Option, **settings)(command)
    return command


_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("--jobs", "-j"), {"type": click.IntRange(1), "metavar": "N",
     "help": "Processes; by default one a processor if there are many files."}),
    (("--files-from",), {"metavar": "FILE", "help": "Do the paths listed in FILE, too; - for standard input."}),
    (("--changed-since",), {"metavar": "REV", "default": "", "help": "Only what differs from this git revision."}),
    (("--no-gitignore",), {"is_flag": True, "help": "Search what .gitignore leaves out, too."}),
    (("--patch-dir",), {"metavar": "DIR", "default": "",
     "help": "Write no file, but a patch for each finding; git am applies them in order."}),
    (("--commit",), {"is_flag": True, "help": "Make a git commit for each finding."}),
    (("--split-by",), {"type": click.Choice(["folder"]),
     "help": "A patch or commit for each finding in each folder directly below PATH."}),
    (("--backup",), {"metavar": "SUFFIX", "default": "", "help": "Keep the old file, with SUFFIX to its name."}),
    (("--allow-dirty",), {"is_flag": True,
     "help": "Write files, too, that have changes which are not in git's index."}),
    (("--report", "report_file"), {"metavar": "FILE", "default": "",
     "help": "Write a summary by finding, fork and folder: Markdown, or JSON for *.json."}),
    (("--no-cache",), {"is_flag": True, "help": "Neither use nor keep results of earlier runs."}),
    (("--cache-dir",), {"metavar": "DIR", "default": "", "envvar": "CAFFEFIX_CACHE_DIR",
     "help": "Where they are kept, if not in your folder for caches."}),
    (("--follow-links",), {"is_flag": True, "help": "Follow links to folders, and out of what is given."}),
)  # fmt: skip
