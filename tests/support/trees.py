"""Trees as flat lists of events, so that any depth can be compared."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from lark import Lark, Token

from caffefix._startup.resources import content, resource
from caffefix.syntax.build import REDUCTIONS
from caffefix.syntax.green import Block, Bracket, Field, Green, Trivia, walk
from caffefix.syntax.lexer import Token as FineToken
from caffefix.syntax.lexer import TokenLexer
from caffefix.syntax.tables import load
from caffefix.syntax.tree import Document


def events(items: list[Green]) -> list[tuple[object, ...]]:
    """Everything a tree says, in order."""
    root = Block(Bracket("OPEN", ""), items, Bracket("CLOSE", ""))
    out: list[tuple[object, ...]] = []
    for item, depth, entering in walk(root):
        if isinstance(item, Block):
            out.append((depth, item.kind, item.name, item.open.text if entering else item.close.text, entering))
        elif isinstance(item, Field):
            out.append((depth, item.name, item.value, item.at, item.text))
        else:
            out.append((depth, item.text))
    return out


def values(document: Document) -> list[tuple[tuple[str, ...], str]]:
    """(path, value as written) of each scalar in file order."""
    out = []
    path: list[str] = []
    for item, _, entering in walk(document.root.block):
        if isinstance(item, Field):
            out.append(((*path, item.name), item.value))
        elif isinstance(item, Block) and item.kind != "[" and item is not document.root.block:
            path.append(item.name) if entering else path.pop()
    return out


@cache
def _stock(start: str) -> Lark:
    return Lark(
        content(resource("grammar/prototxt.lark")).decode(),
        parser="lalr",
        lexer="contextual",
        start=start,
        keep_all_tokens=True,
        maybe_placeholders=False,
    )


def stock_items(text: str, start: str) -> list[Green]:
    """The tree by Lark's own lexer, parser and trees, and none of our lexers or drivers."""
    tree = _stock(start).parse(text)
    done: list[Any] = []
    stack: list[tuple[Any, bool]] = [(tree, False)]
    while stack:
        node, ready = stack.pop()
        if isinstance(node, Token):
            done.append(_piece(node) if start == "coarse" else _fine_piece(node))
        elif not ready:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.children))
        else:
            count = len(node.children)
            children = done[len(done) - count :]
            del done[len(done) - count :]
            done.append(REDUCTIONS[str(node.data)](children))
    return done[0]  # type: ignore[no-any-return]


def _piece(token: Token) -> object:
    import re

    match = re.compile(load().terminals[token.type]).match(token)
    assert match is not None
    if token.type == "TRIVIA":
        return Trivia(str(token))
    if token.type == "FIELD":
        return Field(str(token), match["field"], match["value"], match.start("value"))
    name = {"OPEN": "open", "OPEN_ANGLE": "open_angle", "HEAD": "head"}.get(token.type)
    return Bracket(token.type, str(token), match[name] if name else "")


def _fine_piece(token: Token) -> object:
    if token.type == "TRIVIA":
        return Trivia(str(token))
    text = str(token)
    at = len(text) - len(text.lstrip(" \t\r\f\v"))
    core = next(iter(TokenLexer(load()).lex(text)))
    assert isinstance(core, FineToken)
    return FineToken(token.type, text, core.core, at, token.start_pos or 0)


def lines(items: list[Green]) -> Iterator[str]:
    for event in events(items):
        yield str(event)
