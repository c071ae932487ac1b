"""``caffefix PATH…`` for click. What it does is in ``run.py``, which runs without click."""

from __future__ import annotations

import sys
from typing import Any

import click

from caffefix.commands._shared.options import Sections, with_options
from caffefix.commands.repair.options import OPTIONS
from caffefix.commands.repair.run import repair


class _Repair(Sections):
    """The command that is called without its name: usage messages do not show one."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        name = parent.info_name if parent is not None else info_name
        return super().make_context(name, args, None, help_option_names=["-h", "--help"], **extra)


@click.command("repair", cls=_Repair, hidden=True, options_metavar="[OPTIONS]", short_help="Repair files.")
@click.argument("paths", nargs=-1, metavar="PATH...")
@with_options(OPTIONS)
def command(**options: Any) -> None:
    """Find what is wrong with Caffe prototxt files, and repair it in place.

    PATH is a file, a folder to search, or - for standard input. Only safe fixes are applied,
    and only when they are proved. NAMES are names or globs of findings, separated by commas;
    see `caffefix fixers`. Settings for a whole zoo are kept in caffefix.toml or
    pyproject.toml; see `caffefix config`. A comment `# caffefix: ignore[NAME] reason` silences a
    finding at its place. With --patch, other findings are checked for only if they are also selected.

    \b
    Exit status:
      0    done, and no finding of severity error remains
      1    a finding of severity error remains; with --check, a file would change
           (--fail-on selects what else counts, --exit-zero that nothing does)
      2    a file was not read, parsed, proved or written (the others are done), or wrong usage
      130  interrupted: each file is either unchanged or completely repaired
    """
    sys.exit(repair(**options))
