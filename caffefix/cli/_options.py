"""What several commands do with their options."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from caffefix.cli._output import say

if TYPE_CHECKING:
    from caffefix.zoo import patches
    from caffefix.zoo.config import Configuration

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


def configuration(config: str | None, no_config: bool, unsafe: bool | None = None, **given: Any) -> Configuration:
    """What the options of ``configured`` say, checked."""
    from caffefix.engine.select import Selection, UnknownNameError
    from caffefix.zoo.config import Configuration, Given

    if config is not None and no_config:
        raise click.UsageError("--config and --no-config cannot both be given")
    select, ignore = given["select"], given["ignore"]
    try:
        Selection(select, ignore).check()
    except UnknownNameError as error:
        raise click.UsageError(str(error)) from None
    check_dialect(given["dialect"] or "")
    said = Given(
        select=select or None,
        ignore=ignore or None,
        exclude=given["exclude"] or None,
        unsafe=unsafe,
        dialect=given["dialect"],
        target=given["target"],
        from_scratch=given["from_scratch"],
    )
    return Configuration(said, config or "", isolated=no_config)


def names(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Names separated by commas."""
    found = tuple(name.strip() for item in value for name in item.split(",") if name.strip())
    if value and not found:
        raise click.BadParameter("no name is given", ctx, param)
    return found


def patches_of(values: tuple[str, ...]) -> patches.Given | None:
    """The patches of ``--patch``; one that cannot be right ends the run before it has begun."""
    if not values:
        return None
    from caffefix.zoo.patches import PatchFileError, given

    try:
        return given(values)
    except PatchFileError as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """Say what is wrong with what was given, and end."""
    say(sys.stderr, f"error: {message}\n")
    sys.exit(2)


def check_dialect(name: str) -> None:
    """Refuse the name of a fork that nobody knows."""
    if not name:
        return
    from difflib import get_close_matches

    from caffefix.caffe.schema import load

    forks = load().forks
    if name not in forks:
        near = get_close_matches(name, forks, 1)
        hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(forks))}"
        raise click.UsageError(f"there is no fork {name!r}; {hint}")


def finite(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """A number that is one."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is no number to work with", ctx, param)
    return value
