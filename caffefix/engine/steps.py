"""A repair in steps: what each fixer's visit changes, as a diff against the result of the visits before it.

The order (round, pass, name) is the same in all files, so the same steps of many files form one
patch, and the patches form a series.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from caffefix._startup.records import dataclass, field, replace
from caffefix.engine.applier import ApplyError, apply_diff
from caffefix.engine.proof import ProofError
from caffefix.results import RepairStep
from caffefix.syntax.diff import unified
from caffefix.syntax.lowering import TextEdit
from caffefix.syntax.piecetable import PieceTable

# What to call an offset in a hunk's header.
Title = Callable[[int], str]


@dataclass(slots=True)
class _Visit:
    round: int
    runs_in: int
    name: str
    table: PieceTable
    title: Title
    findings: int


@dataclass(slots=True)
class RepairSteps:
    """Records what each visit does.

    Attributes:
        table: the text before the current visit, and its edits.
    """

    table: PieceTable
    _visits: list[_Visit] = field(default_factory=list)

    def apply(self, edits: Sequence[TextEdit]) -> None:
        """Record edits of the current visit."""
        self.table.apply(edits)

    def end(self, round_: int, runs_in: int, name: str, title: Title, findings: int) -> None:
        """End the current visit.

        Args:
            round_: the number of its round, from 0.
            runs_in: the pass of the fixer.
            name: of the fixer.
            title: what to call places of the text before the visit.
            findings: how many findings it fixed.
        """
        self._visits.append(
            _Visit(round=round_, runs_in=runs_in, name=name, table=self.table, title=title, findings=findings)
        )
        self.table = PieceTable(self.table.text())

    def results(self, path: str, old: bytes, new: bytes) -> tuple[RepairStep, ...]:
        """The steps, proved to lead from old to new.

        Args:
            path: the file's name in the diffs, one character per byte.
            old: the original file.
            new: the repaired file.

        Raises:
            ProofError: the steps do not lead from old to new.
        """
        steps = []
        text = old
        for visit in self._visits:
            edits = [replace(edit, labels=(visit.name,)) for edit in visit.table.edits()]
            diff = unified(path, visit.table.original, edits, visit.title).encode("latin-1")
            steps.append(RepairStep(visit.round, visit.runs_in, visit.name, diff, visit.findings))
            try:
                text = apply_diff(text, diff)
            except ApplyError as error:
                raise ProofError(f"the steps do not apply one by one: {visit.name}: {error}") from None
        if text != new:
            raise ProofError("the steps do not give the result")
        return tuple(steps)
