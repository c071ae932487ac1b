"""What can follow a flag, or be an argument: which files, which words."""

from __future__ import annotations

from caffefix._startup.records import dataclass
from caffefix.commands._shared.usage import Argument, Flag, Usage
from caffefix.zoo.discover import SUFFIXES


@dataclass(frozen=True, slots=True)
class Word:
    """A word that can be completed, with what it means; the meaning may be empty."""

    text: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Value:
    """What can be completed at a place.

    Attributes:
        words: the name of a list of words (``names()``); empty for none.
        choices: the words, where they are for this place only.
        files: whether files can be completed, or folders only if ``suffixes`` is None.
        suffixes: of the files that are offered first; empty for all files.
        separated: whether several words can be given, separated by commas.
        joined: whether a file may follow a word, after ``=``.
    """

    words: str = ""
    choices: tuple[str, ...] = ()
    files: bool = False
    suffixes: tuple[str, ...] | None = ()
    separated: bool = False
    joined: bool = False


NOTHING = Value()
ANY_FILE = Value(files=True)
FOLDER = Value(files=True, suffixes=None)
NET = Value(files=True, suffixes=SUFFIXES)
PATCH_FILE = Value(files=True, suffixes=(".patch",))
FINDINGS = Value(words="findings", separated=True)

_BY_FLAG = {
    "--select": FINDINGS,
    "--ignore": FINDINGS,
    "--proto": Value(files=True, suffixes=(".proto",)),
    "--config": Value(files=True, suffixes=(".toml",)),
    "--solver": NET,
    "--repaired": NET,
    "--out": NET,
    "--patch": Value(words="patches", files=True, suffixes=(".patch",)),
}
_BY_METAVAR = {
    "DIR": FOLDER,
    "FILE": ANY_FILE,
    "FORK": Value(words="forks"),
    "NAME[=FILE]": Value(words="formats", joined=True),
    "PATH": ANY_FILE,
    "PATTERN": ANY_FILE,
    "TRAIN.LOG": ANY_FILE,
    # What a person makes up, or a number.
    **dict.fromkeys(("", "BLOB=C,H,W", "BLOBS", "LOW..HIGH", "M", "N", "N|HxW", "NAME", "NAMES", "REV", "SUFFIX",
                     "TEXT", "URL", "[BLOB=]N,C,H,W"), NOTHING),
}  # fmt: skip
_OF_ARGUMENT = {
    **dict.fromkeys(("PATH", "FILE", "NET", "TRAIN_VAL", "OLD", "NEW", "BEFORE", "AFTER"), NET),
    "DIR": PATCH_FILE,
    "FOLDER": FOLDER,
    "MODEL": Value(files=True, suffixes=(".caffemodel", ".caffemodel.h5")),
    "NAME": Value(words="findings"),
    "PATCH": PATCH_FILE,
    "TRAIN.LOG": ANY_FILE,
}


def of_flag(flag: Flag) -> Value | None:
    """What follows a flag; None for a flag without a value.

    Raises:
        KeyError: a kind of value that is not in the tables above.
    """
    if not flag.takes_value:
        return None
    if flag.choices:
        return Value(choices=flag.choices)
    named = next((_BY_FLAG[text] for text in flag.flags if text in _BY_FLAG), None)
    return named or _BY_METAVAR[flag.metavar]


def of_argument(argument: Argument) -> Value:
    """What an argument can be.

    Raises:
        KeyError: a kind of argument that is not in the tables above.
    """
    return Value(choices=argument.choices) if argument.choices else _OF_ARGUMENT[argument.metavar]


def of_place(usage: Usage, place: int) -> Value:
    """What the argument of that number can be, from 0; the last one if it may be repeated."""
    if place < len(usage.arguments):
        return of_argument(usage.arguments[place])
    last = usage.arguments[-1] if usage.arguments else None
    return of_argument(last) if last is not None and last.repeats else NOTHING


def names() -> dict[str, tuple[Word, ...]]:
    """The lists of words, by name."""
    from caffefix.caffe.schema import load
    from caffefix.engine.select import registered
    from caffefix.reports.formats import NAMES

    found = sorted(registered(), key=lambda fixer: fixer.name)
    findings = tuple(Word(fixer.name, fixer.summary) for fixer in found)
    return {
        "findings": findings,
        "patches": tuple(word for word, fixer in zip(findings, found, strict=True) if fixer.is_patch),
        "forks": tuple(Word(name, "") for name in sorted(load().forks)),
        "formats": tuple(Word(name, "") for name in NAMES),
    }
