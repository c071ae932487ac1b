"""What became of a file: plain facts, without nodes, for reports and for other processes."""

from __future__ import annotations

import enum

from caffefix.caffe.change import Change
from caffefix.caffe.roles import Role
from caffefix.findings import Applicability, Severity
from caffefix.records import dataclass


class Status(enum.Enum):
    """What became of a file."""

    CLEAN = "clean"
    CHANGED = "changed"
    WOULD_CHANGE = "would-change"
    REFUSED = "refused"  # a fix failed a proof; the file is as it was
    ERROR = "error"  # not read, not parsed or not written

    @property
    def failed(self) -> bool:
        return self in (Status.REFUSED, Status.ERROR)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding at its place in the original file.

    Lines and columns count from 1, columns in characters; the end is exclusive. ``title`` is
    the fix in a few words, empty without one. ``source`` is the text from there to the end of
    the line, at most 160 characters of it.
    """

    name: str
    severity: Severity
    applicability: Applicability
    message: str
    line: int
    column: int
    end_line: int
    end_column: int
    layer: str
    applied: bool
    title: str = ""
    source: str = ""

    @property
    def is_note(self) -> bool:
        """Whether it is shown on request only: of no consequence, and nothing is done about it."""
        return self.severity is Severity.INFO and not self.applied and self.applicability is not Applicability.SAFE


@dataclass(frozen=True, slots=True)
class Replacement:
    """Text of the original that gives way to ``new``; places as in a ``Diagnostic``."""

    line: int
    column: int
    end_line: int
    end_column: int
    new: str


@dataclass(frozen=True, slots=True)
class LineChange:
    """Whole lines of the original, the last included, that give way to ``new``.

    ``new`` has no line end behind its last line; if it is empty, the lines go.
    """

    line: int
    end_line: int
    new: str


@dataclass(frozen=True, slots=True)
class TextFix:
    """What a repair changes in the text, for one finding or for several whose edits meet.

    All of a file's fixes together are the repair, and only that is proved.

    Attributes:
        findings: which of the file's findings, by index, in order.
        replacements: sorted and disjoint, also with those of the file's other fixes.
        lines: the same as one change of a few whole lines, for reviewers to take or leave; None where
            the fix is scattered or another one is in between.
    """

    findings: tuple[int, ...]
    replacements: tuple[Replacement, ...]
    lines: LineChange | None


@dataclass(frozen=True, slots=True)
class Stage:
    """What one fixer's visit changes in a file.

    Attributes:
        round: in which round it was, from 0.
        phase: of the fixer; stages of all files are in the order of (round, phase, name).
        name: of the fixer.
        diff: unified diff from what the stages before it left.
        findings: how many it fixed.
    """

    round: int
    phase: int
    name: str
    diff: bytes
    findings: int


@dataclass(frozen=True, slots=True)
class FileResult:
    """The outcome of one file.

    Attributes:
        path: the file's name as it was given.
        status: what became of it.
        reason: why it failed; empty otherwise.
        findings: in file order.
        diff: unified diff from old to new, as bytes; empty if nothing changes.
        new: the file's new content; None if nothing changes.
        unsafe: diffs of the fixes that were not applied for being unsafe; one holds all that fit together.
        role: what the file is for; None if it was not parsed.
        delta: what changes in the meaning; told on request only.
        suppressed: findings that comments in the file silence.
        fixes: what the repair changes in the text; told on request only.
        line: where the reason is, counted from 1; 0 if it is no place in the file.
        column: likewise.
        stages: the diff fixer by fixer; told on request only.
        forks: names of the forks whose parsers take the file; None if it is neither net nor solver.
            Told on request only.
    """

    path: str
    status: Status
    reason: str = ""
    findings: tuple[Diagnostic, ...] = ()
    diff: bytes = b""
    new: bytes | None = None
    unsafe: tuple[bytes, ...] = ()
    role: Role | None = None
    delta: tuple[Change, ...] = ()
    suppressed: tuple[Diagnostic, ...] = ()
    fixes: tuple[TextFix, ...] = ()
    line: int = 0
    column: int = 0
    stages: tuple[Stage, ...] = ()
    forks: tuple[str, ...] | None = None
