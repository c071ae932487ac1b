"""Suppressing today's findings: each gets a comment, and nothing else changes.

To the engine this is a fixer like the others, so the same proofs hold: the result parses, means
the same, keeps its comments, and a second run adds nothing, which shows that everything is suppressed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass, replace
from caffefix.caffe.family import Family
from caffefix.engine.repair import Request, repair
from caffefix.engine.run_fixers import run_fixers
from caffefix.findings import Applicability, Finding, Fix, Pass, Subject
from caffefix.fixers import Fixer
from caffefix.results import FileResult
from caffefix.syntax.edits import Remark
from caffefix.syntax.source import Source
from caffefix.syntax.style import begins_line
from caffefix.syntax.suppressions import written
from caffefix.syntax.tree import Node
from caffefix.zoo.config import EffectiveConfig

NAME = "suppress"


class ReasonError(Exception):
    """A reason that cannot be put into a comment; the message says why."""


def checked_reason(reason: str) -> str:
    """A reason as it is written to a file: one line, one character per byte.

    Raises:
        ReasonError: it is empty, has several lines, or would be read as another suppression.
    """
    reason = reason.strip()
    if not reason:
        raise ReasonError("give a reason: --reason 'weights are loaded by net surgery'")
    if not reason.isprintable():
        raise ReasonError("the reason must be a single line without control characters")
    if "#" in reason and "caffefix" in reason:
        raise ReasonError("the reason would itself be read as a suppression; leave out the #")
    return reason.encode("utf-8").decode("latin-1")


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
        return _comments(subject.document.text, shown, reason)

    adding = Fixer(NAME, Pass.REPAIR, find)
    return repair(source, request, diff_path, family, (adding,))


def _comments(document: str, shown: Sequence[Finding], reason: str) -> Iterator[Finding]:
    """Findings, each with the comment that silences it."""
    by_anchor: dict[Node, list[Finding]] = {}
    for finding in shown:
        by_anchor.setdefault(_anchor(document, finding.node), []).append(finding)
    # A comment on the file comes first, because it may be in the same place as one on the file's first field.
    for anchor in sorted(by_anchor, key=lambda node: node.parent is not None):
        names = tuple(dict.fromkeys(finding.name for finding in by_anchor[anchor]))
        text = written(names, reason, file=anchor.parent is None)
        fix = Fix((Remark(anchor, text),), Applicability.SAFE, "suppress")
        yield from (replace(finding, fix=fix) for finding in by_anchor[anchor])


def _anchor(text: str, node: Node) -> Node:
    """The node that the comment is put above: the field, or the nearest enclosing message that begins a line;
    if there is none, the root, which stands for the file."""
    while node.parent is not None and (node.in_list or not begins_line(text, node.start)):
        node = node.parent
    return node


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
