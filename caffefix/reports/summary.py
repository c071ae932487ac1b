"""The summary of a run over a zoo: by finding, by fork, by folder; as Markdown or as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from caffefix.reports.as_json import clean
from caffefix.reports.statistics import Statistics
from caffefix.results import FileResult, Status

VERSION = 1
_STATUSES = (Status.CLEAN, Status.CHANGED, Status.WOULD_CHANGE, Status.REFUSED, Status.ERROR)
_COUNTS = ("fixed", "left", "unsafe", "suppressed", "files")


class ZooSummary:
    """Counts over all files; memory grows with findings, forks and folders, not with files.

    Args:
        folder_of: the folder that a file is counted in.
        notes: whether notes are counted.
    """

    def __init__(self, folder_of: Callable[[str], str], *, notes: bool) -> None:
        self._folder_of = folder_of
        self._notes = notes
        self._statistics = Statistics(notes=notes)
        self._statuses: Counter[Status] = Counter()
        self._accepted: Counter[str] = Counter()
        self._only: Counter[str] = Counter()
        self._nets = self._unknown = 0
        self._folders: dict[str, tuple[Counter[Status], Statistics]] = {}

    def add(self, result: FileResult) -> None:
        """Count one file."""
        self._statistics.add(result)
        self._statuses[result.status] += 1
        statuses, statistics = self._folders.setdefault(
            clean(self._folder_of(result.path)), (Counter(), Statistics(notes=self._notes))
        )
        statuses[result.status] += 1
        statistics.add(result)
        if result.forks is not None:
            self._nets += 1
            self._accepted.update(result.forks)
            self._unknown += not result.forks
            if len(result.forks) == 1:
                self._only[result.forks[0]] += 1

    def _by_finding(self) -> list[tuple[str, tuple[int, ...]]]:
        return [(name, row.counts()) for name, row in self._statistics.rows()]

    def _by_fork(self) -> list[tuple[str, int, int]]:
        """Fork, files that it accepts, files that only it accepts; the most likely first."""
        rows = ((fork, count, self._only[fork]) for fork, count in self._accepted.items())
        return sorted(rows, key=lambda row: (-row[1], row[0]))

    def markdown(self) -> str:
        """The summary for people."""
        files = sum(self._statuses.values())
        told = (f"{self._statuses[status]} {status.value}" for status in _STATUSES if self._statuses[status])
        out = ["# caffefix", "", f"{files} files: {', '.join(told) or 'none'}.", ""]
        out += _table("By finding", ("finding", *_COUNTS), [(n, *counts) for n, counts in self._by_finding()])
        rows: list[Sequence[object]] = list(self._by_fork())
        if self._unknown:
            rows.append(("no known fork", self._unknown, self._unknown))
        out += _table(f"By fork, of {self._nets} nets and solvers", ("fork", "accepts", "alone accepts"), rows)
        out += _table("By folder", ("folder", "files", "to fix or fixed", "failed", "most common finding"), [
            (folder, sum(statuses.values()), _changed(statuses), _failed(statuses), _commonest(statistics))
            for folder, (statuses, statistics) in sorted(self._folders.items())
        ])  # fmt: skip
        return "\n".join(out)

    def json(self) -> str:
        """The summary for programs; docs/json.md describes it."""
        report: dict[str, Any] = {
            "version": VERSION,
            "files": sum(self._statuses.values()),
            "statuses": {status.value: self._statuses[status] for status in _STATUSES},
            "findings": [_named(name, counts) for name, counts in self._by_finding()],
            "nets": self._nets,
            "accepted_by_none": self._unknown,
            "forks": [{"fork": fork, "accepts": all_, "alone": only} for fork, all_, only in self._by_fork()],
            "folders": [
                {
                    "folder": folder,
                    "statuses": {status.value: statuses[status] for status in _STATUSES},
                    "findings": [_named(name, row.counts()) for name, row in statistics.rows()],
                }
                for folder, (statuses, statistics) in sorted(self._folders.items())
            ],
        }
        return json.dumps(report, indent=1) + "\n"


def _named(name: str, counts: Sequence[int]) -> dict[str, Any]:
    return {"name": name, **dict(zip(_COUNTS, counts, strict=True))}


def _changed(statuses: Counter[Status]) -> int:
    return statuses[Status.CHANGED] + statuses[Status.WOULD_CHANGE]


def _failed(statuses: Counter[Status]) -> int:
    return statuses[Status.REFUSED] + statuses[Status.ERROR]


def _commonest(statistics: Statistics) -> str:
    return next((name for name, _ in statistics.rows()), "")


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    rows = list(rows)
    if not rows:
        return []
    align = "|".join([" --- ", *(" ---: " if isinstance(cell, int) else " --- " for cell in rows[0][1:])])
    out = [f"## {title}", "", f"| {' | '.join(heads)} |", f"|{align}|"]
    out += [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return [*out, ""]


def _cell(value: object) -> str:
    return str(value).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
