"""The completion script for bash."""

from __future__ import annotations

from collections.abc import Iterable

from caffefix.commands._shared.usage import Usage
from caffefix.commands.completion.values import Value, Word, names, of_flag, of_place

_PLACES = 3  # arguments from here on are like the one before


def tables(usage: Usage) -> str:
    """The words that can be completed, and what follows which flag."""
    lists = [f"_caffefix_{name}={_quoted(_texts(words))}" for name, words in names().items()]
    commands = [command.name for command in usage.commands]
    groups = [command.name for command in usage.commands if command.commands]
    lists += [f"_caffefix_commands={_quoted(commands)}", f"_caffefix_groups={_quoted(groups)}"]
    every = list(usage.all())
    return "\n".join([*lists, "", _values(every), "", _arguments(every), "", _options(every)])


def _values(every: Iterable[Usage]) -> str:
    """The function that sets ``kind`` to what follows a flag ($2) of a command ($1); empty for a switch."""
    rows: dict[str, list[str]] = {}
    for command in every:
        for flag in command.options:
            value = of_flag(flag)
            if value is not None:
                rows.setdefault(_kind(value), []).extend(f'"{command.name}:{text}"' for text in flag.flags)
    cases = [f"        {' | '.join(flags)}) kind={kind} ;;" for kind, flags in rows.items()]
    return _function("value", "$1:$2", [*cases, "        *) kind= ;;"])


def _arguments(every: Iterable[Usage]) -> str:
    """The function that sets ``kind`` to what the argument of a number ($2) of a command ($1) can be."""
    rows: dict[str, list[str]] = {}
    for command in every:
        if command.commands and command.words:
            rows.setdefault(_kind(Value(choices=tuple(sub.words[-1] for sub in command.commands))), []).append(
                f'"{command.name}:"*'
            )
            continue
        kinds = [_kind(of_place(command, place)) for place in range(_PLACES)]
        for place, kind in enumerate(kinds[:-1]):
            rows.setdefault(kind, []).append(f'"{command.name}:{place}"')
        rows.setdefault(kinds[-1], []).append(f'"{command.name}:"*')
    # The first case that fits counts: those for one place must be before those for all.
    one = [(kind, " | ".join(c for c in cases if not c.endswith("*"))) for kind, cases in rows.items()]
    rest = [(kind, " | ".join(c for c in cases if c.endswith("*"))) for kind, cases in rows.items()]
    lines = [f"        {cases}) kind={kind} ;;" for kind, cases in (*one, *rest) if cases]
    return _function("argument", "$1:$2", [*lines, "        *) kind= ;;"])


def _options(every: Iterable[Usage]) -> str:
    """The function that sets ``text`` to the options of a command ($1)."""
    cases = [
        f'        "{command.name}") text={_quoted(text for flag in command.options for text in flag.flags)} ;;'
        for command in every
    ]
    return _function("options", "$1", [*cases, "        *) text= ;;"])


def _function(name: str, subject: str, cases: Iterable[str]) -> str:
    return "\n".join([f"_caffefix_{name}() {{", f'    case "{subject}" in', *cases, "    esac", "}"])


def _kind(value: Value) -> str:
    """What ``_caffefix_complete`` reads; ``none`` where a value is a person's own."""
    if value.choices:
        return _quoted(value.choices, "words:")
    if value.files:
        pattern = "" if value.suffixes is None else f"*@({'|'.join(value.suffixes)})" if value.suffixes else "*"
        return f"'{'patches' if value.words else 'files'}:{pattern}'"
    if value.words:
        kind = "list" if value.separated else "joined" if value.joined else "words"
        return f'"{kind}:$_caffefix_{value.words}"'
    return "none"


def _texts(words: Iterable[Word]) -> Iterable[str]:
    return (word.text for word in words)


def _quoted(words: Iterable[str], before: str = "") -> str:
    """Words in single quotes; none of them has a quote or a blank."""
    return f"'{before}{' '.join(words)}'"
