"""Code shared by the schema findings: problems in every known fork, and safe respellings.

A fork's field is never called a mistake: only what is refused by every fork that knows the message
around it is a problem here. A respelling is safe if the file could not load, there is one
candidate, and some fork accepts the file once all such respellings are made.

Nearly all real files with a field that no table lists are for an unknown fork: a name that
resembles none of those possible at its place is a note, not a warning, and turns everything else
that is refused in the file into notes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

from caffefix.caffe.dialect import judge
from caffefix.caffe.net import Generation
from caffefix.caffe.schema import load
from caffefix.caffe.typecheck import BARE_LIST, Kind, Problem
from caffefix.findings import Applicability, Finding, Fix, Severity, Subject
from caffefix.fixers._parameters import asked_for
from caffefix.syntax.edits import Edit, Replace
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import parse
from caffefix.syntax.scalars import is_string, number_value
from caffefix.syntax.tree import Node

# Fields of a message, or values of an enum, with which a word is compared; real ones have 200.
_COMPARED = 1000
# How alike two names must be (difflib's ratio) for one to be meant by the other.
_ALIKE = 0.9


def universal(subject: Subject, kind: Kind) -> Iterator[Problem]:
    """Problems of a kind that stop every fork (or the fork that the user named)."""
    if not any(Generation.V0 in net.generations for net in subject.all_nets):
        yield from (problem for problem in subject.refused if problem.kind is kind)


def loads_with(subject: Subject, edits: Iterable[Edit]) -> bool:
    """Whether some fork, or the fork that the file is for, accepts the file once the edits are made."""
    text = apply(subject.document.text, lower(subject.document, list(edits)))
    verdict = judge(parse(text), caffes=subject.caffes)
    return verdict is not None and bool(verdict.accepting & (subject.named or ~0))


def elsewhere(subject: Subject) -> bool:
    """Whether the file is for something unknown: another fork, or a program that fills it in.

    Never if it is known which Caffe the file is for.
    """
    if subject.named:
        return False
    known: bool | None = subject.document.memory.get("elsewhere")
    if known is None:
        known = any(is_foreign(subject, p) for kind in (Kind.UNKNOWN_FIELD, Kind.UNKNOWN_VALUE, Kind.WRONG_TYPE)
                    for p in universal(subject, kind))  # fmt: skip
        subject.document.memory["elsewhere"] = known
    return known


def of_unknown_fork(subject: Subject) -> Problem | None:
    """The first problem in a file that only an unknown fork could accept; None without such a problem.

    Templates that a program fills in do not count. Always None if it is known which Caffe the file is for.
    """
    if subject.named:
        return None
    kinds = (Kind.UNKNOWN_FIELD, Kind.UNKNOWN_VALUE)
    found = [p for kind in kinds for p in universal(subject, kind) if is_foreign(subject, p)]
    found += [p for p in universal(subject, Kind.REPEATED) if lists_sources(p.node)]
    return min(found, key=lambda p: p.node.offset, default=None)


def having(problem: Problem) -> list[str]:
    """The forks that have an unknown field in this very message (but not the context, or not the named fork)."""
    variants = load().messages.get(problem.message, {}).get(problem.node.name, ())
    forks = 0
    for variant in variants:
        forks |= variant.forks
    return load().names(forks)


def lists_sources(node: Node) -> bool:
    """Whether a field is one of several databases, all different."""
    if node.name != "source" or node.parent is None:
        return False
    names = [other.value for other in node.parent.fields("source")]
    return len(set(names)) == len(names)


def is_foreign(subject: Subject, problem: Problem) -> bool:
    """Whether nobody would write this by mistake.

    That is a name or word like no other, a field that forks have in this very message, a list in place of one
    value, or a name in place of a number.
    """
    node = problem.node
    if problem.kind is Kind.UNKNOWN_FIELD:
        if is_near(problem) or asked_for(problem):
            return False
        # (What layers had before 2013 is not a fork's: LayerParameter was a different message then.)
        is_elsewhere = problem.message != "LayerParameter" and bool(having(problem))
        return is_elsewhere or not like(subject, node.name, problem.message)
    if problem.kind is Kind.UNKNOWN_VALUE:
        return not node.is_list and number_value(node.value) is None and not like_value(subject, problem)
    if problem.kind is not Kind.WRONG_TYPE or node.is_message:
        return False
    is_list = node.is_list and problem.text != BARE_LIST
    return is_list or (problem.text.startswith(_NUMBER) and is_name(node))


def is_near(problem: Problem) -> bool:
    """Whether the field belongs to a message around this one, inside it, or next to it in the file.

    A field of that name in a distant message means nothing: forks use the same words.
    """
    schema, node = load(), problem.node
    if node.name in ("weight_filler", "bias_filler"):
        return True  # these have the same names everywhere
    bvlc = schema.bit("bvlc")
    around = list(node.ancestors())[1:]
    beside = {child.name for child in around[0].children() if child.is_message} if around else set()
    if problem.message.endswith("DataParameter"):
        beside.add("transform_param")
    layer = schema.messages["LayerParameter"]
    near = {v.type for name in beside for v in layer.get(name, ())} | _inner(problem.message)
    if problem.message == "V1LayerParameter":
        near |= _inner("LayerParameter")
    if (around or problem.message == "V1LayerParameter") and not _is_of_another_type(node):
        near |= {"LayerParameter", "NetParameter", "SolverParameter"}
    return any(
        variant.forks & bvlc for message in near for variant in schema.messages.get(message, {}).get(node.name, ())
    )


def _is_of_another_type(node: Node) -> bool:
    """Whether a message belongs to another type than the layer's: a fork's layers may do the work of two."""
    layer = next((n for n in node.ancestors() if n.name in ("layer", "layers")), None)
    if layer is None or not node.name.endswith("_param") or node.name in ("transform_param", "loss_param"):
        return False
    kind = (layer.string("type") or layer.scalar("type") or "").replace("_", "").lower()
    return node.name.removesuffix("_param").replace("_", "") != kind


@cache
def _inner(message: str) -> frozenset[str]:
    """The types of the messages in a message, and in those, in BVLC's Caffe."""
    schema = load()
    bvlc = schema.bit("bvlc")
    found = {message}
    for _ in range(2):
        fields = [variants for name in found for variants in schema.messages.get(name, {}).values()]
        found |= {v.type for variants in fields for v in variants if v.kind == "message" and v.forks & bvlc}
    return frozenset(found - {message})


