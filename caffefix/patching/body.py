"""Reads the body of a patch: two sides, each with the grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from caffefix._startup.patterns import pattern
from caffefix.patching.errors import Mistake, PatchError
from caffefix.patching.pattern import Body, Item, Literal, Message, Rest, Scalar, Sum, Template, Value, Variable
from caffefix.patching.tables import load
from caffefix.syntax.driver import Driver, Unexpected
from caffefix.syntax.hints import character
from caffefix.syntax.scalars import number_value, string_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TERMINALS = (
    "COMMENT", "ANY", "RUN", "VARIABLE", "NUMBER", "NAME", "STRING", "COLON", "LBRACE", "RBRACE",
    "LPAR", "RPAR", "PLUS", "MINUS", "STAR", "SLASH", "SEPARATOR",
)  # fmt: skip
_WORDS = {
    "COLON": "a colon", "NAME": "a name", "LBRACE": "{", "RBRACE": "}", "STRING": "a string", "NUMBER": "a number",
    "VARIABLE": "$X", "RUN": "$$$X", "ANY": "...", "MINUS": "-", "LPAR": "(", "$END": "the end",
}  # fmt: skip
_SIDES = {"-": "side with the - lines", "+": "side with the + lines"}
_DEPTH = 32  # caffe.proto nests five deep
_ITEMS = 1000
_ASCII = pattern("[!-~]+")
_HOLE = pattern(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


class _Token:
    __slots__ = ("sign", "start", "text", "type")

    def __init__(self, type: str, text: str, start: int, sign: str) -> None:
        self.type = type
        self.text = text
        self.start = start
        self.sign = sign


def read_body(text: str, start: int) -> Body:
    """The body of a patch.

    Args:
        text: the whole file.
        start: where its body begins.

    Raises:
        PatchError: a side does not parse.
    """
    signs = list(_signs(text, start))
    before, after = (_side(text, start, signs, sign) for sign in "-+")
    return Body(before, after, start)


def _signs(text: str, start: int) -> Iterator[tuple[int, int, str]]:
    """(start, end, sign) of each line that is not blank."""
    at = start
    for line in text[start:].split("\n"):
        if line.strip():
            sign = " " if line[0] in " \t\r\f\v#" else line[0]
            if sign not in " -+":
                raise PatchError(at, Mistake.BAD_COLUMN, char=_character(line, 0))
            yield at, at + len(line), sign
        at += len(line) + 1


def _side(text: str, start: int, signs: list[tuple[int, int, str]], sign: str) -> tuple[Item, ...]:
    tokens = [token for first, last, at in signs if at in (" ", sign) for token in _lex(text, first, last, at)]
    _check_braces(tokens, sign)
    try:
        found: list[Item] = _driver().parse(tokens)
    except Unexpected as error:
        raise _unexpected(error, tokens, sign, start) from None
    return tuple(found)


def _lex(text: str, start: int, end: int, sign: str) -> Iterator[_Token]:
    position = start + (text[start] != "#")
    match = _scanner().match
    while position < end:
        if text[position] in " \t\r\f\v":
            position += 1
            continue
        found = match(text, position, end)
        if found is None:
            raise PatchError(position, Mistake.BAD_CHARACTER, char=_character(text, position))
        if found.lastgroup != "COMMENT":
            yield _Token(found.lastgroup or "", found.group(), position, sign)
        position = found.end()


def _character(text: str, at: int) -> str:
    """Unexpected text: a word, or a character beyond ASCII, by its number if it is not visible."""
    word = _ASCII.match(text, at, at + 20)
    return word.group() if word is not None else character(text, at) if text[at] > "~" else text[at]


def _check_braces(tokens: list[_Token], sign: str) -> None:
    opened: list[_Token] = []
    items = 0
    for token in tokens:
        if token.type == "LBRACE":
            opened.append(token)
            if len(opened) > _DEPTH:
                raise PatchError(token.start, Mistake.TOO_DEEP, most=_DEPTH)
        elif token.type == "RBRACE" and opened:
            opened.pop()
        items += token.type in ("COLON", "LBRACE", "ANY", "RUN")
        if items > _ITEMS:
            raise PatchError(token.start, Mistake.TOO_MANY, most=_ITEMS, what="fields")
    if opened:
        raise PatchError(opened[-1].start, Mistake.UNCLOSED, side=_SIDES[sign])


def _unexpected(error: Unexpected, tokens: list[_Token], sign: str, start: int) -> PatchError:
    token = error.token
    expected = sorted(_WORDS[name] for name in error.expected if name in _WORDS)
    where = token.start if token is not None else tokens[-1].start if tokens else start
    shown = repr(token.text) if token is not None else "the end"
    words = ", ".join(expected[:-1]) + (" or " if expected[:-1] else "") + expected[-1] if expected else "nothing"
    return PatchError(where, Mistake.UNEXPECTED, token=shown, side=_SIDES[sign], expected=words)


# ---------------------------------------------------------------- reductions


def _value(text: _Token, value: str) -> Value:
    parts: list[str | Variable] = []
    at = 0
    for hole in _HOLE.finditer(value):
        parts += [value[at : hole.start()], Variable(hole.group(1), text.start)]
        at = hole.end()
    return Template((*parts, value[at:])) if parts else Literal(text.text)


def _text(children: list[Any]) -> Value:
    tokens: list[_Token] = children[0]
    whole = " ".join(token.text for token in tokens)
    value = _value(tokens[0], string_value(whole))
    return Literal(whole) if isinstance(value, Literal) else value


def _sum(steps: list[Any]) -> Value:
    """Arithmetic as a value: a variable or a number by itself is not a ``Sum``."""
    if len(steps) == 1:
        return steps[0] if isinstance(steps[0], Variable) else Literal(steps[0])
    if len(steps) == 2 and steps[1] == "~" and not isinstance(steps[0], Variable):
        return Literal("-" + steps[0])
    operators = {"+", "-", "*", "/", "~"}
    return Sum(tuple(s if isinstance(s, Variable) or s in operators else number_value(s) or 0.0 for s in steps))


def _scalar(children: list[Any]) -> Scalar:
    name, _, value = children
    return Scalar(name.text, _sum(value) if isinstance(value, list) else value, name.start, name.sign)


def _message(
    name: _Token, variable: _Token | None, block: tuple[list[Item], _Token], named: bool = True
) -> Message:
    items, close = block
    called = variable.text[1:] if variable is not None else ""
    return Message(
        name=name.text if named else "",
        variable=called,
        items=tuple(items),
        offset=name.start,
        sign=name.sign,
        close=close.start,
        close_sign=close.sign,
    )


_REDUCTIONS: dict[str, Any] = {
    "same": lambda c: c[0],
    "second": lambda c: c[1],
    "empty": lambda c: [],
    "append": lambda c: [*c[0], c[1]],
    "first": lambda c: [c[0]],
    "rest": lambda c: Rest(c[0].text[3:] if c[0].type == "RUN" else "", c[0].start, c[0].sign),
    "scalar": _scalar,
    "message": lambda c: _message(c[0], None, c[1]),
    "colon_message": lambda c: _message(c[0], None, c[2]),
    "bound_message": lambda c: _message(c[0], c[1], c[2]),
    "bound_colon_message": lambda c: _message(c[0], c[2], c[3]),
    "any_message": lambda c: _message(c[0], c[0], c[1], named=False),
    "block": lambda c: (c[1], c[2]),
    "text": _text,
    "word": lambda c: Literal(c[0].text),
    "number": lambda c: [c[0].text],
    "variable": lambda c: [Variable(c[0].text[1:], c[0].start)],
    "negative": lambda c: [*c[1], "~"],
    "binary": lambda c: [*c[0], *c[2], c[1].text],
}


@cache
def _driver() -> Driver:
    return Driver(load(), "side", _REDUCTIONS)


@cache
def _scanner() -> re.Pattern[str]:
    terminals = load().terminals
    return re.compile("|".join(f"(?P<{name}>{terminals[name]})" for name in _TERMINALS))
