"""Many files at a glance: a line for each that was fixed, failed or has errors, and a table of what was found."""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.records import dataclass, replace
from caffefix.findings import Severity
from caffefix.reports.as_text import ORDER, WORDS, Text, failure_text, names_of
from caffefix.reports.closing import count
from caffefix.reports.report import Setting
from caffefix.results import FileResult, Status
from caffefix.syntax.source import visible

# Findings in the table: with the closing lines, it fits on a screen.
_ROWS = 14


@dataclass(slots=True)
class _Row:
    """Counts of one finding at one severity."""

    findings: int = 0
    files: int = 0


class Overview(Text):
    """The report."""

    def __init__(self, setting: Setting) -> None:
        super().__init__(setting)
        self._rows: dict[tuple[Severity, str], _Row] = {}

    def render(self, result: FileResult) -> str:
        self._count(result)
        path = self.paint(visible(result.path), "path")
        if result.status.failed:
            first = replace(result, reason=result.reason.partition("\n")[0])
            return failure_text(first, self.setting, self.paint) + "\n"
        parts = [*self._parts(result)]
        return f"{path}: {'; '.join(parts)}\n" if parts else ""

    def _parts(self, result: FileResult) -> Iterator[str]:
        fixed = result.status is Status.CHANGED
        if fixed and not self.setting.quiet:
            yield f"{self.paint('fixed', 'fixed')} {names_of(d for d in result.findings if d.applied)}"
        errors = [d for d in result.findings if d.severity is Severity.ERROR and not (fixed and d.applied)]
        if errors:
            yield f"{self.paint('error', 'error')} {names_of(errors)}"

    def _count(self, result: FileResult) -> None:
        seen = set()
        for d in result.findings:
            if self.setting.notes or not d.is_note:
                key = d.severity, d.name
                row = self._rows.setdefault(key, _Row())
                row.findings += 1
                row.files += key not in seen
                seen.add(key)

    def end(self) -> str:
        return "" if self.setting.quiet else f"\n{self._table()}{super().end()}"

    def _table(self) -> str:
        """The findings by severity and number; of many, the first."""
        found = sorted(self._rows.items(), key=lambda item: (ORDER[item[0][0]], -item[1].findings, item[0][1]))
        width = max((len(name) for (_, name), _ in found[:_ROWS]), default=0)
        lines = []
        for (severity, name), row in found[:_ROWS]:
            word = self.paint(f"{WORDS[severity]:<8}", severity.value)
            lines.append(f"  {word}{name:<{width}}  {row.findings:>6} in {count(row.files, 'file')}\n")
        if len(found) > _ROWS:
            lines.append(f"  … and {len(found) - _ROWS} more (--statistics)\n")
        if found:
            lines.append("  -v shows where each is, and why\n")
        return "".join(lines)
