"""What became of a file: plain facts, without nodes, for reports and for other processes."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from caffefix.caffe.change import Change
from caffefix.caffe.roles import Role
from caffefix.findings import Applicability, Severity


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
    the fix in a few words, empty without one.
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
        unsafe: diffs of fixes that were not applied for being unsafe.
        role: what the file is for; None if it was not parsed.
        delta: what changes in the meaning; told on request only.
        suppressed: findings that comments in the file silence.
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
