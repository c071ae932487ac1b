"""A line for each finding, the line of the file that it is about, what its fix does, and where to read more."""

from __future__ import annotations

from caffefix.findings import Applicability, Severity
from caffefix.reports.as_text import ROLES, Paint, Text, failure_text, names_of, plain, unsafe_diffs
from caffefix.results import Diagnostic, FileResult, Status
from caffefix.syntax.source import visible

# The maximum number of carets under a finding.
_CARETS = 60


class Full(Text):
    """The report."""

    def render(self, result: FileResult) -> str:
        path = visible(result.path)
        out = [self._finding(path, d) for d in result.findings if self.setting.notes or not d.is_note]
        if result.status.failed:
            out.append(failure_text(result, self.setting, self.paint))
        if result.role in ROLES:
            out.insert(0, f"{self.paint(path, 'path')}: {ROLES[result.role]}")
        if self.setting.unsafe:
            out.extend(unsafe_diffs(result, self.paint))
        if result.status is Status.CHANGED:
            fixed = self.paint("fixed", "fixed")
            out.append(f"{self.paint(path, 'path')}: {fixed} {names_of(d for d in result.findings if d.applied)}")
        return "".join(f"{line}\n" for line in out)

    def _finding(self, path: str, d: Diagnostic) -> str:
        lines = [self._first(path, d)]
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

    def _first(self, path: str, d: Diagnostic) -> str:
        """The finding on one line, or wrapped if that is longer than a terminal's."""
        text = finding(path, d)
        if not self.setting.terminal or len(text) <= self.setting.width:
            return finding(path, d, self.paint)
        from textwrap import fill

        head = f"{path}:{d.line}:{d.column}: {d.name}"
        width = self.setting.width
        text = fill(text, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
        if not text.startswith(head):
            return text
        painted = finding(path, d, self.paint).partition(" [")[0]
        return painted + text.removeprefix(head)


def finding(path: str, d: Diagnostic, paint: Paint = plain) -> str:
    """A finding on one line."""
    is_note = d.severity is Severity.INFO and d.applicability is not Applicability.SAFE
    label = " [note]" if is_note else f" [{d.applicability.value}]"
    layer = f"{d.layer}: " if d.layer else ""
    place = paint(f"{path}:{d.line}:{d.column}", "path")
    return f"{place}: {paint(d.name, d.severity.value)}{label} {layer}{d.message}"
