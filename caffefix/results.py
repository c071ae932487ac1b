"""The result for a file: plain facts, without nodes, for reports and for other processes."""

from __future__ import annotations

import enum

from caffefix._startup.records import dataclass
from caffefix.caffe.change import Change
from caffefix.caffe.roles import Role
from caffefix.findings import Applicability, Severity


class FailOn(enum.Enum):
    """What makes a run fail, besides files that cannot be read, parsed, proved or written."""

    NEVER = "never"
    ERROR = "error"  # a finding of severity error remains
    WARNING = "warning"  # a finding of severity error or warning remains
    CHANGE = "change"  # a finding of severity error remains, or a file changes


class Status(enum.Enum):
    """What was done with a file."""

    CLEAN = "clean"
    CHANGED = "changed"
    WOULD_CHANGE = "would-change"
    REFUSED = "refused"  # a fix failed a proof; the file is unchanged
    ERROR = "error"  # not read, not parsed or not written

    @property
    def failed(self) -> bool:
        return self in (Status.REFUSED, Status.ERROR)


@dataclass(frozen=True, slots=True)
class FindingKey:
    """What a finding is known by in one text: its name, its place, and the layer that it concerns."""

    name: str
    line: int
    column: int
    layer: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """A finding at its place in the original file.

    Lines and columns count from 1, columns in characters; the end is exclusive. ``title`` is
    the fix in a few words, empty without a fix. ``source`` is the text from the place to the end of
    the line, at most 160 characters. ``fix`` numbers the file's fixes that are not applied, from 1:
    findings that share a fix have the same number; 0 means no fix, or one that is applied.
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
    fix: int = 0

    @property
    def is_note(self) -> bool:
        """Whether it is shown only on request: it has no consequences, and nothing is done about it."""
        return self.severity is Severity.INFO and not self.applied and self.applicability is not Applicability.SAFE

    @property
    def key(self) -> FindingKey:
        """What it is known by."""
        return FindingKey(self.name, self.line, self.column, self.layer)

    @property
    def risk(self) -> str:
        """Whether there is a fix, and when it may be applied."""
        if self.severity is Severity.INFO and self.applicability is not Applicability.SAFE:
            return "note"
        return "no fix" if self.applicability is Applicability.DISPLAY else self.applicability.value


@dataclass(frozen=True, slots=True)
class Gate:
    """What makes a run fail.

    Attributes:
        on: what the user chose; None for a finding of severity error, and with ``check`` also for a change.
        check: whether the run only reports: then nothing is fixed, and what would be fixed also remains.
    """

    on: FailOn | None = None
    check: bool = False

    @property
    def changes(self) -> bool:
        """Whether a file that changes, or would change, is a failure."""
        return self.on is FailOn.CHANGE or (self.on is None and self.check)

    def fails(self, d: Diagnostic) -> bool:
        """Whether a finding is a failure."""
        if d.applied and self.changes:
            return True
        if (d.applied and not self.check) or self.on is FailOn.NEVER:
            return False
        return d.severity is Severity.ERROR or (self.on is FailOn.WARNING and d.severity is Severity.WARNING)

    def status(self, result: FileResult) -> int:
        """A file's exit status: 0, 1 or 2; the run has the highest of its files."""
        if result.status.failed:
            return 2
        changed = result.new is not None and self.changes
        return int(changed or any(map(self.fails, result.findings)))


@dataclass(frozen=True, slots=True)
class Replacement:
    """Text of the original that is replaced by ``new``; places as in a ``Diagnostic``."""

    line: int
    column: int
    end_line: int
    end_column: int
    new: str


@dataclass(frozen=True, slots=True)
class LineChange:
    """Whole lines of the original, including the last, that are replaced by ``new``.

    ``new`` has no line end after its last line; if it is empty, the lines are deleted.
    """

    line: int
    end_line: int
    new: str


@dataclass(frozen=True, slots=True)
class TextFix:
    """What a repair changes in the text, for one finding or for several that share edits.

    All of a file's fixes together are the repair, and only the whole repair is proved.

    Attributes:
        findings: which of the file's findings, by index, in order.
        replacements: sorted and disjoint, also from those of the file's other fixes.
        lines: the same as one change of a few whole lines, for reviewers to accept or reject; None where
            the fix is scattered or another fix is in between.
    """

    findings: tuple[int, ...]
    replacements: tuple[Replacement, ...]
    lines: LineChange | None


@dataclass(frozen=True, slots=True)
class Choice:
    """A fix that can be accepted or declined by itself, with what cannot be separated from it.

    Attributes:
        findings: indexes of its findings.
        diff: what it changes: in the original, or in the repaired file if it is an unsafe fix that was left out.
    """

    findings: tuple[int, ...]
    diff: bytes


@dataclass(frozen=True, slots=True)
class Silenced:
    """A finding that gets a comment which silences it.

    Attributes:
        key: the finding's.
        reason: why, as it is written to the file: one line, one character per byte.
    """

    key: FindingKey
    reason: str


@dataclass(frozen=True, slots=True)
class Decisions:
    """What a user decided about single findings.

    Attributes:
        declined: findings whose fixes are not applied, including those that are silenced.
        allowed: findings whose unsafe fixes are applied.
        silenced: findings that get a comment.
        only: the findings whose fixes may be applied; None for all that are not declined.
    """

    declined: frozenset[FindingKey] = frozenset()
    allowed: frozenset[FindingKey] = frozenset()
    silenced: tuple[Silenced, ...] = ()
    only: frozenset[FindingKey] | None = None

    def apply(self, key: FindingKey, *, selected: bool) -> bool:
        """Whether a finding's fix is applied.

        Args:
            key: the finding's.
            selected: whether its fix would be applied without any decision.
        """
        if key in self.allowed:
            return True
        return selected and key not in self.declined and (self.only is None or key in self.only)


@dataclass(frozen=True, slots=True)
class RepairStep:
    """What one fixer's visit changes in a file.

    Attributes:
        round: the number of its round, from 0.
        runs_in: the pass of the fixer; steps of all files are in the order of (round, pass, name).
        name: of the fixer.
        diff: unified diff from the result of the steps before it.
        findings: how many findings it fixed.
    """

    round: int
    runs_in: int
    name: str
    diff: bytes
    findings: int


@dataclass(frozen=True, slots=True)
class FileResult:
    """The result for one file.

    Attributes:
        path: the file's name as given.
        status: what was done with it.
        reason: why it failed; otherwise empty.
        findings: in file order.
        diff: unified diff from old to new, as bytes; empty if nothing changes.
        new: the file's new content; None if nothing changes.
        unsafe: diffs of the fixes that were not applied because they are unsafe; each contains as many as do not
            overlap.
        role: what the file is for; None if it was not parsed.
        delta: what changes in meaning; only on request.
        suppressed: findings that comments in the file silence.
        fixes: what the repair changes in the text; only on request.
        line: the place of the reason, counted from 1; 0 if the reason has no place in the file.
        column: likewise.
        steps: the diff fixer by fixer; only on request.
        forks: names of the forks whose parsers accept the file; None if it is neither net nor solver.
            Only on request.
        skipped: names of patches that did not check the file because of its old format.
        digest: of the content that was read, if there is new content to replace it (BLAKE2b, 16 bytes).
        choices: the fixes to decide about; only on request.
        trouble: why the .proto file of its repository could not be used to judge it; empty if it could, or if
            there is no such file.
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
    steps: tuple[RepairStep, ...] = ()
    forks: tuple[str, ...] | None = None
    skipped: tuple[str, ...] = ()
    digest: bytes = b""
    trouble: str = ""
    choices: tuple[Choice, ...] = ()
