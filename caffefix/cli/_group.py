"""The group of commands, for click."""

from __future__ import annotations

import os
import sys

import click

from caffefix.commands._shared import catalogue
from caffefix.commands._shared.groups import no_command, no_option
from caffefix.commands._shared.output import say


def _is_word(argument: str) -> bool:
    """Whether an argument can only be meant as a command: a missing path has at least a dot or a slash."""
    return (
        not argument.startswith("-") and not any(c in argument for c in "./\\*?") and not os.path.lexists(argument)
    )


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return catalogue.names()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return catalogue.command(cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else "--help"
        known = first in self.list_commands(ctx)
        if known and os.path.lexists(first):
            raise click.UsageError(
                f"{first!r} is both a command and a path; write ./{first} for the path, or run elsewhere", ctx
            )
        if not known and _is_word(first):
            raise no_command(f"command and no file {first!r}", first, self.list_commands(ctx), ctx)
        if not known and first not in ("--help", "-h", "--version"):
            args = [catalogue.DEFAULT, *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except click.NoSuchOption as error:
            raise no_option(error, repairing=ctx.invoked_subcommand == catalogue.DEFAULT) from None

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        repairing = commands.pop(catalogue.DEFAULT)
        assert repairing is not None
        with click.Context(repairing, info_name=ctx.info_name) as inner:
            repairing.format_help(inner, formatter)
        with formatter.section("Commands (instead of paths)"):
            rows = [(name, command.get_short_help_str(80)) for name, command in commands.items() if command]
            formatter.write_dl([*rows, ("--version", "Show the version and exit.")])


def _show_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        from caffefix.commands._shared.version import version

        say(sys.stdout, f"{version()}\n")
        ctx.exit()


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_show_version)
def group() -> None:
    """Repair Caffe prototxt files, and prove each repair."""
