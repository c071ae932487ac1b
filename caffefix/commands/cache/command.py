"""``caffefix cache``: the results that earlier runs kept."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

import click

from caffefix.commands._shared.groups import Group
from caffefix.commands._shared.output import say

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group("cache", cls=Group, short_help="Show, prune or delete the cache.")
def command() -> None:
    """Show, prune or delete the cache of earlier runs.

    It is in your own cache folder, and only entries that you created yourself are used. Entries never
    become wrong: deleting the cache costs only time.
    """


def _of_folder(command: _Command) -> _Command:
    return click.option(
        "--cache-dir", envvar="CAFFEFIX_CACHE_DIR", metavar="DIR", help="The cache, if it is elsewhere."
    )(command)


@command.command("info")
@_of_folder
def info(cache_dir: str | None) -> None:
    """Show where the cache is and how much is in it."""
    from caffefix.zoo.cache import usage

    folder = _folder(cache_dir)
    found = _carefully(usage, folder)
    say(sys.stdout, f"{folder}: {found.entries} results, {found.size / 1e6:.1f} MB")
    say(sys.stdout, f", {found.stale} of other versions of caffefix\n" if found.stale else "\n")


@command.command("prune")
@_of_folder
@click.option("--days", type=click.FloatRange(0), default=30, show_default=True, metavar="N", help="See above.")
def prune(cache_dir: str | None, days: float) -> None:
    """Delete what was not used for N days, and what other versions left."""
    from caffefix.zoo import cache

    folder = _folder(cache_dir)
    say(sys.stdout, f"{folder}: {_carefully(cache.prune, folder, days)} results deleted\n")


@command.command("clear")
@_of_folder
@click.option("--old", "old", metavar="DIR", help="Delete DIR/.caffefix_cache, left by earlier versions, instead.")
def clear(cache_dir: str | None, old: str | None) -> None:
    """Delete the cache."""
    from caffefix.zoo import cache

    if old is not None:
        say(sys.stdout, f"{_carefully(cache.clear_old, old)}: deleted\n")
        return
    folder = _folder(cache_dir)
    _carefully(cache.clear, folder)
    say(sys.stdout, f"{folder}: deleted\n")


def _folder(given: str | None) -> str:
    from caffefix.zoo.cache import default_folder

    return given or default_folder()


def _carefully(do: Callable[..., Any], *args: Any) -> Any:
    from caffefix.zoo.cache import CacheError

    try:
        return do(*args)
    except CacheError as error:
        say(sys.stderr, f"error: {error}\n")
        sys.exit(2)
