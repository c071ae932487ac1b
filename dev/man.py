"""The man page, man/caffefix.1: made of what the commands declare, help texts, and examples of docs/commands.md.

It goes into the wheel (share/man/man1), and a distribution's package can take it from the source as it is.
``python -m dev regen`` writes it.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from caffefix import __version__
from caffefix.commands._shared.usage import Flag, Usage, usage
from caffefix.evidence.training.run import VARIABLE

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "man" / "caffefix.1"
_UNWRAPPED = "\b"  # click's mark of a paragraph whose lines are kept
_STATUS = "Exit status:"
_COLUMNS = 78
_FILES = (
    (
        "caffefix.toml",
        "Settings of a folder and of those below it; the nearest one counts. caffefix init writes one.",
    ),
    ("pyproject.toml", "The same in the table [tool.caffefix], where there is no caffefix.toml."),
    (
        ".caffefixignore",
        "What is skipped when folders are searched, in the syntax of .gitignore, which also counts.",
    ),
    (".caffefix-baseline.json", "What caffefix baseline has recorded."),
)
_VARIABLES = (
    ("NO_COLOR", "No colours, whatever the terminal can show."),
    ("FORCE_COLOR", "Colours, even where output is not a terminal."),
    ("PAGER", "The pager for a diff that is longer than the screen, if not less."),
    ("TERM", "With dumb, there is no pager."),
    (
        "WATCHFILES_FORCE_POLLING",
        "With 1, --watch looks for changes itself: for network folders, some containers.",
    ),
    (VARIABLE, "The Python that imports caffe, for caffefix prove."),
)
_PUNCTUATION = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", "…": "..."}


def made() -> str:
    """The page, in the language of man pages."""
    top = usage()
    lines = [
        '.\\" Made by python -m dev regen; do not edit.',
        f'.TH CAFFEFIX 1 "{_released()}" "caffefix {__version__}" "User Commands"',
        ".nh\n.ad l",  # a command must be on one line as it is typed
        ".SH NAME",
        _text("caffefix - repair Caffe prototxt files, and prove each repair"),
        ".SH SYNOPSIS",
        *_synopses(top),
        ".SH DESCRIPTION",
        *_help(top),
        ".SH OPTIONS",
        *_options(top.options),
        ".SH COMMANDS",
        *(line for command in _called(top) for line in _command(command, top)),
        ".SH EXIT STATUS",
        *_statuses(top),
        ".SH ENVIRONMENT",
        *_terms((*_VARIABLES, *_of_options(top))),
        ".SH FILES",
        *_terms(_FILES),
        ".SH EXAMPLES",
        *_terms((what, command) for command, what in _examples()),
    ]
    return "\n".join(lines) + "\n"


def _released() -> str:
    """The date of this version; empty before it is released."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(__version__)} \((.*)\)$", text, re.M)
    return found[1] if found else ""


def _synopses(top: Usage) -> Iterator[str]:
    yield f".B caffefix\n{_text(top.synopsis)}"
    for command in _called(top):
        yield f".br\n.B caffefix {_text(command.name)}\n{_text(command.synopsis)}"


def _called(top: Usage) -> list[Usage]:
    """All commands that do something themselves."""
    return [command for command in top.all() if command.words and not command.commands]


def _command(command: Usage, top: Usage) -> Iterator[str]:
    yield f".SS caffefix {_text(command.name)}"
    yield from _help(command)
    known = [flag for flag in command.options if flag in top.options]
    yield from _options(flag for flag in command.options if flag not in known)
    shared = [flag for flag in known if "--help" not in flag.flags]
    if shared:
        names = ", ".join(f"`{flag.flags[0]}`" for flag in shared)
        yield f".PP\n{_marked(f'Also, as above: {names}.')}"


def _help(command: Usage) -> Iterator[str]:
    """The paragraphs of a help text; the table of exit statuses has a section of its own."""
    for number, paragraph in enumerate(command.help.split("\n\n")):
        if paragraph.startswith(f"{_UNWRAPPED}\n{_STATUS}"):
            continue
        if number:
            yield ".PP"
        if paragraph.startswith(_UNWRAPPED):
            yield f".nf\n{_lines(paragraph.removeprefix(_UNWRAPPED).strip(chr(10)))}\n.fi"
        else:
            yield _marked(" ".join(paragraph.split()))


def _options(flags: Iterable[Flag]) -> Iterator[str]:
    for flag in flags:
        note = f" [{flag.note}]" if flag.note else ""
        choices = f" One of {', '.join(flag.choices)}." if flag.choices and flag.metavar else ""
        yield f".TP\n.B {_text(flag.shown)}\n{_marked(flag.help + choices + note)}"


def _statuses(top: Usage) -> Iterator[str]:
    """The table at the end of the help text of ``caffefix PATH…``."""
    table = top.help.partition(f"{_STATUS}\n")[2]
    for status, told in re.findall(r"^ *(\d+) +(.*(?:\n {6,}.*)*)", table, re.M):
        yield f".TP\n.B {status}\n{_marked(' '.join(told.split()))}"
    yield ".PP\nCommands with others say so above."


def _of_options(top: Usage) -> Iterator[tuple[str, str]]:
    found = {flag.variable: flag for command in top.all() for flag in command.options if flag.variable}
    return ((name, f"Like {flag.flags[0]}. {flag.help}") for name, flag in sorted(found.items()))


def _examples() -> list[tuple[str, str]]:
    """Command lines with what they do, from the first block of docs/commands.md."""
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    block = text.partition("```\n")[2].partition("```")[0]
    return [(command, what) for command, what in re.findall(r"^(caffefix .*?) {2,}(.*)$", block, re.M)]


def _terms(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    return (f".TP\n.B {_text(term)}\n{_marked(told)}" for term, told in rows)


def _marked(text: str) -> str:
    """A paragraph; what is between backquotes is bold."""
    parts = re.split(r"``?([^`]+)``?", text)
    line = "".join(_bold(part) if number % 2 else _text(part) for number, part in enumerate(parts))
    broken = textwrap.wrap(line, _COLUMNS, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"\\&{each}" if each.startswith(".") else each for each in broken)


def _bold(text: str) -> str:
    return f"\\fB{_text(text)}\\fR"


def _lines(text: str) -> str:
    return "\n".join(_text(line) for line in text.splitlines())


def _text(text: str) -> str:
    """Text in which nothing is a command of roff."""
    plain = "".join(_PUNCTUATION.get(char, char) for char in text)
    return f"\\&{plain}" if plain.startswith(".") else plain


if __name__ == "__main__":
    PAGE.write_text(made(), encoding="utf-8")
