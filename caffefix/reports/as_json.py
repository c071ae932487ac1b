"""Findings as JSON, one object or one per line, for programs; docs/json.md describes it."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from caffefix.caffe.change import Change
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult
from caffefix.syntax.source import display

VERSION = 1


class Json:
    """The object, one file at a time."""

    NEEDS: ClassVar[frozenset[str]] = frozenset(("delta",))

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._separator = ""

    def begin(self) -> str:
        return f'{{"version":{VERSION},"files":['

    def add(self, result: FileResult) -> str:
        separator, self._separator = self._separator, ","
        return separator + "\n" + json.dumps(_file(result, self._setting.notes, self._setting.diffs))

    def end(self) -> str:
        return "\n]}\n"


class JsonLines:
    """One object per line, each with what ``Json`` has for a file, and the version."""

    NEEDS = Json.NEEDS

    def __init__(self, setting: Setting) -> None:
        self._setting = setting

    def begin(self) -> str:
        return ""

    def add(self, result: FileResult) -> str:
        file = _file(result, self._setting.notes, self._setting.diffs)
        return json.dumps({"version": VERSION, **file}) + "\n"

    def end(self) -> str:
        return ""


def clean(text: str) -> str:
    """Text without the surrogates that represent invalid bytes in file names."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _file(result: FileResult, notes: bool, diffs: bool) -> dict[str, Any]:
    extra = {"diff": result.diff.decode("utf-8", "replace")} if diffs else {}
    return {
        "path": clean(result.path),
        "status": result.status.value,
        "reason": clean(result.reason),
        "role": result.role.value if result.role is not None else None,
        "findings": [_finding(d) for d in result.findings if notes or not d.is_note],
        "suppressed": sum(not d.is_note for d in result.suppressed),
        "delta": [change(c) for c in result.delta],
        **extra,
    }


def change(c: Change) -> dict[str, Any]:
    """One difference in meaning."""
    return {
        "place": c.place,
        "layer": clean(display(c.layer)),
        "ordinal": c.ordinal,
        "path": c.path,
        "old": display(c.old) or None,
        "new": display(c.new) or None,
    }


def _finding(d: Diagnostic) -> dict[str, Any]:
    return {
        "name": d.name,
        "severity": d.severity.value,
        "applicability": d.applicability.value,
        "message": d.message,
        "line": d.line,
        "column": d.column,
        "end_line": d.end_line,
        "end_column": d.end_column,
        "layer": d.layer,
        "applied": d.applied,
    }
