"""A baseline: what was found at one time, so that a check reports only what is new.

The file is JSON, with an object for each file that had findings, by its path relative to the baseline's folder.
A finding is known by the fingerprint that reports give it (name, layer and text, not the line), so lines may move
and layers may change places. A file that could not be read or parsed, or whose repair was refused, can be in it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from typing import Any

from caffefix._startup.records import dataclass, field, replace
from caffefix.reports._shared import fingerprints
from caffefix.results import FileResult, Status, TextFix
from caffefix.syntax.source import visible
from caffefix.zoo.files import NET, FileError, put, read

VERSION = 1
NAME = ".caffefix-baseline.json"


class BaselineError(Exception):
    """A file that is not a baseline; the message says where and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a baseline.

    Attributes:
        content: digest of the file, to recognise it under another name; empty if it could not be read.
        findings: fingerprint → name of the finding.
        failed: whether the file could not be read or parsed, or its repair was refused.
    """

    content: str
    findings: dict[str, str]
    failed: bool = False


@dataclass(slots=True)
class Baseline:
    """The entries by path, and what a run has hidden with them.

    Attributes:
        path: the baseline's own file; entries are relative to its folder.
        entries: the files, by relative path with ``/``.
        hidden: how many findings and failures were hidden so far.
        within: the paths of the run, by which entries are judged; all entries if there are none.
    """

    path: str
    entries: dict[str, Entry] = field(default_factory=dict)
    hidden: int = 0
    within: tuple[str, ...] = ()
    _seen: dict[str, set[str]] = field(default_factory=dict)  # by entry that a file was checked for

    # ------------------------------------------------------------ recording

    def record(self, result: FileResult) -> None:
        """Add what was found in a file."""
        findings = [d for d in result.findings if not d.is_note]
        if findings or result.status.failed:
            marks = dict(zip(fingerprints(findings), (d.name for d in findings), strict=True))
            self.entries[self._name(result.path)] = Entry(_digest(result.path), marks, result.status.failed)

    def write(self) -> None:
        """Write the file, in the place of an older baseline if there is one.

        Raises:
            BaselineError: there is a file of another kind.
            FileError: it cannot be written.
        """
        if os.path.lexists(self.path):
            load(self.path)
        put(self.path, self._text().encode(), force=True)

    def _text(self) -> str:
        files = {
            name: {"content": entry.content, "failed": entry.failed, "findings": entry.findings}
            for name, entry in sorted(self.entries.items())
        }
        return json.dumps({"version": VERSION, "files": files}, indent=1, ensure_ascii=True) + "\n"

    # ------------------------------------------------------------ hiding

    def of(self, results: Iterable[FileResult]) -> Iterator[FileResult]:
        """The results without what is in the baseline."""
        return map(self.hide, results)

    def hide(self, result: FileResult) -> FileResult:
        """A file's result without what is in the baseline."""
        name = self._entry_name(result)
        if name is None:
            return result
        entry, seen = self.entries[name], self._seen.setdefault(name, set())
        if result.status.failed and entry.failed:  # a refused file may have findings as well
            self.hidden += 1
            result = replace(result, status=Status.CLEAN, reason="", line=0, column=0)
        counted = [index for index, d in enumerate(result.findings) if not d.is_note]
        marks = fingerprints([result.findings[index] for index in counted])
        known = {index: mark for index, mark in zip(counted, marks, strict=True) if mark in entry.findings}
        seen.update(known.values())
        self.hidden += len(known)
        return _without(result, known.keys()) if known else result

    def gone(self) -> dict[str, set[str]]:
        """Fingerprints that no checked file has any more, by entry; all of an entry whose file does not exist.

        A file outside the paths of the run may have been renamed: nothing is said of it.
        """
        found = {}
        for name, entry in self.entries.items():
            if name in self._seen:
                missing = set(entry.findings) - self._seen[name]
            else:
                is_there = os.path.exists(self._path(name)) or not self._is_within(name)
                missing = set() if is_there else set(entry.findings) or {""}
            if missing:
                found[name] = missing
        return found

    def prune(self) -> int:
        """Remove what is gone from the entries; the number of findings removed."""
        gone = self.gone()
        for name, marks in gone.items():
            entry = self.entries[name]
            kept = {mark: finding for mark, finding in entry.findings.items() if mark not in marks}
            if kept or (entry.failed and os.path.exists(self._path(name))):
                self.entries[name] = replace(entry, findings=kept)
            else:
                del self.entries[name]
        return sum(map(len, gone.values()))

    def told(self, pruned: int | None) -> str:
        """A line about what a check has hidden, and what is gone; empty if there is nothing to say.

        Args:
            pruned: how many findings were removed because they are gone; None if nothing was to be removed.
        """
        parts = [f"{self.hidden} hidden"] if self.hidden else []
        if pruned:
            parts.append(f"{pruned} that no longer occur removed")
        gone = sum(map(len, self.gone().values())) if pruned is None else 0
        if gone:
            parts.append(f"{gone} no longer occur (--prune)")
        return f"{visible(self.path)}: {', '.join(parts)}\n" if parts else ""

    def _is_within(self, name: str) -> bool:
        """Whether the run would have checked an entry's file if it existed."""
        path = os.path.abspath(self._path(name))
        tops = [os.path.abspath(top) for top in self.within]
        return not tops or any(path == top or path.startswith(os.path.join(top, "")) for top in tops)

    def _entry_name(self, result: FileResult) -> str | None:
        """The entry for a file: the one of its path, or of a file of the same content that no longer exists."""
        name = self._name(result.path)
        if name in self.entries or not (result.findings or result.status.failed):
            return name if name in self.entries else None
        content = _digest(result.path)
        same = (other for other, entry in self.entries.items() if content and entry.content == content)
        return next((other for other in same if not os.path.exists(self._path(other))), None)

    def _name(self, path: str) -> str:
        folder = os.path.dirname(os.path.abspath(self.path))
        return os.path.relpath(os.path.abspath(path), folder).replace(os.sep, "/")

    def _path(self, name: str) -> str:
        return os.path.join(os.path.dirname(os.path.abspath(self.path)), name)


