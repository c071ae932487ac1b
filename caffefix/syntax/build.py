"""Reductions of the grammar's rules into the green tree. Coarse and fine rules build the same tree."""

from __future__ import annotations

from caffefix.syntax.green import Block, Bracket, Field, Green, Trivia
from caffefix.syntax.lexer import Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TypeAlias

# A run is the list of tokens and whole-line trivia that a construct covers, in file order.
Run: TypeAlias = "list[Any]"


def _split(run: Run) -> tuple[str, Run]:
    """Text up to the last token, and the whole-line trivia after it."""
    end = len(run)
    while end and isinstance(run[end - 1], Trivia):
        end -= 1
    return "".join(piece.text for piece in run[:end]), run[end:]


def _lexeme(children: list[Any]) -> Run:
    token, trivia = children
    return [token, *trivia]


def _field(head: Run, value: Run) -> tuple[Field, Run]:
    """A field, and the trivia after it; a list's element has no head and is named later."""
    text, rest = _split(head + value)
    last = next(token for token in reversed(value) if isinstance(token, Token))
    lead = len(_text(head)) + value[0].at
    end = len(text) - len(last.text) + last.at + len(last.core)
    return Field(text, head[0].core if head else "", text[lead:end], lead), rest


def _text(run: Run) -> str:
    return "".join(piece.text for piece in run)


def _block(kind: str, head: Run, opening: Run, inner: list[Green], closing: Run) -> tuple[Block, Run]:
    text, lead = _split(head + opening)
    close, rest = _split(closing)
    name = head[0].core if head else ""
    return Block(Bracket("OPEN", text, name), [*lead, *inner], Bracket("CLOSE", close), kind), rest


# An item's value is (green, trivia after it).


def _separated(children: list[Any]) -> list[Green]:
    (green, rest), separator = children
    text, rest_of_separator = _split(rest + separator)
    if isinstance(green, Block):
        green.close.text += text
    else:
        green.text += text
    return [green, *rest_of_separator]


def _named(name: Run, elements: list[Green]) -> list[Green]:
    for element in elements:
        if element.type == "TRIVIA":
            continue
        element.name = name[0].core
        if isinstance(element, Block):
            element.open.name = element.name
    return elements


def _elements(children: list[Any]) -> list[Green]:
    """``elements`` of a list, from a single one or from elements, comma, element."""
    if len(children) == 1:
        green, rest = children[0]
        return [green, *rest]
    elements: list[Green]
    elements, comma, (green, rest) = children
    before: list[Any] = []
    while isinstance(elements[-1], Trivia):
        before.insert(0, elements.pop())
    elements.extend(_separated([(elements.pop(), before), comma]))
    elements.extend([green, *rest])
    return elements


def _list(head: Run, bracket: Run, trivia: Run, elements: list[Green], closing: Run) -> Any:
    named = _named(head, elements)
    return _block("[", head, [*bracket, *trivia], named, closing)


def _message(children: list[Any]) -> Any:
    name, bracket, trivia, items, closing = children
    return _block(bracket.core, name, [bracket, *trivia], items, closing)


def _colon_message(children: list[Any]) -> Any:
    name, colon, *rest = children
    head = name + colon
    bracket, trivia, items, closing = rest
    return _block(bracket.core, head, [bracket, *trivia], items, closing)


def _split_block(children: list[Any]) -> Block:
    head, brace, items, close = children
    return Block(Bracket("OPEN", head.text + brace.text, head.name), items, close)


def _item(children: list[Any]) -> list[Green]:
    green, rest = children[0]
    return [green, *rest]


def _extend(children: list[Any]) -> Any:
    children[0].extend(children[1])
    return children[0]


def _more(children: list[Any]) -> Run:
    run, token, trivia = children
    run.append(token)
    run.extend(trivia)
    return run  # type: ignore[no-any-return]


def _append(children: list[Any]) -> Any:
    children[0].append(children[1])
    return children[0]


REDUCTIONS = {
    # both
    "empty": lambda c: [],
    "append": _append,
    # coarse
    "document": lambda c: c[0],
    "block": lambda c: Block(c[0], c[1], c[2]),
    "angle_block": lambda c: Block(c[0], c[1], c[2], "<"),
    "split_block": _split_block,
    # fine
    "fine_document": lambda c: c[0] + c[1],
    "extend": _extend,
    "item": _item,
    "separated_item": _separated,
    "scalar": lambda c: _field(c[0] + c[1], c[2]),
    "same": lambda c: c[0],
    "lexeme": _lexeme,
    "more": _more,
    "negative": lambda c: [*c[0], c[1], *c[2]],
    "message": _message,
    "colon_message": _colon_message,
    "empty_list": lambda c: _list(c[0] + c[1], [c[2]], c[3], [], c[4]),
    "empty_bare_list": lambda c: _list(c[0], [c[1]], c[2], [], c[3]),
    "list": lambda c: _list(c[0] + c[1], [c[2]], c[3], c[4], c[5]),
    "bare_list": lambda c: _list(c[0], [c[1]], c[2], c[3], c[4]),
    "first_scalar": lambda c: _elements([_field([], c[0])]),
    "next_scalar": lambda c: _elements([c[0], c[1], _field([], c[2])]),
    "first_message": _elements,
    "next_message": _elements,
    "anonymous": lambda c: _block(c[0].core, [], [c[0], *c[1]], c[2], c[3]),
}
