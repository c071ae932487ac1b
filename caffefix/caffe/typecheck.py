"""What protobuf's C++ text parser says about a file's fields and values, for all forks at once.

The walk carries, for each message, the types it may have and the forks in which it has them. A
field is accepted by the forks that define it there, with a type that its value fits
(google/protobuf/text_format.cc, ``ConsumeFieldValue``). The first problem that a fork meets, in
file order, is what its parser would print.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

from caffefix._startup.records import dataclass
from caffefix.caffe.schema import Schema, Variant
from caffefix.syntax.green import Block, Field, Green, Trivia
from caffefix.syntax.memo import Memo
from caffefix.syntax.scalars import integer_value, is_radix, is_string, number_value
from caffefix.syntax.shape_key import shape_key
from caffefix.syntax.tree import Document, Node

NET = "NetParameter"
SOLVER = "SolverParameter"


# The parser's message for a list of scalars without a colon; the grammar accepts an empty one.
BARE_LIST = 'Expected ":", found "[".'


class Kind(enum.Enum):
    """What is wrong with a field."""

    UNKNOWN_FIELD = "unknown field"
    WRONG_TYPE = "wrong type"
    UNKNOWN_VALUE = "unknown enum value"
    REPEATED = "singular field given twice"
    MISSING = "required field missing"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that some forks refuse.

    Attributes:
        kind: what it is.
        node: where.
        message: the type of the message around it (one of them, where forks differ).
        text: the parser's own words.
        forks: the forks that refuse it, of those that accept what is around it.
        context: those that might have accepted it: for an unknown field all forks that accept what is around it,
            for a value those that know the field, for a repetition those that accept the field once.
    """

    kind: Kind
    node: Node
    message: str
    text: str
    forks: int
    context: int


Types = dict[str, int]  # message type -> the forks in which a message has it
_Refusal = tuple[Kind, str, int, int]  # kind, words, the forks that refuse, those that might have accepted


@dataclass(slots=True)
class _Answer:
    """The answer for a field of that name and value, wherever it is in such a message."""

    refused: list[_Refusal]
    fitting: int
    singular: int
    inner: _Context | None


class _Context:
    """A message of certain types; it remembers its answers."""

    __slots__ = ("answers", "checker", "everyone", "message", "refusing", "required", "types")

    def __init__(self, checker: Checker, types: Types) -> None:
        schema = checker.schema
        self.checker = checker
        self.types = types
        self.everyone = 0
        for forks in types.values():
            self.everyone |= forks
        self.message = max(types, key=lambda name: bin(types[name]).count("1"))
        self.answers: Memo[tuple[str, str], _Answer] = Memo("what is said of a field", _ANSWERS)
        self.refusing: Memo[int, int] = Memo("forks that refuse something in a message", _ANSWERS)
        self.required = [
            (name, variant.forks & forks)
            for message, forks in types.items()
            for name in schema.required.get(message, ())
            for variant in schema.messages[message][name]
            if variant.label == "required" and variant.forks & forks
        ]

    def remember(self, block: Block, refusing: int) -> None:
        """Record that these forks refuse something in a message of this kind."""
        self.refusing.keep(shape_key(block), refusing)


@dataclass(slots=True)
class _Open:
    """A message being walked: what remains of it, in which forks each field was given, which refuse something."""

    rest: Iterator[tuple[int, Green]]
    node: Node
    context: _Context
    seen: dict[str, int]
    refusing: int = 0


_ANSWERS = 1 << 12


