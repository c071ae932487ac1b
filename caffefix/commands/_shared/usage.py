"""What can be written on a command line, as records: for completion scripts and the man page."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from caffefix._startup.records import dataclass
from caffefix.commands._shared import catalogue

_HELP = {"help_option_names": ["-h", "--help"]}


@dataclass(frozen=True, slots=True)
class Flag:
    """An option.

    Attributes:
        flags: how it is written, with the negative forms: ``--jobs``, ``-j``.
        help: a sentence.
        shown: the left side of its line in the help.
        note: what the help adds in brackets: its default and range; empty for nothing.
        metavar: what the help calls its value; empty if the help names the type.
        takes_value: whether a value follows.
        choices: the values, if there are only a few.
        repeats: whether it may be given several times.
        variable: an environment variable that also sets it; empty for none.
    """

    flags: tuple[str, ...]
    help: str
    shown: str
    note: str
    metavar: str
    takes_value: bool
    choices: tuple[str, ...]
    repeats: bool
    variable: str


@dataclass(frozen=True, slots=True)
class Argument:
    """What is written without a flag: its name in the help, its choices, and whether several may be given."""

    metavar: str
    choices: tuple[str, ...]
    repeats: bool


@dataclass(frozen=True, slots=True)
class Usage:
    """A command.

    Attributes:
        words: its name, and for a subcommand the name before it; empty for ``caffefix PATH…``.
        short: its line in the list of commands.
        help: paragraphs; a line with ``\\b`` is before those whose lines are not wrapped, as click has it.
        synopsis: what follows the name.
        options: in the order of the help.
        arguments: in order.
        commands: its subcommands, by name.
    """

    words: tuple[str, ...]
    short: str
    help: str
    synopsis: str
    options: tuple[Flag, ...]
    arguments: tuple[Argument, ...]
    commands: tuple[Usage, ...] = ()

    @property
    def name(self) -> str:
        """The words as they are written."""
        return " ".join(self.words)

    def all(self) -> Iterator[Usage]:
        """The command and everything below it."""
        yield self
        for command in self.commands:
            yield from (command, *command.commands)


def usage() -> Usage:
    """``caffefix PATH…``, with all other commands below it."""
    default = catalogue.command(catalogue.DEFAULT)
    assert default is not None
    others = [(name, catalogue.command(name)) for name in catalogue.names() if name != catalogue.DEFAULT]
    below = tuple(_of(command, (name,)) for name, command in others if command is not None)
    return _of(default, (), below)


def _of(command: click.Command, words: tuple[str, ...], below: tuple[Usage, ...] = ()) -> Usage:
    with click.Context(command, info_name=" ".join(("caffefix", *words)), **_HELP) as ctx:  # type: ignore[arg-type]
        if isinstance(command, click.Group):
            below = tuple(_of(sub, (*words, name)) for name, sub in sorted(command.commands.items()))
        parameters = command.get_params(ctx)
        return Usage(
            words=words,
            short=command.get_short_help_str(1000),
            help=inspect.cleandoc(command.help or ""),
            synopsis=" ".join(command.collect_usage_pieces(ctx)),
            options=tuple(_flag(p, ctx) for p in parameters if isinstance(p, click.Option)),
            arguments=tuple(_argument(p) for p in parameters if isinstance(p, click.Argument)),
            commands=below,
        )


def _flag(option: click.Option, ctx: click.Context) -> Flag:
    shown, told = option.get_help_record(ctx) or ("", "")
    sentence = (option.help or "").strip()
    return Flag(
        flags=(*option.opts, *option.secondary_opts),
        help=sentence,
        shown=shown,
        note=told.removeprefix(sentence).strip().removeprefix("[").removesuffix("]"),
        metavar=option.metavar or "",
        takes_value=not option.is_flag,
        choices=_choices(option),
        repeats=option.multiple,
        variable=str(option.envvar or ""),
    )


def _argument(argument: click.Argument) -> Argument:
    metavar = argument.metavar or (argument.name or "").upper()
    return Argument(metavar.strip("[].").rstrip("."), _choices(argument), argument.nargs != 1)


def _choices(parameter: click.Parameter) -> tuple[str, ...]:
    return tuple(map(str, parameter.type.choices)) if isinstance(parameter.type, click.Choice) else ()
