"""A repair in stages: what each fixer's visit changes, as a diff against what the visits before it left.

All files agree on the order of (round, phase, name), so that the same stages of many files make one
patch, and the patches a series.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from caffefix._startup.records import dataclass, field, replace
from caffefix.engine.applier import ApplyError, apply_diff
from caffefix.engine.proof import ProofError
from caffefix.results import Stage
from caffefix.syntax.diff import unified
from caffefix.syntax.lowering import TextEdit
from caffefix.syntax.piecetable import PieceTable

# What to call an offset in a hunk's header.
Title = Callable[[int], str]


@dataclass(slots=True)
class _Step:
    round: int
    phase: int
    name: str
    table: PieceTable
    title: Title
    findings: int


@dataclass(slots=True)
class Stages:
    """Keeps what each visit does.

    Attributes:
        table: the text before the visit under way, and its edits.
    """

    table: PieceTable
    _steps: list[_Step] = field(default_factory=list)

    def apply(self, edits: Sequence[TextEdit]) -> None:
        """The visit edits the text."""
        self.table.apply(edits)

    def end(self, round_: int, phase: int, name: str, title: Title, findings: int) -> None:
        """The visit is over.

        Args:
            round_: in which round it was, from 0.
            phase: of the fixer.
            name: of the fixer.
            title: what to call places of the text before the visit.
            findings: how many it fixed.
        """
        self._steps.append(_Step(round_, phase, name, self.table, title, findings))
        self.table = PieceTable(self.table.text())

    def results(self, path: str, old: bytes, new: bytes) -> tuple[Stage, ...]:
        """The stages, proved to lead from old to new.

        Args:
            path: the file's name in the diffs, its bytes one character each.
            old: the file as it was.
            new: the file repaired.

        Raises:
            ProofError: they do not.
        """
        stages = []
        text = old
        for step in self._steps:
            edits = [replace(edit, labels=(step.name,)) for edit in step.table.edits()]
            diff = unified(path, step.table.original, edits, step.title).encode("latin-1")
            stages.append(Stage(step.round, step.phase, step.name, diff, step.findings))
            try:
                text = apply_diff(text, diff)
            except ApplyError as error:
                raise ProofError(f"the stages do not apply one by one: {step.name}: {error}") from None
        if text != new:
            raise ProofError("the stages do not give the result")
        return tuple(stages)