class Checker:
    """Checks files against a schema; it remembers its answers for fields and messages.

    Args:
        schema: of all forks that are consulted.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._contexts: dict[frozenset[tuple[str, int]], _Context] = {}

    def context(self, types: Types) -> _Context:
        """A message that has these types in these forks."""
        key = frozenset(types.items())
        if key not in self._contexts:
            self._contexts[key] = _Context(self, types)
        return self._contexts[key]


def problems(checker: Checker, document: Document, root: str, judging: int, asked: int = 0) -> Iterator[Problem]:
    """What is wrong, in file order: everything that no fork accepts, and the first thing that each fork stops at.

    Args:
        checker: what the file is checked against.
        document: the file.
        root: type of the whole: ``NetParameter`` or ``SolverParameter``.
        judging: the forks that are consulted.
        asked: those of them for which everything that they refuse is reported.
    """
    sought = _Sought(judging, asked, everyone=1 << len(checker.schema.forks))
    stack = [_opened(document.root, checker.context({root: judging}))]
    while stack:
        top = stack[-1]
        context, seen = top.context, top.seen
        for index, item in top.rest:
            if isinstance(item, Trivia):
                continue
            answer = context.answers.get((item.name, _form(item))) or _answer(context, top.node, index, item)
            before = seen.get(item.name, 0)
            seen[item.name] = before | answer.fitting
            again = before & answer.fitting
            for refusal in _repeated(answer, item.name, again) if again & answer.singular else answer.refused:
                if sought.counts(top, refusal):
                    yield _problem(top, top.node.child(index), refusal)
            if answer.inner is None or not isinstance(item, Block):
                continue
            known = answer.inner.refusing.get(shape_key(item))
            if known is None or known & sought.forks:
                stack.extend(_messages(top.node.child(index), answer.inner))
                break
            top.refusing |= known
        else:
            stack.pop()
            for refusal in _missing(top):
                if sought.counts(top, refusal):
                    yield _problem(top, top.node, refusal)
            if stack:
                context.remember(top.node.block, top.refusing)
                stack[-1].refusing |= top.refusing  # also of a list's next message, which does no harm


class _Sought:
    """The forks whose next problem is reported.

    Args:
        judging: the forks that are consulted: for each, the first problem.
        asked: those for which all problems are reported.
        everyone: a bit added to the refusing forks if every fork that could accept refuses.
    """

    __slots__ = ("_asked", "_everyone", "forks")

    def __init__(self, judging: int, asked: int, everyone: int) -> None:
        self.forks = judging | everyone | asked
        self._asked = asked
        self._everyone = everyone

    def counts(self, top: _Open, refusal: _Refusal) -> bool:
        """Whether a refusal is reported; it is recorded in any case."""
        _, _, forks, knowing = refusal
        refusing = forks | (self._everyone if forks == knowing else 0)
        top.refusing |= refusing
        if not refusing & self.forks:
            return False
        self.forks &= ~forks | self._asked
        return True


def _problem(top: _Open, node: Node, refusal: _Refusal) -> Problem:
    kind, text, forks, knowing = refusal
    return Problem(kind=kind, node=node, message=top.context.message, text=text, forks=forks, context=knowing)


def _repeated(answer: _Answer, name: str, again: int) -> list[_Refusal]:
    """What is wrong with a field that was given before in these forks."""
    text = f'Non-repeated field "{name}" is specified multiple times.'
    return [*answer.refused, (Kind.REPEATED, text, again & answer.singular, again)]


def _missing(top: _Open) -> Iterator[_Refusal]:
    """The required fields that a message lacks."""
    for name, forks in top.context.required:
        if name not in top.seen:
            yield Kind.MISSING, f"Message missing required fields: {name}", forks, top.context.everyone


def _messages(node: Node, context: _Context) -> list[_Open]:
    """A message, or those of a list, last one first."""
    elements = list(node.children()) if node.is_list else [node]
    return [_opened(element, context) for element in reversed(elements) if element.is_message]


def _opened(node: Node, context: _Context) -> _Open:
    return _Open(iter(enumerate(node.block.items)), node, context, {})


def _form(item: Field | Block) -> str:
    """What an answer depends on in addition to the name; for a valid string, not on its content."""
    if isinstance(item, Field):
        return '"' if item.value[0] in "\"'" else item.value
    return item.kind


def _answer(context: _Context, parent: Node, index: int, item: Field | Block) -> _Answer:
    """An answer that is not remembered yet."""
    answer = _judge(context, parent.child(index))
    form = _form(item)
    if form == "[" or (form == '"' and answer.refused):
        return answer  # it mentions the content
    return context.answers.keep((item.name, form), answer)


def _judge(context: _Context, node: Node) -> _Answer:
    """What is wrong with a field, and the types of its message."""
    schema = context.checker.schema
    known = fitting = singular = 0
    inner: Types = {}
    words = ""
    kind = Kind.WRONG_TYPE
    for message, forks in context.types.items():
        for variant in schema.messages.get(message, {}).get(node.name, ()):
            here = variant.forks & forks
            if not here:
                continue
            known |= here
            if variant.label != "repeated":
                singular |= here
            reason, why, fits = _fits(schema, variant, node, here)
            fitting |= fits
            if fits != here and not words:
                words, kind = reason, why
            if variant.kind == "message" and fits:
                inner[variant.type] = inner.get(variant.type, 0) | fits
    refused = []
    if context.everyone & ~known:
        text = f'Message type "caffe.{context.message}" has no field named "{node.name}".'
        refused.append((Kind.UNKNOWN_FIELD, text, context.everyone & ~known, context.everyone))
    if known & ~fitting:
        refused.append((kind, words, known & ~fitting, known))
    return _Answer(refused, fitting, singular, context.checker.context(inner) if inner else None)


def _fits(schema: Schema, variant: Variant, node: Node, forks: int) -> tuple[str, Kind, int]:
    """The parser's words, their kind, and the forks whose type the value fits."""
    if node.is_list:
        if variant.kind != "message" and not node.block.has_colon:
            return BARE_LIST, Kind.WRONG_TYPE, 0
        if variant.label != "repeated":
            return f"Expected {_wanted(variant)}, got: [", Kind.WRONG_TYPE, 0
        nodes = list(node.children())
    else:
        nodes = [node]
    words, kind = "", Kind.WRONG_TYPE
    for element in nodes:
        reason, why, forks = _element(schema, variant, element, forks)
        if reason and not words:
            words, kind = reason, why
    return words, kind, forks


