"""The completion script for fish."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from caffefix.commands._shared.usage import Flag, Usage
from caffefix.commands.completion.values import Value, Word, names, of_argument, of_flag


def tables(usage: Usage) -> str:
    """The words that can be completed, the flags that a value follows, and what is completed where."""
    out = [_list(name, map(_described, words)) for name, words in names().items()]
    out.append(_list("commands", (_quoted(command.name) for command in usage.commands)))
    out.append(_list("groups", (_quoted(command.name) for command in usage.commands if command.commands)))
    valued = {
        text for command in usage.all() for flag in command.options if flag.takes_value for text in flag.flags
    }
    out.append(_list("valued", map(_quoted, sorted(valued))))
    rules = [line for command in usage.all() for line in _rules(command)]
    return "\n".join([*out, "", *rules])


def _rules(command: Usage) -> Iterator[str]:
    if not command.words:
        yield _rule("__caffefix_is_first", "-l version -d 'Show the version and exit.'")
        for below in command.commands:
            yield _rule("__caffefix_is_first", f"-a {below.name} -d {_quoted(below.short)}")
    elif command.commands:
        for below in command.commands:
            yield _rule(f'__caffefix_is_below "{command.name}"', f"-a {below.words[-1]} -d {_quoted(below.short)}")
    for flag in command.options:
        yield _rule(f'__caffefix_is "{command.name}"', f"{_written(flag)} -d {_quoted(flag.help)}{_follows(flag)}")
    for place, argument in enumerate(command.arguments):
        where = "__caffefix_is" if argument.repeats else "__caffefix_is_place"
        at = "" if argument.repeats else f" {place}"
        given = _given(of_argument(argument)) or "-f"
        yield _rule(f'{where} "{command.name}"{at}', given)


def _rule(condition: str, what: str) -> str:
    return f"complete -c caffefix -n '{condition}' {what}"


def _written(flag: Flag) -> str:
    return " ".join(f"-l {text[2:]}" if text.startswith("--") else f"-s {text[1:]}" for text in flag.flags)


def _follows(flag: Flag) -> str:
    """How a flag's value is completed; empty for a flag without one."""
    value = of_flag(flag)
    if value is None:
        return ""
    given = _given(value)
    return f" -r {given}" if given == "-F" else f" -x {given}".rstrip()


def _given(value: Value) -> str:
    """What is offered for a value; empty where it is a person's own."""
    files = ""
    if value.files and value.suffixes:
        ends = "|".join(suffix.replace(".", r"\.") for suffix in value.suffixes)
        files = f'(__caffefix_files (__caffefix_typed) "{ends}")'
    if value.choices:
        return f"-a {_quoted(' '.join(value.choices))}"
    if value.separated:
        return f"-a '(__caffefix_separated $__caffefix_{value.words})'"
    if value.joined:
        return "-a '(__caffefix_formats)'"
    if value.words:
        return f"-a '$__caffefix_{value.words} {files}'".replace(" '", "'")
    if files:
        return f"-a '{files}'"
    if value.files:
        return "-a '(__fish_complete_directories (__caffefix_typed))'" if value.suffixes is None else "-F"
    return ""


def _list(name: str, items: Iterable[str]) -> str:
    return " \\\n    ".join([f"set -g __caffefix_{name}", *items])


def _described(word: Word) -> str:
    return _quoted(word.text) + (f"\\t{_quoted(word.meaning)}" if word.meaning else "")


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
