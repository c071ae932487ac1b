"""What can be wrong with a patch file, each in one place and with what to do about it.

``docs/patch-reference.md`` lists all of these; a test compares.
"""

from __future__ import annotations

import enum

from caffefix.syntax.parse import PrototxtError
from caffefix.syntax.source import one_line


class Mistake(enum.Enum):
    """Messages, with names in braces for what differs, and hints."""

    # ---- the file
    EMPTY = ("the file is empty", "a patch has a front matter, a line ---, and a body; see docs/patches.md")
    BINARY = ("this is no text: it has a zero byte", "")
    TOO_LONG = ("the file has {size} bytes; a patch may have {most}", "split it into several patches")
    UNIFIED = (
        "this is a unified diff, which knows lines, not layers",
        "caffefix patch new BEFORE AFTER makes a patch of the two files",
    )
    NO_SEPARATOR = (
        "there is no line --- between front matter and body",
        "write name: and summary:, a line ---, and then the change",
    )
    NO_BODY = ("nothing stands behind the line ---", "write the change there, with - and + in the first column")

    # ---- front matter
    FRONT_SYNTAX = ("the front matter does not parse: {reason}", "{hint}")
    UNKNOWN_FIELD = ("the front matter has no field {name}; it may have {known}", "")
    NOT_A_SCALAR = ("{name} wants a value, not a message", "")
    NOT_A_MESSAGE = ("{name} wants a message in braces", "")
    GIVEN_TWICE = ("{name} is given twice", "")
    MISSING = ("the front matter has no {name}", "")
    BAD_CHOICE = ("{name} is {value}; it may be {known}", "")
    BAD_NAME = (
        "{value} is no name of a finding",
        "small letters, digits and hyphens, after the bad pattern: hard-coded-phase",
    )
    RESERVED_NAME = ("no finding may be called {value}", "call it after the bad pattern: hard-coded-phase")
    BAD_NUMBER = ("{name} wants a number, not {value}", "")
    UNKNOWN_FORK = ("no fork is called {value}", "caffefix dialects lists them by file; did you mean {near}?")
    UNUSED_VARIABLE = ("${name} is constrained, but the body does not match it", "")
    NOTHING_ALLOWED = ("no value can be ${name}: what is asked of it excludes each other", "")
    CONSTRAINED_TWICE = ("${name} is constrained twice", "put all of it into one variable { … }")
    WHERE_OF_WHAT = (
        "this where does not say which layer it is about",
        'name the layer in the body, layer $L {, and write of: "L" here',
    )
    UNKNOWN_OF = ("the body matches no message called ${name}", "name it there: layer ${name} {")
    NOT_A_LAYER = ("{name} is no layer, and {field} is asked of layers only", "")
    BAD_PATH = ("{value} is no path of field names", "convolution_param.bias_term, from the message on")
    BAD_TEMPLATE = ("{name} mentions ${variable}, which the body does not match", "")

    # ---- regular expressions
    BAD_REGEXP = ("the regular expression is wrong at {rest}", "{hint}")
    REGEXP_LONG = ("the regular expression is too long: {size} {what}, {most} at most", "")

    # ---- the body's text
    BAD_COLUMN = (
        "the first column says what happens to the line: a blank, - or +, not {char}",
        "put one blank before each line that stays",
    )
    BAD_CHARACTER = ("{char} means nothing here", "")
    UNEXPECTED = ("{token} does not fit here, as the {side} reads", "what may stand here: {expected}")
    UNCLOSED = ("this { is not closed, as the {side} reads", "")
    TOO_DEEP = ("messages are nested more than {most} deep", "")
    TOO_MANY = ("the body has more than {most} {what}", "split it into several patches")

    # ---- what it means
    NO_CHANGE = (
        "the body has neither - nor + lines: it changes nothing",
        "write applicability: DISPLAY for a patch that only reports",
    )
    DISPLAY_CHANGES = ("applicability is DISPLAY, but the body has - or + lines", "")
    UNBOUND = ("${name} stands on a + line, but no other line says what it is", "")
    BOUND_APART = ("${name} is {one} here and {other} elsewhere", "use two names")
    TWO_RESTS = ("a message has one ... or $$$ only: two would share the fields at random", "")
    REST_ADDED = ("... on a + line says nothing of what to write", "bind the fields with $$$REST, and write that")
    REST_AT_TOP = ("the net's other layers are never in question here", "delete this line")
    REST_WRAPPED = (
        "... would go into a new message, whatever it is",
        "bind the fields with $$$REST if that is meant",
    )
    HIDDEN_DELETION = (
        "this would delete fields that it does not show",
        "write them, or bind them with $$$REST if they are to go, whatever they are",
    )
    CALCULATED = (
        "only a + line can calculate; a match wants a value or a variable",
        "bind it to a variable, and constrain that in the front matter",
    )
    TEMPLATE_MATCH = ('a matched string holds one ${X} at most: "conv${I}"', "")
    MOVED_APART = (
        "this field goes in or out of a message in a way that no edit says",
        "remove it on a - line and write it again on a + line",
    )
    WRITTEN_AS_IS = ("a + line writes a message of a variable as it is", "${name} {...}")
    CALCULATES_TEXT = ("${name} is a message or fields: there is nothing to calculate", "")
    NO_ANCHOR = (
        "nothing here says where to look: no literal value, no field but name, type, bottom and top",
        'give the layer\'s type: type: "Convolution"',
    )
    NO_LAYER = ("{name} is neither a field of a net nor of a solver", "a pattern of layers begins with layer {")
    MIXED = ("{name} and the fields above it are not of the same file: one is a net's, one a solver's", "")
    OLD_LAYERS = ("patches see the format of today: layer, not layers", "")
    DISCONNECTED = (
        "this layer shares no variable with those before it: every pair in a net would match",
        "join them by a blob: top: $B in one, bottom: $B in the other",
    )
    REPEATS = (
        "its result matches it again, so that it would not come to an end",
        "constrain what it matches, or say with where { absent: … } what must not be there yet",
    )
    NO_NUMBER = ("{value} is no number for {name}, which is of type {type}", "")
    CALCULATED_AGAIN = (
        "what this comes to may be matched again as ${name}, and would be calculated again",
        "constrain ${name} such that no result is one of its values: by min and max with all results outside of "
        "them, or by any_of",
    )


class PatchError(PrototxtError):
    """A patch file that cannot be right; rendered with its place as errors in prototxt are."""

    def __init__(self, offset: int, mistake: Mistake, **names: object) -> None:
        message, hint = (one_line(_fill(text, names)) for text in mistake.value)
        super().__init__(offset, message, hint)
        self.mistake = mistake


def _fill(text: str, names: dict[str, object]) -> str:
    for name, value in names.items():
        text = text.replace("{" + name + "}", str(value))
    return text
