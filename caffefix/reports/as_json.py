"""Findings as one JSON object, for programs; docs/json.md describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from caffefix.caffe.change import Change
from caffefix.findings import Severity
from caffefix.results import Diagnostic, FileResult
from caffefix.syntax.source import display

VERSION = 1


def render(results: Iterable[FileResult], *, notes: bool, diffs: bool = False) -> Iterator[str]:
    """The object in parts, one file at a time; with ``diffs``, each file's diff is part of it."""
    yield f'{{"version":{VERSION},"files":['
    for index, result in enumerate(results):
        yield ("," if index else "") + "\n" + json.dumps(_file(result, notes, diffs))
    yield "\n]}\n"


def clean(text: str) -> str:
    """Text without the surrogates that stand for odd bytes in file names."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _file(result: FileResult, notes: bool, diffs: bool) -> dict[str, Any]:
    extra = {"diff": result.diff.decode("utf-8", "replace")} if diffs else {}
    return {
        "path": clean(result.path),
        "status": result.status.value,
        "reason": clean(result.reason),
        "role": result.role.value if result.role is not None else None,
        "findings": [_finding(d) for d in result.findings if notes or d.severity is not Severity.INFO],
        "suppressed": sum(d.severity is not Severity.INFO for d in result.suppressed),
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
