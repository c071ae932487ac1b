"""What the schema findings share: problems that no known fork lets pass, and safe respellings.

A fork's field is never called a mistake: only what no fork that knows the message around it
accepts is a problem here. A respelling is safe if the file could not load, there is one
candidate, and some fork accepts the file once all such respellings are made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from caffefix.caffe.dialect import judge
from caffefix.caffe.net import Generation
from caffefix.caffe.typecheck import Kind, Problem
from caffefix.findings import Applicability, Finding, Fix, Severity, Subject
from caffefix.syntax.edits import Edit, Replace
from caffefix.syntax.lowering import apply, lower
from caffefix.syntax.parse import parse
from caffefix.syntax.tree import Node


def universal(subject: Subject, kind: Kind) -> Iterator[Problem]:
    """Problems of a kind that stop every fork (or the one that the user named)."""
    verdict = subject.verdict
    if verdict is None or any(Generation.V0 in net.generations for net in subject.all_nets):
        return
    named = subject.forks if subject.options.dialect else 0
    for problem in verdict.problems:
        if problem.kind is not kind:
            continue
        if problem.forks & named if named else problem.forks == problem.context:
            yield problem


def loads_with(subject: Subject, edits: Iterable[Edit]) -> bool:
    """Whether some fork accepts the file once the edits are made."""
    text = apply(subject.document.text, lower(subject.document, list(edits)))
    verdict = judge(parse(text))
    return verdict is not None and bool(verdict.accepting)


def finding(name: str, subject: Subject, problem: Problem, message: str, fix: Fix | None = None) -> Finding:
    """A finding at a problem, with the name of the layer around it."""
    layer = ""
    for node in (problem.node, *problem.node.ancestors()):
        if node.name in ("layer", "layers"):
            layer = node.string("name") or ""
    # Without a mend it may be right in a fork that is not among the known ones.
    severity = Severity.WARNING if fix is None else Severity.ERROR
    return Finding(name, severity, message, problem.node, layer, fix)


def safe(edit: Edit, title: str) -> Fix:
    """A respelling that is safe because the file could not load."""
    return Fix((edit,), Applicability.SAFE, title)


def respelt(node: Node, text: str, title: str) -> Fix | None:
    """Another text for a string, in its quotes; None where it is in pieces over lines: they may have comments."""
    if "\n" in node.value:
        return None
    return safe(Replace(node, f"{node.value[0]}{text}{node.value[0]}"), title)


def respelling(word: str, candidates: Iterable[str]) -> str | None:
    """The one candidate that is the word but for case, or else but for one letter; None if not one."""
    names = list(dict.fromkeys(candidates))
    folded = [name for name in names if name.lower() == word.lower()]
    if folded:
        return folded[0] if len(folded) == 1 else None
    near = [name for name in names if _one_letter(word, name)] if len(word) > 3 else []
    return near[0] if len(near) == 1 else None


def _one_letter(a: str, b: str) -> bool:
    """Whether one letter added, left out, changed, or two neighbours swapped make b of a."""
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
