"""The report of ``caffefix suppress``, as text for people."""

from __future__ import annotations

from collections import Counter

from caffefix.reports.as_text import Paint, plain
from caffefix.results import FileResult, Status


def render_file(result: FileResult, paint: Paint = plain) -> str:
    """A line for a file in which findings were suppressed; empty for any other file."""
    if result.status.failed:
        return f"{paint('error', 'error')}: {result.reason}\n"
    counts = Counter(d.name for d in result.findings if d.applied)
    if not counts:
        return ""
    names = ", ".join(name if count == 1 else f"{name} ×{count}" for name, count in counts.items())
    return f"{paint(result.path, 'path')}: suppressed {names}\n"


class Summary:
    """Counts over all files."""

    def __init__(self) -> None:
        self.files = self.changed = self.to_change = self.suppressed = self.failed = 0

    def add(self, result: FileResult) -> None:
        """Count one file."""
        self.files += 1
        self.failed += result.status.failed
        self.changed += result.status is Status.CHANGED
        self.to_change += result.status is Status.WOULD_CHANGE
        self.suppressed += sum(d.applied for d in result.findings)

    def render(self) -> str:
        """The closing line."""
        parts = [_count(self.files, "file")]
        if self.changed:
            parts.append(f"{self.changed} changed")
        if self.to_change:
            parts.append(f"{self.to_change} to change")
        parts.append(
            f"{_count(self.suppressed, 'finding')} suppressed" if self.suppressed else "nothing to suppress"
        )
        if self.failed:
            parts.append(f"{self.failed} refused, or not read, parsed or written")
        return ", ".join(parts) + "\n"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
