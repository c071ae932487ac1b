"""What several commands do with their options."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def configured(command: _Command) -> _Command:
    """Options for what a configuration file says, too: the command line wins; and for the file itself.

    ``configuration(**options)`` takes those whose names it has.
    """
    for option in reversed(
        (
            click.option("--select", multiple=True, callback=names, metavar="NAMES", help="Look for these only."),
            click.option("--ignore", multiple=True, callback=names, metavar="NAMES", help="Leave these out."),
            click.option("--exclude", multiple=True, metavar="PATTERN", help="Pass over these in folders."),
            click.option("--dialect", metavar="FORK", help="The fork of Caffe that the files are for."),
            click.option(
                "--proto",
                metavar="FILE",
                help="The caffe.proto that the files are for, if it is not the one in their repository.",
            ),
            click.option("--target", type=click.Choice(["caffe", "caffe-old"]), help="caffe-old: of before 2016."),
            click.option(
                "--from-scratch/--no-from-scratch", default=None, help="Whether nets start from their fillers."
            ),
            click.option("--config", metavar="FILE", help="Use this configuration file for all paths."),
            click.option("--no-config", is_flag=True, help="Read no configuration file."),
        )
    ):
        command = option(command)
    return command


def names(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Names separated by commas."""
    found = tuple(name.strip() for item in value for name in item.split(",") if name.strip())
    if value and not found:
        raise click.BadParameter("no name is given", ctx, param)
    return found


def finite(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """A number that is one."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number to work with", ctx, param)
    return value
