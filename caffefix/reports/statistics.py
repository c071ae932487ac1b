"""How often each finding occurs: a table for people, an object for programs."""

from __future__ import annotations

import json
from collections.abc import Callable

from caffefix._startup.records import dataclass
from caffefix.findings import Applicability
from caffefix.results import Diagnostic, FileResult

VERSION = 1


@dataclass(slots=True)
class Row:
    """Counts of one finding.

    Attributes:
        fixed: findings that a repair fixes.
        left: findings that remain, without a fix or with one that was not applied.
        unsafe: findings whose unsafe fix the repair does not apply.
        suppressed: findings that a comment silences.
        files: files with such a finding, suppressed or not.
    """

    fixed: int = 0
    left: int = 0
    unsafe: int = 0
    suppressed: int = 0
    files: int = 0

    @property
    def total(self) -> int:
        """How often the finding occurs."""
        return self.fixed + self.left + self.unsafe + self.suppressed

    def counts(self) -> tuple[int, ...]:
        """The numbers, in the order of the table."""
        return self.fixed, self.left, self.unsafe, self.suppressed, self.files


_COLUMNS = ("fixed", "left", "unsafe", "suppressed", "files")


class Statistics:
    """Counts over all files; memory does not grow with their number."""

    def __init__(self, *, notes: bool) -> None:
        self._notes = notes
        self._rows: dict[str, Row] = {}

    def add(self, result: FileResult) -> None:
        """Count one file."""
        shown = [d for d in result.findings if self._counts(d)]
        silent = [d for d in result.suppressed if self._counts(d)]
        for name in {d.name for d in (*shown, *silent)}:
            self._rows.setdefault(name, Row()).files += 1
        for d in shown:
            row = self._rows[d.name]
            if d.applied:
                row.fixed += 1
            elif d.applicability is Applicability.UNSAFE:
                row.unsafe += 1
            else:
                row.left += 1
        for d in silent:
            self._rows[d.name].suppressed += 1

    def _counts(self, d: Diagnostic) -> bool:
        return self._notes or not d.is_note

    def rows(self) -> list[tuple[str, Row]]:
        """The findings that occur, the most common first."""
        return sorted(self._rows.items(), key=lambda item: (-item[1].total, item[0]))

    def text(self, paint: Callable[[str, str], str]) -> str:
        """The table; empty if nothing was found."""
        rows = self.rows()
        if not rows:
            return ""
        heads = ("to fix", *_COLUMNS[1:])
        width = max(len("finding"), *(len(name) for name, _ in rows))
        lines = [paint("  ".join((f"{'finding':<{width}}", *(f"{h:>{_wide(h)}}" for h in heads))), "path")]
        for name, row in rows:
            numbers = (f"{n or '-':>{_wide(h)}}" for n, h in zip(row.counts(), heads, strict=True))
            lines.append("  ".join((f"{name:<{width}}", *numbers)))
        return "".join(f"{line}\n" for line in lines)

    def json(self, files: int, failed: int) -> str:
        """The object that docs/json.md describes."""
        found = [{"name": name, **dict(zip(_COLUMNS, row.counts(), strict=True))} for name, row in self.rows()]
        report = {"version": VERSION, "files": files, "failed": failed, "statistics": found}
        return json.dumps(report, indent=1) + "\n"


def _wide(head: str) -> int:
    return max(len(head), 6)
