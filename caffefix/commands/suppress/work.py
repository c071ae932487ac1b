"""Suppressing today's findings: each gets a comment, and nothing else changes.

To the engine this is a fixer like the others, so the same proofs hold: the result parses, means
the same, keeps its comments, and a second run adds nothing, which shows that everything is suppressed.
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.records import dataclass
from caffefix.caffe.family import Family
from caffefix.engine.remarks import remarks
from caffefix.engine.repair import SILENCING, Request, repair
from caffefix.engine.run_fixers import run_fixers
from caffefix.findings import Finding, Pass, Subject
from caffefix.fixers import Fixer
from caffefix.results import FileResult
from caffefix.syntax.source import Source
from caffefix.zoo.config import EffectiveConfig


def suppress(
    source: Source, request: Request, reason: str, diff_path: str, family: Family | None = None
) -> FileResult:
    """Add a suppression for each finding of a file, in memory.

    Notes are not suppressed unless the settings in force would fix them, nor are findings about suppressions.

    Args:
        source: the file.
        request: what is checked for.
        reason: why it is suppressed, as returned by ``checked_reason``.
        diff_path: the file's name in the diff.
        family: the other files in the file's folder; none by default.
    """
    looking = [fixer for fixer in request.selection.fixers() if fixer.runs_in is not Pass.TIDY]

    def find(subject: Subject) -> Iterator[Finding]:
        found = (f for one in run_fixers(subject, looking) for f in one.shown)
        shown = [f for f in found if not f.is_note or request.selection.applies(f)]
        return remarks(subject.document.text, shown, reason)

    adding = Fixer(SILENCING, Pass.REPAIR, find)
    return repair(source, request, diff_path, family, (adding,))


@dataclass(frozen=True, slots=True)
class Suppressing:
    """Add comments that silence what is found, with a reason as returned by ``checked_reason``."""

    reason: str

    def __call__(self, source: Source, in_force: EffectiveConfig, name: str, family: Family) -> FileResult:
        """Add them to one file, in memory."""
        return suppress(source, in_force.request(), self.reason, name, family)

    def asked(self, in_force: EffectiveConfig) -> str:
        """Empty: this is done only once, so results are not cached."""
        return ""
