"""Messages about text that is not prototxt: the words of the error and its usual cause."""

from __future__ import annotations

import re
from collections.abc import Iterable

from caffefix._startup.patterns import pattern
from caffefix.syntax.source import display

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SYMBOLS = {
    "COLON": '":"', "LBRACE": '"{"', "RBRACE": '"}"', "LANGLE": '"<"', "RANGLE": '">"',
    "LBRACKET": '"["', "RBRACKET": '"]"', "COMMA": '","', "SEMICOLON": '";"', "MINUS": '"-"',
    "NAME": "a field name", "INFNAN": "a field name", "NUMBER": "a value", "STRING": "a value",
    "$END": "the end of the file",
}  # fmt: skip

_OPEN = {"LBRACE": "{", "LANGLE": "<", "LBRACKET": "["}
_CLOSE = {"RBRACE": "{", "RANGLE": "<", "RBRACKET": "["}

_MERGE_MARKER = pattern(r"(?:<{7}|={7}|>{7}|\|{7})(?:[ \r\n]|\Z)")


def unexpected(core: str, expected: frozenset[str]) -> str:
    """``expected ":", found "foo"`` in the parser's own terms."""
    found = f'found "{_shorten(core)}"'
    if "NUMBER" in expected:
        return f"expected a value, {found}"
    if "NAME" in expected:
        return f"expected a field name, {found}"
    if "COLON" in expected and "LBRACE" in expected:
        return f'expected ":" or "{{", {found}'
    names = sorted({_SYMBOLS[name] for name in expected if name in _SYMBOLS})
    return f"expected {' or '.join(names)}, {found}" if names else found


def bad_character(text: str, offset: int) -> tuple[int, str]:
    """Place and words for text that is not a token at ``offset``; the place is the one that protobuf reports."""
    char = text[offset]
    if char in "\"'":
        return _bad_string(text, offset)
    if char.isdigit() or (char == "." and text[offset + 1 : offset + 2].isdigit()):
        return _bad_number(text, offset)
    if char < " " or char == "\x7f":
        return offset, f"control character 0x{ord(char):02x}"
    if char > "~":
        return offset, f'"{character(text, offset)}" outside a string or comment'
    return offset, f'unexpected "{_shorten(char)}"'


_STRING_PART = pattern(
    r"""[^\\"'\n\x00]+|\\(?:[abfnrtv\\?'"0-7]|x[0-9a-fA-F]|u[0-9a-fA-F]{4}|U00(?:0[0-9a-fA-F]|10)[0-9a-fA-F]{4})|["']"""
)


def _bad_string(text: str, offset: int) -> tuple[int, str]:
    at = offset + 1
    while match := _STRING_PART.match(text, at):
        at = match.end()
    if text[at : at + 1] == "\\" and text[at + 1 : at + 2] not in ("", "\n"):
        old = "; protobuf 2 accepted it: write \\x" if text[at + 1] == "X" else ""
        return at + 1, f'"\\{_shorten(text[at + 1])}" is not an escape sequence{old}'
    if text[at : at + 1] == "\x00":
        return at, "NUL byte in a string"
    return at, "the string is not closed before the end of its line"


