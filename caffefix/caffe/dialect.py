"""Which forks' parsers accept a file, and why the others do not; ``needs.py`` covers what they register."""

from __future__ import annotations

from caffefix._startup.records import dataclass
from caffefix.caffe.caffes import Caffes, known_caffes
from caffefix.caffe.roles import Role, file_role
from caffefix.caffe.schema import load
from caffefix.caffe.typecheck import NET, SOLVER, Problem, problems
from caffefix.syntax.tree import Document

# Declared by fixes that are safe because the file could not load: they may change all of it.
UNLOADABLE = "unloadable"


@dataclass(frozen=True, slots=True)
class DialectVerdict:
    """What the parsers of all known forks say about a file.

    Attributes:
        problems: in file order, everything that no fork accepts, and the first thing that each fork stops at.
        accepting: the forks whose parser accepts the file.
        reasons: for each of the others, by name, what its parser stops at.
        caffes: those that were consulted.
    """

    problems: tuple[Problem, ...]
    accepting: int
    reasons: dict[str, Problem]
    caffes: Caffes

    def accepted_by(self, fork: str) -> bool:
        """Whether a fork's parser accepts the file."""
        return bool(self.accepting & load().bit(fork))


def root_type(document: Document) -> str | None:
    """``NetParameter`` or ``SolverParameter``; None for a file that is neither, or only a part of a layer."""
    kind = file_role(document)
    if kind is Role.SOLVER:
        return SOLVER
    is_part = kind is Role.SNIPPET and not document.root.names() & {"layer", "layers"}
    return None if is_part or kind is Role.OTHER else NET


def judge(document: Document, asked: int = 0, caffes: Caffes | None = None) -> DialectVerdict | None:
    """The verdict on a file; None for a file that is neither net nor solver.

    Args:
        document: the file.
        asked: forks for which all problems are reported.
        caffes: those that are consulted; by default the known ones.
    """
    root = root_type(document)
    if root is None:
        return None
    caffes = caffes or known_caffes()
    accepting = caffes.judging(root)
    found = tuple(problems(caffes.checker, document, root, accepting, asked & accepting))
    reasons: dict[str, Problem] = {}
    for problem in found:
        failing = accepting & problem.forks
        if not failing:
            continue
        for name in caffes.schema.names(failing):
            reasons[name] = problem
        accepting &= ~failing
    return DialectVerdict(found, accepting, reasons, caffes)
