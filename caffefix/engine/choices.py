"""A repair as choices: each fix with its own diff, for people who decide one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from caffefix.engine.compatible import distinct
from caffefix.engine.diffs import NUMBER, Titles, in_diffs, named
from caffefix.engine.text_fixes import separate
from caffefix.findings import Applicability, Finding, Severity
from caffefix.results import Diagnostic
from caffefix.syntax.diff import unified
from caffefix.syntax.lowering import lower
from caffefix.syntax.piecetable import ComposedEdit, PieceTable
from caffefix.syntax.tree import Document


def applied(
    original: Document,
    edits: Sequence[ComposedEdit],
    findings: Sequence[Diagnostic],
    fixed: Mapping[str, Sequence[Diagnostic]],
    path: str,
) -> Iterator[tuple[tuple[int, ...], bytes]]:
    """The fixes that were applied: indexes of their findings, and what each changes in the original by itself.

    Args:
        original: the file.
        edits: the whole repair; their labels name the fixes that made them.
        findings: of the file.
        fixed: the findings of each label.
        path: the file's name in the diffs.
    """
    title = Titles(original)
    for members, mine in separate(edits, findings, fixed):
        diff = unified(in_diffs(path), original.text, named(mine), title)
        if diff:
            yield members, diff.encode("latin-1")


def left_out(repaired: Document, left: Iterable[Finding], path: str) -> Iterator[tuple[list[Finding], bytes]]:
    """The unsafe fixes that were not applied: their findings, and what each changes in the repaired file.

    Notes are left out: what they report may well be intended.
    """
    told = [f for f in left if f.severity is not Severity.INFO and f.applicability is Applicability.UNSAFE]
    title = Titles(repaired)
    owners: dict[int, list[Finding]] = {}
    for f in told:
        owners.setdefault(id(f.fix), []).append(f)
    for fix in distinct(f.fix for f in told):
        members = owners[id(fix)]
        table = PieceTable(repaired.text)
        table.apply(lower(repaired, fix.edits, f"{members[0].name}{NUMBER}0"))
        diff = unified(in_diffs(path), repaired.text, named(table.edits()), title)
        if diff:
            yield members, diff.encode("latin-1")
