"""Tables of options for click, and the sections of the help."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click

from caffefix.commands._shared.option import Kind, Option, separated

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _ForMany(click.Option):
    """An option that concerns many files."""


class Sections(click.Command):
    """A command whose help has a section "Many files"."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = {section: list[tuple[str, str]]() for section in ("Options", "Many files")}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx)
            if record is not None and isinstance(parameter, click.Option):
                rows["Many files" if isinstance(parameter, _ForMany) else "Options"].append(record)
        for section, records in rows.items():
            with formatter.section(section):
                formatter.write_dl(records)


def with_options(options: Iterable[Option]) -> Callable[[_Command], _Command]:
    """Give a click command the options of a table, in the table's order."""

    def give(command: _Command) -> _Command:
        for option in reversed([*options]):
            command = _declared(option)(command)
        return command

    return give


def _declared(option: Option) -> Callable[[_Command], _Command]:
    """The option as click declares it."""
    kind = option.kind
    flags = ("/".join(option.flags),) if kind is Kind.ON_OFF else option.flags
    settings: dict[str, Any] = {"default": option.default if kind is Kind.VALUE or kind is Kind.ON_OFF else None}
    if kind is Kind.SWITCH:
        settings = {"is_flag": True}
    elif kind.repeats:
        settings = {"multiple": True}
    types = {Kind.CHOICE: click.Choice(option.choices), Kind.COUNT: click.IntRange(1), Kind.FOLDERS: _FOLDER}
    return click.option(
        *flags, option.parameter, cls=_ForMany if option.for_many else click.Option, help=option.help,
        type=types.get(kind), metavar=option.metavar or None, envvar=option.variable or None,
        callback=names if kind is Kind.NAMES else None, **settings,
    )  # fmt: skip


_FOLDER = click.Path(exists=True, file_okay=False)


def names(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    """Names separated by commas."""
    found = separated(value)
    if value and not found:
        raise click.BadParameter("no name is given", ctx, param)
    return found


def finite(ctx: click.Context, param: click.Parameter, value: float | None) -> float | None:
    """A finite number."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a finite number", ctx, param)
    return value
