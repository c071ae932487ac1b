"""Describes what a patch will match, for ``caffefix patch check``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from caffefix.patching.front_matter import Where
from caffefix.patching.goals import is_layer, layer_types
from caffefix.patching.patch import Patch
from caffefix.patching.pattern import Literal, Message, Rest, Scalar, Variable
from caffefix.patching.values import Constraint
from caffefix.syntax.scalars import number_text, string_value
from caffefix.syntax.source import one_line, visible


def describe(patch: Patch) -> str:
    """What a patch will match, and what it may change, as lines of text."""
    front = patch.front
    lines = [f"{visible(patch.source.path)}: {front.name}: {one_line(front.summary)}", ""]
    lines += _matched(patch)
    lines += [f"  ${name} is {_constrained(c)}" for name, c in front.constraints.items()]
    lines += [f"  only where {text}" for where in front.wheres for text in _condition(where)]
    lines += ["", f"checks files that have all of: {', '.join(sorted(patch.needs))}"]
    lines.append(f"may change {', '.join(patch.changes) or 'nothing in the meaning of a net'}")
    lines.append(f"its fixes are {front.applicability.value}: {_applied(patch)}")
    return "\n".join(lines) + "\n"


def _applied(patch: Patch) -> str:
    return {
        "safe": "applied by default",
        "unsafe": "applied on request (--patch, --unsafe)",
        "display": "there are none: it only reports",
    }[patch.front.applicability.value]


def _matched(patch: Patch) -> Iterator[str]:
    """Each item at the top of the body in words."""
    for index, item in enumerate(patch.body.before):
        if isinstance(item, Rest):
            continue
        also = "and " if index else "matches "
        if isinstance(item, Message) and is_layer(item):
            types = " or ".join(string_value(text) for text in layer_types(item))
            called = f" (${item.variable})" if item.variable else ""
            yield f"{also}a layer{called} of {f'type {types}' if types else 'any type'}{_with(item)}"
        elif isinstance(item, Message):
            yield f"{also}{item.name or 'a message'}{_with(item)}"
        else:
            yield f"{also}{_scalar(item)}"


def _with(message: Message) -> str:
    """What is in a message, except a layer's type; recurses as deep as a body may nest."""
    typed = is_layer(message) and bool(layer_types(message))
    shown = [i for i in message.items if not (typed and isinstance(i, Scalar) and i.name == "type")]
    parts = [_scalar(i) if isinstance(i, Scalar) else _message(i) for i in shown if not isinstance(i, Rest)]
    rest = message.rest
    if rest is None:
        parts.append("nothing else except defaults")
    else:
        parts.append(f"other fields, ${rest.variable}" if rest.variable else "any other fields")
    return " with " + ", ".join(parts)


def _message(message: Message) -> str:
    return f"{message.name or 'a message'} ({_with(message).removeprefix(' with ')})"


def _scalar(item: Scalar) -> str:
    if isinstance(item.value, Literal):
        return f"{item.name} {item.value.text}"
    return f"{item.name} ${item.value.name}" if isinstance(item.value, Variable) else f"{item.name} of a pattern"


def _constrained(constraint: Constraint) -> str:
    parts = []
    if constraint.any_of:
        parts.append("one of " + ", ".join(constraint.any_of))
    if constraint.none_of:
        parts.append("none of " + ", ".join(constraint.none_of))
    if constraint.least is not None:
        parts.append(f"at least {number_text(constraint.least)}")
    if constraint.most is not None:
        parts.append(f"at most {number_text(constraint.most)}")
    if constraint.regexp is not None:
        parts.append(f"matched as a whole by {constraint.regexp.expression}")
    return ", ".join(parts) or "anything"


def _condition(where: Where) -> Iterator[str]:
    of = f"${where.of}" if where.of else "it"
    if where.roles:
        yield "the file is for " + _either(role.value for role in where.roles)
    if where.dialects:
        yield "the file may be for " + _either(where.dialects)
    if where.phase is not None:
        yield f"{of} runs in {where.phase.value} only"
    for types, text in (
        (where.producers, "reads what a {} produces"),
        (where.no_producers, "reads nothing that a {} produces"),
        (where.consumers, "is read by a {}"),
        (where.only_consumers, "is read by a {}, and by nothing else"),
        (where.no_consumers, "is not read by a {}"),
    ):
        if types:
            yield f"{of} {text.format(_either(types))}"
    for path in where.absent:
        yield f"{of} has no {'.'.join(path)}"
    for path in where.present:
        yield f"{of} has {'.'.join(path)}"


def _either(words: Iterable[str]) -> str:
    return " or ".join(words)