def _without(result: FileResult, hidden: Iterable[int]) -> FileResult:
    """A result without some of its findings; without its change if that was for hidden ones alone."""
    gone = set(hidden)
    kept = [index for index in range(len(result.findings)) if index not in gone]
    findings = tuple(result.findings[index] for index in kept)
    place = {index: number for number, index in enumerate(kept)}
    fixes = tuple(
        replace(fix, findings=_renumbered(fix, place)) for fix in result.fixes if _renumbered(fix, place)
    )
    changed = replace(result, findings=findings, fixes=fixes)
    if any(d.applied for d in findings):
        return changed
    is_change = result.status in (Status.WOULD_CHANGE, Status.CHANGED)
    unsafe = result.unsafe if any(not d.is_note for d in findings) else ()
    return replace(
        changed, status=Status.CLEAN if is_change else result.status, new=None, diff=b"", fixes=(), delta=(),
        unsafe=unsafe,
    )  # fmt: skip


def _renumbered(fix: TextFix, place: dict[int, int]) -> tuple[int, ...]:
    return tuple(place[index] for index in fix.findings if index in place)


def _digest(path: str) -> str:
    try:
        return hashlib.blake2b(read(path), digest_size=16).hexdigest()
    except FileError:
        return ""


def load(path: str) -> Baseline:
    """Read a baseline.

    Raises:
        BaselineError: the file does not exist, cannot be read, or is not a baseline.
    """
    try:
        data = json.loads(read(path, NET))
        return Baseline(path, {_text(name): _loaded(entry) for name, entry in _members(data).items()})
    except FileError as error:
        raise BaselineError(f"{error}; caffefix baseline PATH -o {visible(path)} records one") from None
    except (ValueError, TypeError, KeyError, RecursionError):
        raise BaselineError(
            f"{visible(path)}: not a baseline of this version of caffefix; caffefix baseline records one"
        ) from None


def _members(data: Any) -> dict[str, Any]:
    if data["version"] != VERSION or not isinstance(data["files"], dict):
        raise ValueError
    return data["files"]


def _loaded(entry: Any) -> Entry:
    findings = {_text(mark): _text(name) for mark, name in dict(entry["findings"]).items()}
    if not isinstance(entry["failed"], bool):
        raise TypeError
    return Entry(_text(entry["content"]), findings, entry["failed"])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
