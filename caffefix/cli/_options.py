"""What several commands do with their options."""

from __future__ import annotations

import math

import click


def names(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Names separated by commas."""
    found = tuple(name.strip() for item in value for name in item.split(",") if name.strip())
    if value and not found:
        raise click.BadParameter("no name is given", ctx, param)
    return found


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
