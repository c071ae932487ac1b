"""Options as data: one table determines what click shows, what is parsed without click, and the defaults.

Click is not imported here: see the package.
"""

from __future__ import annotations

import enum
import os
from collections.abc import Iterable, Iterator, Sequence

from caffefix._startup.records import dataclass


class Kind(enum.Enum):
    """What kind of value an option accepts."""

    SWITCH = enum.auto()  # none: it is given, or not
    ON_OFF = enum.auto()  # none: its first flag means yes, its second no
    VALUE = enum.auto()  # a text
    CHOICE = enum.auto()  # one of its choices
    COUNT = enum.auto()  # a whole number from 1
    MANY = enum.auto()  # a text; may be given several times
    NAMES = enum.auto()  # names separated by commas; may be given several times
    FOLDERS = enum.auto()  # an existing folder; may be given several times

    @property
    def repeats(self) -> bool:
        """Whether the option may be given several times."""
        return self in (Kind.MANY, Kind.NAMES, Kind.FOLDERS)


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a command line.

    Attributes:
        flags: how it is written: ``--jobs``, ``-j``.
        help: a sentence.
        kind: what kind of value it accepts.
        metavar: what the help calls the value.
        choices: of a CHOICE.
        name: of the parameter; if empty, the first flag's name.
        fallback: the default of a VALUE.
        variable: an environment variable that also sets it; empty for none.
        for_many: whether it concerns many files: the help lists these options in a section of their own.
    """

    flags: tuple[str, ...]
    help: str
    kind: Kind = Kind.SWITCH
    metavar: str = ""
    choices: tuple[str, ...] = ()
    name: str = ""
    fallback: str | None = ""
    variable: str = ""
    for_many: bool = False

    @property
    def parameter(self) -> str:
        """Name of the option's parameter."""
        return self.name or self.flags[0].removeprefix("--").replace("-", "_")

    @property
    def default(self) -> object:
        """The parameter's value if the option is not given."""
        if self.kind.repeats:
            return ()
        if self.kind is Kind.SWITCH:
            return False
        return self.fallback if self.kind is Kind.VALUE else None


# What every command has.
COLOUR = Option(
    ("--color",), "Whether output is coloured; by default only on a terminal.", Kind.CHOICE,
    choices=("auto", "always", "never"),
)  # fmt: skip


def defaults(options: Iterable[Option]) -> dict[str, object]:
    """The parameters of a line that gives none of the options."""
    return {option.parameter: option.default for option in options}


def read(args: Sequence[str], options: Iterable[Option]) -> dict[str, object] | None:
    """The parameters of a line, including its paths; None for a line that click must parse.

    Click parses every line that is not entirely plain: one with an unknown option, a missing or
    wrong value, ``--``, ``-``, or with an environment variable that may set an option.
    """
    if any(option.variable in os.environ for option in options if option.variable):
        return None
    known = {flag: option for option in options for flag in option.flags}
    found = defaults(options)
    paths: list[str] = []
    rest = iter(args)
    for arg in rest:
        if not arg.startswith("-"):
            paths.append(arg)
            continue
        flag, is_joined, joined = arg.partition("=")
        option = known.get(flag)
        if option is None or (is_joined and not flag.startswith("--")):
            return None
        value = _value(option, flag, joined if is_joined else None, rest)
        if value is None:
            return None
        name = option.parameter
        found[name] = (*found[name], *value) if isinstance(value, tuple) else value  # type: ignore[misc]
    return {**found, "paths": tuple(paths)}


def _value(option: Option, flag: str, joined: str | None, rest: Iterator[str]) -> object:
    """The value of a flag, from after its ``=`` or from the next argument; None where click must parse it."""
    if option.kind in (Kind.SWITCH, Kind.ON_OFF):
        return None if joined is not None else flag == option.flags[0] or option.kind is Kind.SWITCH
    text = joined if joined is not None else next(rest, "-")
    if not text or text.startswith("-"):
        return None
    if option.kind is Kind.CHOICE:
        return text if text in option.choices else None
    if option.kind is Kind.COUNT:
        return int(text) if text.isascii() and text.isdigit() and int(text) else None
    if option.kind is Kind.NAMES:
        return separated([text]) or None
    if option.kind is Kind.FOLDERS:
        return (text,) if os.path.isdir(text) else None
    return (text,) if option.kind is Kind.MANY else text


def separated(values: Iterable[str]) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())