def _element(schema: Schema, variant: Variant, node: Node, forks: int) -> tuple[str, Kind, int]:
    if node.is_message != (variant.kind == "message"):
        if node.is_message:
            return 'Expected ":", found "{".', Kind.WRONG_TYPE, 0
        return f'Expected "{{", found "{node.value}".', Kind.WRONG_TYPE, 0
    if node.is_message:
        return "", Kind.WRONG_TYPE, forks
    if variant.kind == "enum":
        return _enum(schema, variant, node, forks)
    if scalar_fits(variant.kind, node.value):
        return "", Kind.WRONG_TYPE, forks
    return _refusal(variant, node), Kind.WRONG_TYPE, 0


def _refusal(variant: Variant, node: Node) -> str:
    """The parser's words for a value of the wrong type."""
    value = node.value
    number = None if is_string(value) else integer_value(value)
    if variant.kind == "bool" and not is_string(value) and not value.startswith("-"):
        if number is not None:
            return f"Integer out of range ({value})"
        return f'Invalid value for boolean field "{node.name}". Value: "{value}".'
    if variant.kind in _RANGES and number is not None:
        if not (variant.kind.startswith("u") and value.startswith("-")):
            return f"Integer out of range ({value})"
    if value.startswith("-") and (variant.kind.startswith("u") or variant.kind in ("bool", "string", "bytes")):
        value = "-"
    return f"Expected {_wanted(variant)}, got: {value}"


def _enum(schema: Schema, variant: Variant, node: Node, forks: int) -> tuple[str, Kind, int]:
    value = node.value
    if is_string(value):
        return f"Expected integer or identifier, got: {value}", Kind.WRONG_TYPE, 0
    values = schema.enums.get(variant.type, {})
    number = integer_value(value)
    accepted = 0
    if number is None:
        for _, having in values.get(value, ()):
            accepted |= having
    else:
        for entries in values.values():
            for defined, having in entries:
                if defined == number:
                    accepted |= having
    text = f'Unknown enumeration value of "{value}" for field "{node.name}".'
    return (text if forks & ~accepted else ""), Kind.UNKNOWN_VALUE, forks & accepted


_RANGES = {
    "int32": (-(2**31), 2**31 - 1),
    "int64": (-(2**63), 2**63 - 1),
    "uint32": (0, 2**32 - 1),
    "uint64": (0, 2**64 - 1),
}
_TRUTHS = frozenset(("true", "True", "t", "false", "False", "f"))


def scalar_fits(kind: str, value: str) -> bool:
    """Whether a scalar as written is one of that type."""
    if kind in ("string", "bytes"):
        return is_string(value)
    if is_string(value):
        return False
    if kind == "bool":
        return value in _TRUTHS or (not value.startswith("-") and integer_value(value) in (0, 1))
    if kind in _RANGES:
        low, high = _RANGES[kind]
        number = integer_value(value)
        # Unsigned fields accept no minus sign, not even before 0.
        return number is not None and low <= number <= high and not (low == 0 and value.startswith("-"))
    return number_value(value) is not None and not is_radix(value)


def _wanted(variant: Variant) -> str:
    if variant.kind in _RANGES:
        return "integer"
    return {"string": "string", "bytes": "string", "bool": "identifier", "message": '"{"'}.get(
        variant.kind, "double"
    )
