"""Findings as text, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.roles import Role
from caffefix.findings import Applicability, Severity
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult, Status
from caffefix.syntax.source import seen, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

_STYLES = {
    "path": "1", "error": "31", "warning": "33", "info": "36", "fixed": "32", "unsafe": "35", "dim": "2",
}  # fmt: skip

ROLES = {
    Role.SNIPPET: "a snippet of a net: judged as part of a larger, working net",
    Role.OTHER: "neither a Caffe net nor a solver: left unchanged",
}

# Layers and lines of a group that are named.
_LAYERS = 4
_LINES = 8
_WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_ORDER = {severity: number for number, severity in enumerate(_WORDS)}

Paint = Callable[[str, str], str]


def plain(text: str, style: str) -> str:
    """No colour."""
    return text


def colored(text: str, style: str) -> str:
    """ANSI colour."""
    return f"\033[{_STYLES[style]}m{text}\033[0m"


class Text:
    """The report at a terminal: findings by file and severity, differences in meaning, a closing line."""

    NEEDS: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.paint = colored if setting.colour else plain
        self._summary = Summary()

    def begin(self) -> str:
        return ""

    def add(self, result: FileResult) -> str:
        self._summary.add(result)
        text = self.render(result)
        if not self.setting.delta:
            return text
        from caffefix.reports import delta_text

        return text + delta_text.render(result.delta)

    def render(self, result: FileResult) -> str:
        """The text for one file; empty if there is nothing to report."""
        return render_file(result, self.setting, self.paint)

    def end(self) -> str:
        return self._summary.render(notes=self.setting.notes)


@dataclass(frozen=True, slots=True)
class _Group:
    """Findings of a file that say the same of several layers."""

    first: Diagnostic
    members: Sequence[Diagnostic]

    @property
    def places(self) -> str:
        """The layers and lines."""
        layers = list(dict.fromkeys(d.layer for d in self.members if d.layer))
        lines = sorted({d.line for d in self.members})
        where = f"line {lines[0]}" if len(lines) == 1 else f"lines {_listed([*map(str, lines)], _LINES)}"
        if not layers:
            return where
        count = f" ({len(layers)} layers)" if len(layers) > 1 else ""
        return f"{_listed(layers, _LAYERS)}{count}, {where}"


def _listed(words: Sequence[str], most: int) -> str:
    """Words with commas; of many, those in the middle are left out."""
    if len(words) <= most:
        return ", ".join(words)
    return f"{', '.join(words[: most - 1])} … {words[-1]}"


def _groups(findings: Iterable[Diagnostic]) -> list[_Group]:
    """By severity, then place; findings that differ in layer and place alone are one."""
    found: dict[tuple[object, ...], list[Diagnostic]] = {}
    for d in findings:
        found.setdefault((d.severity, d.name, d.applicability, d.applied, d.message), []).append(d)
    groups = [_Group(members[0], members) for members in found.values()]
    return sorted(groups, key=lambda group: (_ORDER[group.first.severity], group.first.line, group.first.column))


def render_file(result: FileResult, setting: Setting, paint: Paint = plain) -> str:
    """The text for one file; empty if there is nothing to report.

    Args:
        result: the file's result.
        setting: what is shown, and how wide.
        paint: colours text.
    """
    path = visible(result.path)
    out: list[str] = []
    groups = _groups(d for d in result.findings if setting.notes or not d.is_note)
    role = f": {ROLES[result.role]}" if result.role in ROLES else ""
    if groups or role:
        out.append(f"{paint(path, 'path')}{role}")
    for group in groups:
        out.extend(_lines(group, setting.width, paint))
    if result.status.failed:
        out.append(paint("error", "error") + ": " + result.reason)
    if setting.unsafe:
        out.extend(unsafe_diffs(result, paint))
    if result.status is Status.CHANGED:
        out.append(f"{paint(path, 'path')}: {paint('fixed', 'fixed')} {names_of_fixed(result.findings)}")
    return "".join(f"{line}\n" for line in out)


def _lines(group: _Group, width: int, paint: Paint) -> Iterator[str]:
    from textwrap import wrap  # only where there is something to say

    d = group.first
    severity = paint(f"{_WORDS[d.severity]:<8}", d.severity.value)
    yield f"  {severity}{paint(d.name, 'path')} [{d.risk}] {group.places}"
    yield from wrap(
        d.message, width, initial_indent=" " * 10, subsequent_indent=" " * 10, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip


def unsafe_diffs(result: FileResult, paint: Paint) -> Iterator[str]:
    """The diffs of unsafe fixes that were not applied, with a line about each."""
    fixes = "fixes" if len({d.title for d in result.findings if _is_left_out(d)}) > 1 else "fix"
    after = " after the safe ones" if result.diff else ""
    for diff in result.unsafe:
        yield paint(f"unsafe {fixes}, not applied{after} (--unsafe):", "unsafe")
        yield seen(diff).rstrip("\n")


def _is_left_out(d: Diagnostic) -> bool:
    return d.applicability is Applicability.UNSAFE and not d.applied and not d.is_note


def names_of_fixed(findings: Iterable[Diagnostic]) -> str:
    """How often each finding was fixed."""
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
