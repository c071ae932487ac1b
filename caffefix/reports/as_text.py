"""Findings as text, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.roles import Role
from caffefix.findings import Applicability, Severity
from caffefix.reports.closing import Summary
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult, Status
from caffefix.syntax.source import seen, visible

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import ClassVar

_STYLES = {
    "path": "1", "error": "31", "warning": "33", "info": "36", "fixed": "32", "unsafe": "35", "dim": "2",
    "added": "32", "removed": "31", "hunk": "36",
}  # fmt: skip

ROLES = {
    Role.SNIPPET: "only a part of a net; the layers that are not in the file are assumed to be right",
    Role.OTHER: "neither a Caffe net nor a solver: nothing to check",
}

_INDENT = " " * 10
# Layers and lines of a group that are named.
_LAYERS = 4
_LINES = 8
WORDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
ORDER = {severity: number for number, severity in enumerate(WORDS)}

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
        return "" if self.setting.quiet else self._summary.render(self.setting)


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
    return sorted(groups, key=lambda group: (ORDER[group.first.severity], group.first.line, group.first.column))


def render_file(result: FileResult, setting: Setting, paint: Paint = plain) -> str:
    """The text for one file; empty if there is nothing to report.

    Args:
        result: the file's result.
        setting: what is shown, and how wide.
        paint: colours text.
    """
    path = visible(result.path)
    out: list[str] = []
    fixed = result.status is Status.CHANGED
    shown = (d for d in result.findings if (setting.notes or not d.is_note) and not (fixed and d.applied))
    groups = _groups(shown)
    if fixed and not setting.quiet:  # first what was fixed, then what remains
        groups = [*_groups(d for d in result.findings if d.applied), *groups]
    role = f": {ROLES[result.role]}" if result.role in ROLES and (groups or not setting.quiet) else ""
    if groups or role:
        out.append(f"{paint(path, 'path')}{role}")
    for group in groups:
        out.extend(_lines(group, result.path, setting, paint, is_fixed=fixed and group.first.applied))
    if result.status.failed:
        out.append(failure_text(result, setting, paint))
    if setting.unsafe:
        out.extend(unsafe_diffs(result, paint))
    return "".join(f"{line}\n" for line in out)


def failure_text(result: FileResult, setting: Setting, paint: Paint) -> str:
    """Why a file failed. What the reason quotes keeps its columns."""
    first, separator, rest = result.reason.partition("\n")
    first = f"error: {first}"
    if setting.terminal and len(first) > setting.width:
        from textwrap import fill

        first = fill(first, setting.width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return paint("error", "error") + first.removeprefix("error") + separator + rest


def findings_text(path: str, findings: Iterable[Diagnostic], setting: Setting, paint: Paint) -> str:
    """The text for some findings of a file."""
    groups = _groups(findings)
    lines = (line for group in groups for line in _lines(group, path, setting, paint, is_fixed=False))
    return "".join(f"{line}\n" for line in lines)


def _lines(group: _Group, path: str, setting: Setting, paint: Paint, *, is_fixed: bool) -> Iterator[str]:
    from textwrap import TextWrapper  # only where there is something to say

    d = group.first
    word, style = ("fixed", "fixed") if is_fixed else (WORDS[d.severity], d.severity.value)
    wrapper = TextWrapper(setting.width, subsequent_indent=_INDENT, break_long_words=False, break_on_hyphens=False)
    wrapper.initial_indent = f"  {word:<8}"
    places = "" if setting.verbose else f" {group.places}"
    first, *rest = wrapper.wrap(f"{d.name} [{d.risk}]{places}")
    name = first.removeprefix(wrapper.initial_indent)
    yield f"  {paint(f'{word:<8}', style)}{paint(d.name, 'path')}{name.removeprefix(d.name)}"
    yield from rest
    wrapper.initial_indent = _INDENT
    yield from wrapper.wrap(d.message)
    if setting.verbose:
        if d.title:
            yield from wrapper.wrap(f"fix: {d.title}")
        for member in group.members:
            layer = f": {member.layer}" if member.layer else ""
            yield f"{_INDENT}{visible(path)}:{member.line}:{member.column}{layer}"


def unsafe_diffs(result: FileResult, paint: Paint) -> Iterator[str]:
    """The diffs of unsafe fixes that were not applied, with a line about each."""
    fixes = "fixes" if len({d.title for d in result.findings if _is_left_out(d)}) > 1 else "fix"
    after = " after the safe ones" if result.diff else ""
    for diff in result.unsafe:
        yield paint(f"unsafe {fixes}, not applied{after} (--unsafe):", "unsafe")
        yield diff_text(diff, paint).rstrip("\n")


def diff_text(diff: bytes, paint: Paint) -> str:
    """The diff of one file as people see it: in colour, and with no character that a terminal obeys."""
    lines = seen(diff).split("\n")
    heads = [paint(line, "path") for line in lines[:2]]
    return "\n".join([*heads, *(_diff_line(line, paint) for line in lines[2:])])


_MARKS = {"+": "added", "-": "removed", "@": "hunk"}


def _diff_line(line: str, paint: Paint) -> str:
    style = _MARKS.get(line[:1])
    return paint(line, style) if style else line


def _is_left_out(d: Diagnostic) -> bool:
    return d.applicability is Applicability.UNSAFE and not d.applied and not d.is_note


def names_of(findings: Iterable[Diagnostic]) -> str:
    """How often each finding occurs."""
    counts: dict[str, int] = {}
    for d in findings:
        counts[d.name] = counts.get(d.name, 0) + 1
    return ", ".join(name if count == 1 else f"{name} ×{count}" for name, count in counts.items())