_NUMBER_PREFIX = pattern(r"0[xX][0-9a-fA-F]*|0[0-7]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


_BAD_OCTAL = pattern(r"(?P<octal>0[0-7]*)[89]")


def _bad_number(text: str, offset: int) -> tuple[int, str]:
    word = _shorten(_word(text, offset))
    match = _NUMBER_PREFIX.match(text, offset)
    at = match.end() if match else offset
    octal = _BAD_OCTAL.match(text, offset)
    if octal:
        return octal.end("octal"), f'"{word}": a number with a leading zero is octal and cannot hold 8 or 9'
    if text[at : at + 1] in ("e", "E"):
        return at + 1, f'"{word}": "e" must be followed by an exponent'
    if text[at : at + 1] == ".":
        return at, f'"{word}" has one decimal point too many'
    return at, f'"{word}" is not a number: a blank is missing before "{_shorten(text[at : at + 1])}"'


def end_of_text(text: str, tokens: Iterable[Any]) -> tuple[int, str]:
    """Place and words for a text that ends too early: the innermost bracket left open."""
    stack: list[Any] = []
    last: Any = None
    before: Any = None
    head: Any = None
    for token in tokens:
        if token.type == "TRIVIA":
            continue
        if token.type in _OPEN:
            name = head if last is not None and last.type == "COLON" else last
            stack.append((token, name if name is not None and name.type == "NAME" else None))
        elif token.type in _CLOSE and stack:
            stack.pop()
        if token.type == "NAME":
            head = token
        before, last = last, token
    if last is not None and last.type in ("COLON", "NAME", "MINUS", "COMMA") and (not stack or before):
        if last.type == "NAME" and before is not None and before.type == "COLON":
            pass  # a complete "name: VALUE": what is missing is a bracket
        elif last.type != "COMMA" or not stack:
            return last.start, f'the file ends after "{_shorten(last.core)}"'
    if not stack:
        return len(text), "the file ends too early"
    bracket, name = stack[-1]
    closing = {"{": "}", "<": ">", "[": "]"}[_OPEN[bracket.type]]
    opened = f"{name.core} {bracket.core}" if name is not None else bracket.core
    more = f" (and {len(stack) - 1} more around it)" if len(stack) > 1 else ""
    start = name.start if name is not None else bracket.start
    return start, f'"{opened}" is never closed: the file ends without its "{closing}"{more}'


def hint(text: str, offset: int, message: str) -> str:
    """The usual cause of an error at ``offset``, or nothing."""
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : len(text) if end < 0 else end]
    rest = text[offset : offset + 200]
    if text.startswith(("\xff\xfe", "\xfe\xff")) or text[1:2] == "\x00" or text[:1] == "\x00":
        return "the file is UTF-16 or binary; save it as UTF-8 without a byte-order mark"
    if rest.startswith("\xef\xbb\xbf"):
        return "a UTF-8 byte-order mark (BOM), which Caffe refuses; save the file without it"
    if _MERGE_MARKER.match(line):
        return "a merge-conflict marker: choose one side of the conflict and delete the markers"
    if rest.startswith(("//", "/*")):
        return "comments begin with # and end with the line"
    if re.match(r"\.{2,}", rest.lstrip()) or rest.startswith("\xe2\x80\xa6"):
        return "dots that stand for something omitted: replace them with the layers they stand for"
    if re.search(r"\$\{?\w|\$#|\{\{|\{%|%\(", line) and not line.lstrip().startswith("#"):
        return "a template whose placeholder was never filled in: generate the file first"
    if re.match(r"\xe2\x80[\x98-\x9f]", rest):
        return "a typographic quote, as word processors insert them; use \" or '"
    if rest.startswith(("\xa0", "\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x8b")):
        return "a blank that is not an ASCII blank (often copied from a web page); replace it with a space"
    if re.match(r"\xef\xbc|\xe3\x80", rest):
        return 'a full-width character; use the ASCII one (: { } , ")'
    if re.search(r"(?<![0-9A-Za-z_.])0[0-9]*\Z", text[start:offset]) and rest[:1].isdigit():
        return "write the number without the leading zero"
    if text[offset - 1 : offset] == "\\":
        return "a backslash is written \\\\; paths may use / instead"
    if end == offset or (end < 0 and offset == len(text)):
        return "a string ends on the line where it begins: close the quote"
    if rest[:1] == "+":
        return "Caffe does not accept a plus sign; remove it"
    if rest[:1] == "=":
        return "write name: value"
    if rest[:1] in (",", ";"):
        return "at most one separator may follow a field; delete this one"
    if message.startswith("expected a value"):
        return "name: must be followed by a value, or { for a message"
    if rest[:1] in ("}", ">", "]"):
        return "this closes nothing, or the bracket that it closes is of another kind"
    if not text[:offset].strip() and rest[:1] in "{[<":
        return "the file looks like JSON or XML, not prototxt"
    return ""


def _word(text: str, offset: int) -> str:
    match = re.compile(r"[A-Za-z0-9_.+-]+").match(text, offset)
    return match.group() if match else text[offset]


def character(text: str, offset: int) -> str:
    """The character that begins at an offset, by its number if it is not visible."""
    for length in (2, 3, 4):
        shown = display(text[offset : offset + length])
        if len(shown) == 1:
            return shown if shown.isprintable() else f"U+{ord(shown):04X}"
    return f"byte 0x{ord(text[offset]):02x}"


def _shorten(text: str) -> str:
    shown = display(text)
    return shown if len(shown) <= 40 else shown[:37] + "..."
