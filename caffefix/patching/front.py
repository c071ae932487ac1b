"""Reads the front matter of a patch: its name, when it runs, what it may match."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterator

from caffefix._startup.patterns import pattern
from caffefix.caffe.net import Phase, truth
from caffefix.caffe.roles import Role
from caffefix.caffe.schema import load as load_schema
from caffefix.findings import Applicability, Pass, Severity
from caffefix.fixers import GROUPS
from caffefix.patching.automaton import Automaton
from caffefix.patching.errors import Mistake, PatchError
from caffefix.patching.front_matter import Front, Where
from caffefix.patching.regexp import MOST_CHARACTERS, MOST_STATES, RegexpError, automaton
from caffefix.patching.values import Constraint
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.scalars import is_string, number_value, string_value
from caffefix.syntax.source import display
from caffefix.syntax.tree import Node

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    _E = TypeVar("_E", bound=enum.Enum)

_NAME = pattern(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_PATH = pattern(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")
_RESERVED = frozenset(("all", "none"))  # they have another meaning where findings are listed
_ONCE = frozenset(
    "name summary message title phase applicability severity opt_in once preserves_meaning group".split()
)
_SECTIONS = ("what", "why", "safety", "false_alarm", "reference")  # one line of text each time
_REPEATED = frozenset(("variable", "where", *_SECTIONS))
_VARIABLE = frozenset(("name", "regexp", "any_of", "none_of", "min", "max"))
_WHERE = frozenset(
    "of role dialect phase producer no_producer consumer only_consumer no_consumer absent present".split()
)
_MANY = _REPEATED | (_WHERE - {"of", "phase"}) | {"any_of", "none_of"}
_MESSAGES = frozenset(("variable", "where"))


def is_name(text: str) -> bool:
    """Whether a patch's finding may have this name."""
    return _NAME.fullmatch(text) is not None and text not in _RESERVED


def read_front(text: str) -> Front:
    """The front matter of a patch.

    Raises:
        PatchError: it is wrong.
    """
    try:
        root = parse(text).root
    except PrototxtError as error:
        raise PatchError(error.offset, Mistake.FRONT_SYNTAX, reason=error.message, hint=error.hint) from None
    _check(root, _ONCE | _REPEATED)
    for needed in ("name", "summary"):
        if not root.has(needed):
            raise PatchError(0, Mistake.MISSING, name=needed)
    name = root.string("name") or ""
    if not _NAME.fullmatch(name):
        raise PatchError(_place(root, "name"), Mistake.BAD_NAME, value=repr(name))
    if name in _RESERVED:
        raise PatchError(_place(root, "name"), Mistake.RESERVED_NAME, value=name)
    constraints: dict[str, Constraint] = {}
    for node in root.fields("variable"):
        found = _constraint(node)
        if found.name in constraints:
            raise PatchError(node.start, Mistake.CONSTRAINED_TWICE, name=found.name)
        constraints[found.name] = found
    return Front(
        name=name,
        summary=display(_words(root, "summary")),
        message=root.string("message") or "",
        title=root.string("title") or "",
        runs_in=_choice(root, "phase", Pass, Pass.REPAIR),
        applicability=_choice(root, "applicability", Applicability, Applicability.UNSAFE),
        severity=_choice(root, "severity", Severity, Severity.WARNING),
        opt_in=_flag(root, "opt_in"),
        once=_flag(root, "once"),
        preserves_meaning=_flag(root, "preserves_meaning"),
        group=_group(root),
        sections={key: display(_words(root, key)) for key in _SECTIONS},
        constraints=constraints,
        wheres=tuple(map(_where, root.fields("where"))),
        offsets={child.name: child.start for child in root.children()},
    )


def _check(message: Node, known: frozenset[str]) -> None:
    """Refuse unknown fields, and fields that are given too often."""
    seen: set[str] = set()
    for child in message.children():
        if child.name not in known:
            names = ", ".join(sorted(known))
            raise PatchError(child.start, Mistake.UNKNOWN_FIELD, name=child.name, known=names)
        if child.name in seen and child.name not in _MANY:
            raise PatchError(child.start, Mistake.GIVEN_TWICE, name=child.name)
        seen.add(child.name)
        for element in child.children() if child.is_list else (child,):
            if element.is_message != (child.name in _MESSAGES):
                wrong = Mistake.NOT_A_SCALAR if element.is_message else Mistake.NOT_A_MESSAGE
                raise PatchError(element.start, wrong, name=child.name)


