"""Reading prototxt text: coarse grammar first, fine grammar for the rest and for errors."""

from __future__ import annotations

from functools import cache

from caffefix._startup.garbage import Uncollected
from caffefix.syntax.build import REDUCTIONS
from caffefix.syntax.driver import Driver, Unexpected
from caffefix.syntax.green import Green
from caffefix.syntax.lexer import BadCharacter, LineLexer, NotCoarse, TokenLexer
from caffefix.syntax.source import Source, visible
from caffefix.syntax.tables import load
from caffefix.syntax.tree import Document


class PrototxtError(Exception):
    """Text that Caffe's parser refuses.

    Attributes:
        offset: where, in bytes.
        message: what is wrong there.
        hint: the usual cause and what to do; may be empty.
    """

    def __init__(self, offset: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message
        self.hint = hint

    def render(self, source: Source) -> str:
        """``file:line:col: message`` with the line and a caret."""
        place = source.position(self.offset)
        line = source.line(place.line)
        left = max(0, place.column - 61)  # a line may be a megabyte long
        shown = line[left : left + 100].expandtabs(1)
        shown = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in shown)
        out = f"{visible(source.path)}:{place.line}:{place.column}: {self.message}"
        out += f"\n    {shown}\n    {' ' * (place.column - 1 - left)}^"
        return out + (f"\n  hint: {self.hint}" if self.hint else "")


def parse(text: str) -> Document:
    """The document of a text.

    Args:
        text: the file, one character per byte.

    Raises:
        PrototxtError: Caffe's parser would refuse the text because of its syntax.
    """
    with Uncollected():
        return Document(text, _items(text))


def _items(text: str) -> list[Green]:
    try:
        return _coarse()[1].parse(_coarse()[0].lex(text))  # type: ignore[no-any-return]
    except (NotCoarse, Unexpected):
        return parse_fine(text)


def parse_fine(text: str) -> list[Green]:
    """The green items of a text by the fine grammar alone.

    Raises:
        PrototxtError: the text is not prototxt.
    """
    lexer, driver = _fine()
    try:
        return driver.parse(lexer.lex(text))  # type: ignore[no-any-return]
    except (BadCharacter, Unexpected) as error:
        found = error
    raise _explained(text, found)


def _explained(text: str, error: BadCharacter | Unexpected) -> PrototxtError:
    from caffefix.syntax import hints  # few files need them

    if isinstance(error, BadCharacter):
        offset, message = hints.bad_character(text, error.start)
    elif error.token is None:
        offset, message = hints.end_of_text(text, _fine()[0].lex(text))
    else:
        offset = error.token.start
        message = hints.unexpected(error.token.core, error.expected)
    return PrototxtError(offset, message, hints.hint(text, offset, message))


@cache
def _coarse() -> tuple[LineLexer, Driver]:
    tables = load()
    return LineLexer(tables), Driver(tables, "coarse", REDUCTIONS)


@cache
def _fine() -> tuple[TokenLexer, Driver]:
    tables = load()
    return TokenLexer(tables), Driver(tables, "fine", REDUCTIONS)


def forget_lines() -> None:
    """Empty the line memo (for benchmarks of a cold parser)."""
    _coarse()[0].memo.clear()
