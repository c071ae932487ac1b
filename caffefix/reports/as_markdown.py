"""Markdown for a comment on a pull request: what changes in meaning, why, at what risk, and the diff.

GitHub accepts comments of at most 65,536 characters. Each section has its share of them; what does not fit
is left out from the end and counted, so memory does not grow with the number of files either.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from caffefix.caffe.change import Change
from caffefix.findings import Applicability, Severity
from caffefix.reports import _markdown as md
from caffefix.reports._shared import TOOL, failure, link, relative, sentence, shown
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult, Status
from caffefix.syntax.source import display

LIMIT = 65_536  # counted in UTF-8 here, which is never less than GitHub counts
# Shares of the sections; the rest is for headings and closing lines.
_FAILED, _TABLE, _WHY, _UNSAFE, _DIFF = 5_000, 12_000, 16_000, 6_000, 24_000
_VALUE = 80  # characters shown of a value
# Identifies the comment, so the next run can replace it.
MARK = f"<!-- {TOOL} -->"


class _Section:
    """Lines up to a number of bytes; from the first that does not fit, they are only counted."""

    def __init__(self, budget: int) -> None:
        self._left = budget
        self.lines: list[str] = []
        self.cut = 0

    def add(self, line: str, *, count: int = 1) -> None:
        size = len(line.encode()) + 1
        if self.cut or size > self._left:
            self.cut += count
            return
        self._left -= size
        self.lines.append(line)

    def text(self, what: str) -> Iterator[str]:
        """The lines, and a note on how many are missing."""
        yield from self.lines
        if self.cut:
            yield f"\n… and {self.cut:,} more {what}."


class Markdown:
    """The report, which is written when all files are done."""

    NEEDS: ClassVar[frozenset[str]] = frozenset(("delta",))

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._statuses = dict.fromkeys(Status, 0)
        self._safe = self._unsafe_count = self._rest = self._same = 0
        self._failed, self._table, self._why = _Section(_FAILED), _Section(_TABLE), _Section(_WHY)
        self._unsafe, self._diff = _Section(_UNSAFE), _Section(_DIFF)

    def begin(self) -> str:
        return ""

    def add(self, result: FileResult) -> str:
        self._statuses[result.status] += 1
        path = relative(result.path)
        failed = failure(result)
        if failed is not None:
            self._failed.add(f"- {md.code(path)}:{failed.line} {failed.name}: {md.plain(failed.message)}")
        for _, d in shown(result, self._setting.notes):
            self._finding(path, d)
        if result.diff:
            self._same += not result.delta
            for change in result.delta:
                self._table.add(_row(path, change))
            for hunk in _hunks(result.diff):
                self._diff.add(hunk)
        return ""

    def _finding(self, path: str, d: Diagnostic) -> None:
        url = link(self._setting.docs, d.name)
        name = f"[{md.code(d.name)}]({url})" if url else md.code(d.name)
        line = f"- {md.code(f'{path}:{d.line}')} {name} ({d.risk}) {md.plain(sentence(d))}"
        if not d.applied and d.severity is not Severity.INFO and d.applicability is Applicability.UNSAFE:
            self._unsafe_count += 1
            self._unsafe.add(f"{line} — {md.plain(d.title)}" if d.title else line)
            return
        self._safe += d.applied
        self._rest += not d.applied
        self._why.add(line)

    def end(self) -> str:
        text = "".join(f"{line}\n" for line in self._lines())
        assert len(text.encode()) <= LIMIT
        return text

    def _lines(self) -> Iterator[str]:
        yield f"{MARK}\n### {TOOL}: {self._headline()}"
        if self._failed.lines:
            yield "\n**Not read, or not repaired**\n"
            yield from self._failed.text("files")
        yield from self._meaning()
        if self._why.lines:
            yield "\n**Why**\n"
            yield from self._why.text("findings")
        yield from self._risk()
        if self._diff.lines or self._diff.cut:
            yield from self._folded()

    def _headline(self) -> str:
        counts = self._statuses
        words = {
            Status.CHANGED: "fixed",
            Status.WOULD_CHANGE: "to fix",
            Status.REFUSED: "refused",
            Status.ERROR: "with errors",
        }
        total = sum(counts.values())
        parts = [f"{counts[status]:,} {said}" for status, said in words.items() if counts[status]]
        return f"{total:,} {'file' if total == 1 else 'files'}, {', '.join(parts) or 'nothing to fix'}"

    def _meaning(self) -> Iterator[str]:
        if self._table.lines:
            yield "\n**What changes in the meaning of the nets**\n"
            yield "| file | layer | field | before | after |\n|---|---|---|---|---|"
            yield from self._table.text("differences")
        if self._same:
            files = "1 file keeps its" if self._same == 1 else f"{self._same:,} files keep their"
            yield f"\n{files} meaning: only the format changes."

    def _risk(self) -> Iterator[str]:
        if not self._safe and not self._unsafe_count:
            return
        yield "\n**Risk**\n"
        if self._safe:
            count = "1 finding" if self._safe == 1 else f"{self._safe:,} findings"
            yield f"The diff fixes {count}. {_APPLIED}"
        if self._unsafe_count:
            yield (
                f"\nLeft out, because they change what a working net computes ({self._unsafe_count:,}; "
                "`--unsafe` applies them):\n"
            )
            yield from self._unsafe.text("unsafe fixes")

    def _folded(self) -> Iterator[str]:
        ticks = md.fence("\n".join(self._diff.lines))
        yield "\n<details><summary>Diff</summary>\n"
        if self._diff.lines:
            yield f"{ticks}diff"
            yield from self._diff.lines
            yield ticks
        if self._diff.cut:
            hunks = "1 more hunk" if self._diff.cut == 1 else f"{self._diff.cut:,} more hunks"
            yield f"\nToo long for a comment: {hunks} left out; `{TOOL} --diff` prints them."
        yield "\n</details>"


_APPLIED = (
    "A fix is safe if the net means the same, could not load, or could provably never learn, or if "
    "loaded weights make the edit inert; each repair passed its proofs."
)


def _row(path: str, change: Change) -> str:
    layer = md.code(display(change.layer), _VALUE) if change.layer else ""
    if change.ordinal:
        layer += f" (number {change.ordinal + 1})"
    if change.place:
        layer = f"{md.plain(change.place)}: {layer}" if layer else md.plain(change.place)
    cells = (md.code(path), layer, md.plain(change.path or "layer"), _value(change.old), _value(change.new))
    return f"| {' | '.join(map(md.cell, cells))} |"


def _value(text: str) -> str:
    return md.code(display(text), _VALUE) if text else "absent"


def _hunks(diff: bytes) -> list[str]:
    """The hunks of a diff, the first with the file's names, without characters that a page cannot show."""
    text = diff.decode("utf-8", "replace").replace("\r\n", "\n").rstrip("\n")
    text = "".join(c if c.isprintable() or c in "\t\n" else "\N{REPLACEMENT CHARACTER}" for c in text)
    names, *hunks = text.split("\n@@ ")
    hunks = [f"@@ {hunk}" for hunk in hunks]
    return [f"{names}\n{hunks[0]}", *hunks[1:]]
