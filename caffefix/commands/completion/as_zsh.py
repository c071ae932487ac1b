"""The completion script for zsh."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from caffefix.commands._shared.usage import Flag, Usage
from caffefix.commands.completion.values import Value, names, of_argument, of_flag


def tables(usage: Usage) -> str:
    """The words that can be completed, and what ``_arguments`` must know of each command."""
    lists = names()
    findings = lists.pop("findings")
    out = [_array("finding_lines", (f"{word.text}:{word.meaning}" for word in findings))]
    out += [_array(name, (word.text for word in words)) for name, words in lists.items()]
    out.append(_array("commands", (f"{command.name}:{command.short}" for command in usage.commands)))
    out.append(_array("command_names", (command.name for command in usage.commands)))
    groups = [command for command in usage.commands if command.commands]
    out.append(_array("groups", (group.name for group in groups)))
    for group in groups:
        below = (f"{command.words[-1]}:{command.short}" for command in group.commands)
        out.append(_array(f"commands_of_{group.name}", below))
    cases = [_case(command) for command in usage.all()]
    return "\n".join([*out, "", "_caffefix_arguments() {", '    case "$1" in', *cases, "    esac", "}"])


def _array(name: str, items: Iterable[str]) -> str:
    return "\n".join([f"_caffefix_{name}=(", *(f"    {_quoted(item)}" for item in items), ")"])


def _case(command: Usage) -> str:
    specs = [_quoted(spec) for flag in command.options for spec in _specs(flag)]
    if not command.words:
        specs.append(_quoted("(- *)--version[Show the version and exit.]"))
    for number, argument in enumerate(command.arguments, 1):
        place = "*" if argument.repeats else str(number)
        specs.append(_quoted(f"{place}:{_in_spec(argument.metavar)}:{_action(of_argument(argument))}"))
    lines = " \\\n".join(f"            {spec}" for spec in specs)
    return f'    "{command.name}") _arguments -s -S \\\n{lines} ;;'


def _specs(flag: Flag) -> Iterator[str]:
    """A spec for each way to write a flag; the others are then not offered any more, unless it may be repeated."""
    value = of_flag(flag)
    first = "*" if flag.repeats else f"({' '.join(flag.flags)})"
    for text in flag.flags:
        spec = first + text
        if value is not None:
            spec += "=" if text.startswith("--") else "+"
        spec += f"[{_in_spec(flag.help)}]"
        if value is not None:
            spec += f":{_in_spec(flag.metavar or 'value')}:{_action(value)}"
        yield spec


def _action(value: Value) -> str:
    """What completes a value; a blank where it is a person's own."""
    if value.choices:
        return f"({' '.join(value.choices)})"
    if value.words:
        return f"_caffefix_{value.words}" if value.words != "findings" or value.separated else "_caffefix_finding"
    if not value.files:
        return " "
    if value.suffixes is None:
        return "_files -/"
    endings = "|".join(suffix.removeprefix(".") for suffix in value.suffixes)
    return f'_files -g "*.({endings})(-.)"' if endings else "_files"


def _in_spec(text: str) -> str:
    """Text for a place where brackets, colons and backslashes mean something."""
    return "".join(f"\\{char}" if char in "[]:\\" else char for char in text)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