def _place(message: Node, name: str) -> int:
    node = message.field(name)
    return node.start if node is not None else 0


def _words(message: Node, name: str) -> str:
    return "\n".join(message.strings(name)).strip()


def _choice(message: Node, name: str, kind: type[_E], default: _E) -> _E:
    value = message.string(name)
    return default if value is None else _member(message, name, kind, value)


def _member(message: Node, name: str, kind: type[_E], value: str) -> _E:
    for member in kind:
        if member.name.lower() == value.lower():
            return member
    known = ", ".join(member.name for member in kind)
    raise PatchError(_place(message, name), Mistake.BAD_CHOICE, name=name, value=value, known=known)


def _flag(message: Node, name: str) -> bool:
    value = message.scalar(name)
    if value is not None and value not in ("true", "false"):
        raise PatchError(_place(message, name), Mistake.BAD_CHOICE, name=name, value=value, known="true, false")
    return value is not None and truth(value)


def _group(message: Node) -> str:
    value = message.string("group") or ""
    if value and value not in GROUPS:
        raise PatchError(
            _place(message, "group"), Mistake.BAD_CHOICE, name="group", value=value, known=", ".join(GROUPS)
        )
    return value


def _constraint(node: Node) -> Constraint:
    _check(node, _VARIABLE)
    name = node.string("name")
    if not name:
        raise PatchError(node.start, Mistake.MISSING, name="variable { name }")
    any_of, none_of = (tuple(node.scalars(key)) for key in ("any_of", "none_of"))
    bounds = [_number(node, key) for key in ("min", "max")]
    found = Constraint(
        name=name.lstrip("$"),
        any_of=any_of,
        none_of=none_of,
        least=bounds[0],
        most=bounds[1],
        regexp=_regexp(node),
        offset=node.start,
    )
    if found.is_empty():
        raise PatchError(node.start, Mistake.NOTHING_ALLOWED, name=found.name)
    return found


def _number(node: Node, name: str) -> float | None:
    text = node.scalar(name)
    if text is None:
        return None
    number = number_value(text)
    if number is None or not math.isfinite(number):
        raise PatchError(_place(node, name), Mistake.BAD_NUMBER, name=name, value=text)
    return number


def _regexp(node: Node) -> Automaton | None:
    field_ = node.field("regexp")
    if field_ is None:
        return None
    expression = string_value(field_.value)
    try:
        return automaton(expression)
    except RegexpError as error:
        if error.at < 0:
            most = MOST_CHARACTERS if error.what == "characters" else MOST_STATES
            size = min(error.size, 10**6)
            raise PatchError(field_.start, Mistake.REGEXP_LONG, size=size, what=error.what, most=most) from None
        rest = repr(expression[error.at :]) if error.at < len(expression) else "its end"
        hint = "classes, groups and | * + ? {m,n} are supported; write \\\\ before a literal special character"
        raise PatchError(field_.start, Mistake.BAD_REGEXP, rest=rest, hint=hint) from None


def _where(node: Node) -> Where:
    _check(node, _WHERE)
    for fork in node.fields("dialect"):
        name = string_value(fork.value)
        forks = load_schema().forks
        if name not in forks:
            from difflib import get_close_matches

            near = next(iter(get_close_matches(name, forks, 1, 0)), "bvlc")
            raise PatchError(fork.start, Mistake.UNKNOWN_FORK, value=repr(name), near=near)
    return Where(
        of=(node.string("of") or "").lstrip("$"),
        roles=tuple(_member(node, "role", Role, value) for value in node.strings("role")),
        dialects=tuple(node.strings("dialect")),
        phase=None if node.string("phase") is None else _choice(node, "phase", Phase, Phase.TRAIN),
        producers=tuple(node.strings("producer")),
        no_producers=tuple(node.strings("no_producer")),
        consumers=tuple(node.strings("consumer")),
        only_consumers=tuple(node.strings("only_consumer")),
        no_consumers=tuple(node.strings("no_consumer")),
        absent=tuple(_paths(node, "absent")),
        present=tuple(_paths(node, "present")),
        offset=node.start,
    )


def _paths(node: Node, name: str) -> Iterator[tuple[str, ...]]:
    for field_ in node.fields(name):
        value = string_value(field_.value)
        if not _PATH.fullmatch(value) or not (is_string(field_.value) or "." not in value):
            raise PatchError(field_.start, Mistake.BAD_PATH, value=repr(value))
        yield tuple(value.split("."))
