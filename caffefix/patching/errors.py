"""Everything that can be wrong with a patch file, each mistake in one place with advice.

``docs/patch-reference.md`` lists all of these; a test compares.
"""

from __future__ import annotations

import enum

from caffefix.syntax.parse import PrototxtError
from caffefix.syntax.source import one_line


class Mistake(enum.Enum):
    """Messages, with names in braces for the parts that vary, and hints."""

    # ---- the file
    EMPTY = ("the file is empty", "a patch has a front matter, a line ---, and a body; see docs/patches.md")
    BINARY = ("this is not a text file: it contains a zero byte", "")
    TOO_LONG = ("the file has {size} bytes; a patch may have at most {most}", "split it into several patches")
    UNIFIED = (
        "this is a unified diff, which describes lines, not layers",
        "caffefix patch new BEFORE AFTER makes a patch from the two files",
    )
    NO_SEPARATOR = (
        "there is no line --- between front matter and body",
        "write name: and summary:, a line ---, and then the change",
    )
    NO_BODY = ("nothing follows the line ---", "write the change there, with - and + in the first column")

    # ---- front matter
    FRONT_SYNTAX = ("the front matter does not parse: {reason}", "{hint}")
    UNKNOWN_FIELD = ("the front matter has no field {name}; it may have {known}", "")
    NOT_A_SCALAR = ("{name} requires a value, not a message", "")
    NOT_A_MESSAGE = ("{name} requires a message in braces", "")
    GIVEN_TWICE = ("{name} is given twice", "")
    MISSING = ("the front matter has no {name}", "")
    BAD_CHOICE = ("{name} is {value}; it may be {known}", "")
    BAD_NAME = (
        "{value} is not a valid name for a finding",
        "use small letters, digits and hyphens, and name it after the bad pattern: hard-coded-phase",
    )
    RESERVED_NAME = ("no finding may be called {value}", "name it after the bad pattern: hard-coded-phase")
    BAD_NUMBER = ("{name} requires a number, not {value}", "")
    UNKNOWN_FORK = (
        "no fork is called {value}",
        "caffefix dialects lists the forks for a file; did you mean {near}?",
    )
    UNUSED_VARIABLE = ("${name} is constrained, but the body does not match it", "")
    NOTHING_ALLOWED = ("no value can be ${name}: its constraints exclude each other", "")
    CONSTRAINED_TWICE = ("${name} is constrained twice", "put all constraints into one variable { … }")
    WHERE_OF_WHAT = (
        "this where does not say which layer it is about",
        'name the layer in the body, layer $L {, and write of: "L" here',
    )
    UNKNOWN_OF = ("the body matches no message called ${name}", "name it there: layer ${name} {")
    NOT_A_LAYER = ("{name} is not a layer, and {field} applies only to layers", "")
    BAD_PATH = (
        "{value} is not a path of field names",
        "write the path from the message on: convolution_param.bias_term",
    )
    BAD_TEMPLATE = ("{name} mentions ${variable}, which the body does not match", "")

    # ---- regular expressions
    BAD_REGEXP = ("the regular expression is invalid at {rest}", "{hint}")
    REGEXP_LONG = ("the regular expression is too long: {size} {what}, at most {most} are allowed", "")

    # ---- the text of the body
    BAD_COLUMN = (
        "the first column says what happens to the line: a blank, - or +, not {char}",
        "put one blank before each line that stays",
    )
    BAD_CHARACTER = ("{char} means nothing here", "")
    UNEXPECTED = ("unexpected {token} on the {side}", "expected {expected}")
    UNCLOSED = ("this { is never closed on the {side}", "")
    TOO_DEEP = ("messages are nested more than {most} deep", "")
    TOO_MANY = ("the body has more than {most} {what}", "split it into several patches")

    # ---- what the body means
    NO_CHANGE = (
        "the body has neither - nor + lines: it changes nothing",
        "write applicability: DISPLAY for a patch that only reports",
    )
    DISPLAY_CHANGES = ("applicability is DISPLAY, but the body has - or + lines", "")
    UNBOUND = ("${name} appears on a + line, but no other line binds it", "")
    BOUND_APART = ("${name} is {one} here and {other} elsewhere", "use two names")
    TWO_RESTS = ("a message may have only one ... or $$$: two would divide the fields arbitrarily", "")
    REST_ADDED = ("... on a + line does not say what to write", "bind the fields with $$$REST, and write that")
    REST_AT_TOP = ("the net may always have other layers, without a ... here", "delete this line")
    REST_WRAPPED = (
        "... would move any other fields into a new message",
        "bind the fields with $$$REST if that is intended",
    )
    HIDDEN_DELETION = (
        "this would delete fields that it does not show",
        "write them, or bind them with $$$REST if they are to be deleted whatever they are",
    )
    CALCULATED = (
        "only a + line can calculate; a match requires a value or a variable",
        "bind it to a variable, and constrain that in the front matter",
    )
    TEMPLATE_MATCH = ('a matched string may have only one ${X}: "conv${I}"', "")
    MOVED_APART = (
        "this field moves into or out of a message in a way that no edit can express",
        "remove it on a - line and write it again on a + line",
    )
    WRITTEN_AS_IS = ("a + line writes the message of a variable unchanged", "write ${name} {...}")
    CALCULATES_TEXT = ("${name} is a message or fields, not a value", "")
    NO_ANCHOR = (
        "nothing here narrows the search: no literal value, no field other than name, type, bottom and top",
        'give the layer\'s type: type: "Convolution"',
    )
    NO_LAYER = ("{name} is neither a field of a net nor of a solver", "a pattern for layers begins with layer {")
    MIXED = ("{name} and the fields above it do not belong to the same file: one is a net's, one a solver's", "")
    OLD_LAYERS = ("patches use the current format: layer, not layers", "")
    DISCONNECTED = (
        "this layer shares no variable with those before it: every pair of layers in a net would match",
        "join them by a blob: top: $B in one, bottom: $B in the other",
    )
    REPEATS = (
        "the result of the patch matches it again, so it would never come to an end",
        "constrain what it matches, or say with where { absent: … } what must not be present yet",
    )
    NO_NUMBER = ("{value} is not a valid number for {name}, which is of type {type}", "")
    CALCULATED_AGAIN = (
        "the result of this calculation may be matched again as ${name}, and would be calculated again",
        "constrain ${name} so that no result is one of its values: with min and max such that all results are "
        "outside of them, or with any_of",
    )


class PatchError(PrototxtError):
    """A patch file with a mistake; rendered with its place, like errors in prototxt."""

    def __init__(self, offset: int, mistake: Mistake, **names: object) -> None:
        message, hint = (one_line(_fill(text, names)) for text in mistake.value)
        super().__init__(offset, message, hint)
        self.mistake = mistake


def _fill(text: str, names: dict[str, object]) -> str:
    for name, value in names.items():
        text = text.replace("{" + name + "}", str(value))
    return text
