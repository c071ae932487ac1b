"""Findings as text, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from caffefix.caffe.roles import Role
from caffefix.findings import Applicability, Severity
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult, Status
from caffefix.syntax.source import seen, visible

_STYLES = {
    "path": "1", "error": "31", "warning": "33", "info": "36", "fixed": "32", "unsafe": "35", "dim": "2",
}  # fmt: skip

_ROLES = {
    Role.SNIPPET: "a snippet of a net: judged as part of a larger, working net",
    Role.OTHER: "neither a Caffe net nor a solver: left unchanged",
}

Paint = Callable[[str, str], str]


def plain(text: str, style: str) -> str:
    """No colour."""
    return text


def colored(text: str, style: str) -> str:
    """ANSI colour."""
    return f"\033[{_STYLES[style]}m{text}\033[0m"


class Text:
    """The report at a terminal: findings, unsafe fixes, differences in meaning, a closing line."""

    NEEDS: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, setting: Setting) -> None:
        self._notes = setting.notes
        self._delta = setting.delta
        self._summary = Summary()
        self.paint = colored if setting.colour else plain

    def begin(self) -> str:
        return ""

    def add(self, result: FileResult) -> str:
        self._summary.add(result)
        text = render_file(result, notes=self._notes, paint=self.paint, line=self.finding)
        if not self._delta:
            return text
        from caffefix.reports import delta_text

        return text + delta_text.render(result.delta)

    def finding(self, path: str, d: Diagnostic) -> str:
        """The text for one finding."""
        return finding(path, d, self.paint)

    def end(self) -> str:
        return self._summary.render(notes=self._notes)


def render_file(
    result: FileResult, *, notes: bool, paint: Paint = plain, line: Callable[[str, Diagnostic], str] | None = None
) -> str:
    """The text for one file; empty if there is nothing to report.

    Args:
        result: the file's result.
        notes: whether notes are shown.
        paint: colours text.
        line: the text for one finding, given the file's path; one line by default.
    """
    say = line or (lambda path, d: finding(path, d, paint))
    path = visible(result.path)
    out = [say(path, d) for d in result.findings if notes or not d.is_note]
    if result.status.failed:
        out.append(paint("error", "error") + ": " + result.reason)
    if result.role in _ROLES:
        out.insert(0, f"{paint(path, 'path')}: {_ROLES[result.role]}")
    fixes = "fixes" if len({d.title for d in result.findings if _is_left_out(d)}) > 1 else "fix"
    for diff in result.unsafe:
        after = " after the safe ones" if result.diff else ""
        out.append(paint(f"unsafe {fixes}, not applied{after} (--unsafe):", "unsafe"))
        out.append(seen(diff).rstrip("\n"))
    if result.status is Status.CHANGED:
        out.append(f"{paint(path, 'path')}: {paint('fixed', 'fixed')} {_names(result.findings)}")
    return "".join(f"{line}\n" for line in out)


def _is_left_out(d: Diagnostic) -> bool:
    return d.applicability is Applicability.UNSAFE and not d.applied and not d.is_note


def finding(path: str, d: Diagnostic, paint: Paint = plain) -> str:
    """A finding on one line."""
    is_note = d.severity is Severity.INFO and d.applicability is not Applicability.SAFE
    label = " [note]" if is_note else f" [{d.applicability.value}]"
    layer = f"{d.layer}: " if d.layer else ""
    place = paint(f"{path}:{d.line}:{d.column}", "path")
    return f"{place}: {paint(d.name, d.severity.value)}{label} {layer}{d.message}"


def _names(findings: Iterable[Diagnostic]) -> str:
    counts: dict[str, int] = {}
    for d in findings:
        if d.applied:
            counts[d.name] = counts.get(d.name, 0) + 1
    return ", ".join(name if count == 1 else f"{name} ×{count}" for name, count in counts.items())


class Summary:
    """Counts over all files; memory does not grow with their number."""

    def __init__(self) -> None:
        self.files = 0
        self.statuses = dict.fromkeys(Status, 0)
        self.left = 0
        self.notes = 0
        self.suppressed = 0
        self.unsafe: list[str] = []
        self.unsafe_count = 0

    def add(self, result: FileResult) -> None:
        """Count one file."""
        self.files += 1
        self.statuses[result.status] += 1
        self.suppressed += sum(not d.is_note for d in result.suppressed)
        fixes: set[int] = set()
        for d in result.findings:
            if d.is_note:
                self.notes += 1
            elif not d.applied:
                self.left += 1
                # In a refused file --unsafe would not apply it either. Findings may share a fix.
                if d.applicability is Applicability.UNSAFE and not result.status.failed and d.fix not in fixes:
                    fixes.add(d.fix)
                    self.unsafe_count += 1
                    if len(self.unsafe) < 3:
                        self.unsafe.append(d.title)

    def render(self, *, notes: bool) -> str:
        """The closing line."""
        counts = self.statuses
        parts = [_count(self.files, "file")]
        for status, words in (
            (Status.CHANGED, "fixed"),
            (Status.WOULD_CHANGE, "to fix"),
            (Status.REFUSED, "refused"),
            (Status.ERROR, "not read, parsed or written"),
        ):
            if counts[status]:
                parts.append(f"{counts[status]} {words}")
        if not any(counts[s] for s in Status if s is not Status.CLEAN):
            parts.append("nothing to fix")
        if self.left:
            parts.append(f"{_count(self.left, 'finding')} left")
        if self.unsafe_count:
            more = "" if self.unsafe_count <= len(self.unsafe) else ", …"
            what = _count(self.unsafe_count, "unsafe fix", "unsafe fixes")
            parts.append(f"{what} not applied: {'; '.join(self.unsafe)}{more} (--unsafe)")
        if self.suppressed:
            parts.append(f"{self.suppressed} suppressed")
        if self.notes and not notes:
            parts.append(f"{_count(self.notes, 'note')} (--notes)")
        return ", ".join(parts) + "\n"


def _count(number: int, singular: str, plural: str = "") -> str:
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