_NUMBER = ("Expected integer", "Expected double")


def is_name(node: Node) -> bool:
    """Whether a value is a name, such as that of a number to be filled in: ``num_output: classes``."""
    return not node.is_list and not is_string(node.value) and number_value(node.value) is None


def fields(subject: Subject, message: str) -> tuple[str, ...]:
    """The fields of a message, in any fork or in the fork that the file is for."""
    memory = subject.document.memory
    key = f"fields of {message} in {subject.named}"
    if key not in memory:
        known = subject.caffes.schema.messages.get(message, {})
        named = subject.named
        having = (name for name, variants in known.items() if not named or any(v.forks & named for v in variants))
        memory[key] = _few(having)
    found: tuple[str, ...] = memory[key]
    return found


def _few(names: Iterable[str]) -> tuple[str, ...]:
    """The names, if they are few enough to compare a word with each; otherwise none."""
    found = tuple(names)
    return found if len(found) <= _COMPARED else ()


def like(subject: Subject, word: str, message: str) -> str:
    """The field of a message that a word resembles; empty if it resembles none."""
    return _like(word, fields(subject, message))


@lru_cache(maxsize=1 << 10)
def _like(word: str, fields: tuple[str, ...]) -> str:
    suffix = "_param" if word.endswith("_param") else ""
    stems = {name.removesuffix(suffix): name for name in fields if name.endswith(suffix)}
    from difflib import get_close_matches

    near = get_close_matches(word.removesuffix(suffix), stems, 1, _ALIKE)
    return respelling(word, fields) or (stems[near[0]] if near else "")


