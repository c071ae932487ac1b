"""Two lexers: one by lines with a memo for the coarse grammar, one by tokens for the fine one.

Neither strings nor comments cross a line end, so what a line lexes to depends only on the line, and 83% of the
lines of a big net (97% of a zoo's) have been seen before. The expressions are the grammar's own terminals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from caffefix._startup.patterns import pattern
from caffefix.syntax.green import Bracket, Field, Piece, Trivia
from caffefix.syntax.memo import Memo
from caffefix.syntax.tables import Tables

COARSE = ("FIELD", "OPEN", "CLOSE", "TRIVIA", "HEAD", "LBRACE", "OPEN_ANGLE", "CLOSE_ANGLE")
FINE = (
    "TRIVIA", "INFNAN", "NAME", "STRING", "NUMBER", "COLON", "LBRACE", "RBRACE",
    "LANGLE", "RANGLE", "LBRACKET", "RBRACKET", "COMMA", "SEMICOLON", "MINUS",
)  # fmt: skip

_OPENS = {"OPEN": "open", "OPEN_ANGLE": "open_angle", "HEAD": "head"}


class NotCoarse(Exception):
    """A line that the coarse terminals do not cover: the fine grammar is used."""


class LineLexer:
    """Lexes whole lines and remembers them.

    The memo is shared by all files of a process and bounded in entries and in line length.
    """

    MEMO_LINES = 1 << 16
    MEMO_WIDTH = 512

    def __init__(self, tables: Tables) -> None:
        alternatives = (f"(?P<{name}>{tables.terminals[name]})" for name in COARSE)
        self._match = re.compile("|".join(alternatives)).match
        self.memo: Memo[str, Piece | tuple[Piece, ...]] = Memo("pieces of lines", self.MEMO_LINES)
        # Pieces of lines with several pieces: such lines are rarely alike.
        self._fields: Memo[str, Field] = Memo("fields within lines", self.MEMO_LINES)

    def lex(self, text: str) -> list[Piece]:
        """The pieces of a text.

        Raises:
            NotCoarse: a line is not made of whole coarse pieces.
        """
        lines = text.split("\n")
        last = lines.pop()
        memo = self.memo
        try:
            found = [memo[line] for line in lines]
        except KeyError:
            found = [memo.get(line) or self._line(line) for line in lines]
        if last:
            found.append(self._pieces(last))
        if tuple not in set(map(type, found)):
            return found  # type: ignore[return-value]
        flat: list[Piece] = []
        for entry in found:
            if entry.__class__ is tuple:
                flat.extend(entry)
            else:
                flat.append(entry)  # type: ignore[arg-type]
        return flat

    def _line(self, line: str) -> Piece | tuple[Piece, ...]:
        entry = self._pieces(line + "\n")
        if len(line) <= self.MEMO_WIDTH:
            self.memo.keep(line, entry)
        return entry

    def _pieces(self, line: str) -> Piece | tuple[Piece, ...]:
        match = self._match(line)
        if match is None:
            raise NotCoarse
        first = _piece(match)
        end = match.end()
        if end == len(line):
            return first
        out = [first]
        while end < len(line):
            match = self._match(line, end)
            if match is None:
                raise NotCoarse
            out.append(self._shared(match))
            end = match.end()
        return tuple(out)

    def _shared(self, match: re.Match[str]) -> Piece:
        """A piece within a line; fields that are written alike are one."""
        text = match.group()
        known = self._fields.get(text)
        if known is not None:
            return known
        piece = _piece(match)
        if isinstance(piece, Field) and len(text) <= self.MEMO_WIDTH:
            self._fields.keep(text, piece)
        return piece


def _piece(match: re.Match[str]) -> Piece:
    kind = match.lastgroup
    if kind == "FIELD":
        field, value = match.group("field", "value")
        return Field(match.group(), field, value, match.start("value") - match.start())
    if kind == "TRIVIA":
        return Trivia(match.group())
    name = _OPENS.get(kind or "")
    return Bracket(kind or "", match.group(), match.group(name) if name else "")


class Token:
    """A token of the fine grammar, with its place.

    Attributes:
        type: the terminal's name.
        text: the token with its trivia.
        core: the token without it.
        at: offset of the core in ``text``.
        start: offset of the core in the file.
    """

    __slots__ = ("at", "core", "start", "text", "type")

    def __init__(self, type: str, text: str, core: str, at: int, start: int) -> None:
        self.type = type
        self.text = text
        self.core = core
        self.at = at
        self.start = start


class BadCharacter(Exception):
    """Text at ``start`` that is not a token."""

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.start = start


class TokenLexer:
    """Lexes token by token; slower, but tracks places."""

    _BLANK = pattern(r"[ \t\r\f\v]*")

    def __init__(self, tables: Tables) -> None:
        alternatives = (f"(?P<{name}>{tables.terminals[name]})" for name in FINE)
        self._match = re.compile("|".join(alternatives)).match
        # A token's core ends where the tail that every terminal shares begins.
        self._tail = re.compile(r"[ \t\r\f\v]*(?:#[^\n\x00]*)?\n?\Z")

    def lex(self, text: str) -> Iterator[Token | Trivia]:
        """Tokens and whole-line trivia in file order.

        Raises:
            BadCharacter: no token begins here.
        """
        position = 0
        match_at, blank = self._match, self._BLANK.match
        while position < len(text):
            match = match_at(text, position)
            if match is None:
                raise BadCharacter(blank(text, position).end())  # type: ignore[union-attr]
            piece = match.group()
            kind = match.lastgroup or ""
            if kind == "TRIVIA":
                yield Trivia(piece)
            else:
                at = blank(piece).end()  # type: ignore[union-attr]
                yield Token(kind, piece, self._core(kind, piece, at), at, position + at)
            position = match.end()

    def _core(self, kind: str, piece: str, at: int) -> str:
        if kind == "STRING":  # may contain '#'; its tail begins after the closing quote
            quote = piece[at]
            end = at + 1
            while piece[end] != quote:
                end += 2 if piece[end] == "\\" else 1
            return piece[at : end + 1]
        return piece[at:].split("#", 1)[0].rstrip(" \t\r\f\v\n")
