"""The text report with the line of each finding, what its fix does, and where to read more."""

from __future__ import annotations

from caffefix.reports.as_text import Text, finding
from caffefix.results import Diagnostic

# The maximum number of carets under a finding.
_CARETS = 60


class Full(Text):
    """The report."""

    def finding(self, path: str, d: Diagnostic) -> str:
        lines = [finding(path, d, self.paint)]
        if d.source:
            margin = f"{d.line} | "
            ends_here = d.end_line == d.line
            length = d.end_column - d.column if ends_here else len(d.source)
            carets = "^" * max(1, min(length, len(d.source), _CARETS))
            lines.append(f"    {self.paint(margin, 'dim')}{d.source}")
            lines.append("    " + " " * len(margin) + self.paint(carets, d.severity.value))
        if d.title:
            label = "fix" if d.applied else f"{d.applicability.value} fix, not applied"
            lines.append(f"    {label}: {d.title}")
        lines.append(f"    more: caffefix explain {d.name}")
        return "\n".join(lines)