def like_value(subject: Subject, problem: Problem) -> str:
    """The enum value that a word resembles, or of which it is a longer form (``AVERAGE``); empty if none."""
    word, known = problem.node.value, values(subject, problem)
    longer = [value for value in known if _is_longer(word.upper(), value) or _is_longer(value, word.upper())]
    return respelling(word, known) or (longer[0] if len(longer) == 1 else "")


def _is_longer(word: str, stem: str) -> bool:
    """Whether a word extends another without adding a second word (``INTEL_SPATIAL``)."""
    return word.startswith(stem) and "_" not in word[len(stem) :]


def values(subject: Subject, problem: Problem) -> list[str]:
    """The values that forks know for the field, BVLC's first; if the file's fork is known, only its values."""
    memory = subject.document.memory
    key = f"values of {problem.message}.{problem.node.name} in {subject.named}"
    if key not in memory:
        memory[key] = list(_few(_values(subject, problem)))
    found: list[str] = memory[key]
    return found


def _values(subject: Subject, problem: Problem) -> list[str]:
    schema, named = subject.caffes.schema, subject.named
    bvlc = schema.bit("bvlc")
    found: dict[str, bool] = {}
    for variant in schema.messages.get(problem.message, {}).get(problem.node.name, ()):
        for value, entries in schema.enums.get(variant.type, {}).items():
            if named and not any(forks & named for _, forks in entries):
                continue
            found[value] = found.get(value, False) or any(forks & bvlc for _, forks in entries)
    return sorted(found, key=lambda value: not found[value])


def finding(
    name: str, subject: Subject, problem: Problem, message: str, fix: Fix | None = None, *, likely: bool = False
) -> Finding:
    """A finding at a problem, with the name of the layer around it.

    Args:
        name: the name of the finding.
        subject: the file.
        problem: what is refused.
        message: the message of the finding.
        fix: the fix; with a fix, some known fork accepts the file.
        likely: whether this is a mistake even if the rest is for an unknown fork.
    """
    layer = ""
    for node in (problem.node, *problem.node.ancestors()):
        if node.name in ("layer", "layers"):
            layer = node.string("name") or ""
    # Without a fix, the problem may be valid in an unknown fork.
    severity = Severity.INFO if elsewhere(subject) and not likely else Severity.WARNING
    if fix is not None or subject.named:  # that Caffe certainly refuses it
        severity = Severity.ERROR
    return Finding(name, severity, message, problem.node, layer=layer, fix=fix)


def safe(edit: Edit, title: str, subject: Subject | None = None) -> Fix:
    """A respelling that is safe because the file could not load, in the repository's Caffe or any known fork."""
    loads = subject is not None and subject.own and subject.verdict is not None and subject.forks
    return Fix((edit,), Applicability.UNSAFE if loads else Applicability.SAFE, title)


def respelt(node: Node, text: str, title: str) -> Fix | None:
    """Another text for a string, in its quotes; None if its parts span lines, which may have comments."""
    if "\n" in node.value:
        return None
    return safe(Replace(node, f"{node.value[0]}{text}{node.value[0]}"), title)


def respelling(word: str, candidates: Iterable[str]) -> str | None:
    """The one candidate that equals the word except for case, or else one letter; None if not exactly one."""
    names = list(dict.fromkeys(candidates))
    folded = [name for name in names if name.lower() == word.lower()]
    if folded:
        return folded[0] if len(folded) == 1 else None
    near = [name for name in names if _one_letter(word, name)] if len(word) > 3 else []
    return near[0] if len(near) == 1 else None


def _one_letter(a: str, b: str) -> bool:
    """Whether one letter added, left out or changed, or two neighbours swapped, turns a into b."""
    if abs(len(a) - len(b)) > 1:
        return False
    head = 0
    while head < min(len(a), len(b)) and a[head] == b[head]:
        head += 1
    rest_a, rest_b = a[head:], b[head:]
    if len(a) == len(b):
        swapped = rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:]
        return rest_a[1:] == rest_b[1:] or swapped
    return rest_a[1:] == rest_b if len(a) > len(b) else rest_a == rest_b[1:]
