"""A mistake in the name of a command or an option, as one line with what may be meant."""

from __future__ import annotations

import sys
from typing import IO, Any

import click

from caffefix.commands._shared import hints
from caffefix.commands._shared.output import say
from caffefix.syntax.source import visible


class Misspelt(click.ClickException):
    """A command or an option that does not exist."""

    exit_code = 2

    def show(self, file: IO[Any] | None = None) -> None:
        say(file or sys.stderr, f"error: {visible(self.message)}\n")


def no_command(told: str, word: str, names: list[str], ctx: click.Context) -> Misspelt:
    """The error for a word that is not the name of a command.

    Args:
        told: what there is not.
        word: the word.
        names: of the commands.
        ctx: of the group.
    """
    return Misspelt(f"there is no {told}; {hints.of_command(word, names) or _help(ctx)}")


def no_option(error: click.NoSuchOption, *, repairing: bool) -> Misspelt:
    """The error for an option that a command does not have."""
    ctx = error.ctx
    assert ctx is not None
    parameters = [p for p in ctx.command.get_params(ctx) if isinstance(p, click.Option)]
    flags = [flag for parameter in parameters for flag in (*parameter.opts, *parameter.secondary_opts)]
    hint = hints.of_option(error.option_name, flags, repairing=repairing) or _help(ctx)
    return Misspelt(f"there is no option {error.option_name!r}; {hint}")


def _help(ctx: click.Context) -> str:
    return f"see {ctx.command_path} --help"


class Group(click.Group):
    """A group of commands."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0][:1] != "-" and self.get_command(ctx, args[0]) is None:
            told = f"command '{ctx.info_name} {args[0]}'"
            raise no_command(told, args[0], self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)
