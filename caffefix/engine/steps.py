"""A repair in steps: what each fixer's visit changes, as a diff against what the visits before it left.

All files agree on the order of (round, pass, name), so that the same steps of many files make one
patch, and the patches a series.
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
    """Keeps what each visit does.

    Attributes:
        table: the text before the visit under way, and its edits.
    """

    table: PieceTable
    _visits: list[_Visit] = field(default_factory=list)

    def apply(self, edits: Sequence[TextEdit]) -> None:
        """The visit edits the text."""
        self.table.apply(edits)

    def end(self, round_: int, runs_in: int, name: str, title: Title, findings: int) -> None:
        """The visit is over.

        Args:
            round_: in which round it was, from 0.
            runs_in: the pass of the fixer.
            name: of the fixer.
            title: what to call places of the text before the visit.
            findings: how many it fixed.
        """
        self._visits.append(
            _Visit(round=round_, runs_in=runs_in, name=name, table=self.table, title=title, findings=findings)
        )
        self.table = PieceTable(self.table.text())

    def results(self, path: str, old: bytes, new: bytes) -> tuple[RepairStep, ...]:
        """The steps, proved to lead from old to new.

        Args:
            path: the file's name in the diffs, its bytes one character each.
            old: the file as it was.
            new: the file repaired.

        Raises:
            ProofError: they do not.
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
