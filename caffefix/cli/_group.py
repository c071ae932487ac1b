"""The group of commands, for click."""

from __future__ import annotations

import importlib
import os
import pkgutil
from difflib import get_close_matches

import click

from caffefix import __version__, commands

_DEFAULT = "repair"


def _is_word(argument: str) -> bool:
    """Whether an argument can only be meant as a command: a missing path has at least a dot or a slash."""
    return (
        not argument.startswith("-") and not any(c in argument for c in "./\\*?") and not os.path.lexists(argument)
    )


class _Group(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        names = (info.name for info in pkgutil.iter_modules(commands.__path__))
        return sorted(name.replace("_", "-") for name in names if not name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{cmd_name.replace('-', '_')}.command")
        command: click.Command = module.command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else "--help"
        known = first in self.list_commands(ctx)
        if known and os.path.lexists(first):
            raise click.UsageError(
                f"{first!r} is both a command and a path; write ./{first} for the path, or run elsewhere", ctx
            )
        if not known and _is_word(first):
            near = get_close_matches(first, self.list_commands(ctx), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise click.UsageError(f"there is no command and no file {first!r}{hint}", ctx)
        if not known and first not in ("--help", "-h", "--version"):
            args = [_DEFAULT, *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        repairing = commands.pop(_DEFAULT)
        assert repairing is not None
        with click.Context(repairing, info_name=ctx.info_name) as inner:
            repairing.format_help(inner, formatter)
        with formatter.section("Commands (instead of paths)"):
            rows = [(name, command.get_short_help_str(80)) for name, command in commands.items() if command]
            formatter.write_dl([*rows, ("--version", "Show the version and exit.")])


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="caffefix")
def group() -> None:
    """Repair Caffe prototxt files, and prove each repair."""
