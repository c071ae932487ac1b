"""reviewdog's diagnostic format, with suggestions that a reviewer can accept with one click.

A suggestion is one block of whole lines, because that is what GitHub and GitLab can apply; and it is a whole
fix, because half a fix can leave a net that does not load. A fix that is scattered over the file is not suggested.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from caffefix.findings import Severity
from caffefix.reports._shared import (
    TOOL,
    clean,
    fixes_by_finding,
    link,
    relative,
    sentence,
    shown,
    title,
    told,
)
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult, LineChange

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.INFO: "INFO"}


class RdJson:
    """The report."""

    NEEDS: ClassVar[frozenset[str]] = frozenset(("fixes",))

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._separator = ""

    def begin(self) -> str:
        return f'{{"source":{{"name":"{TOOL}"}},"diagnostics":['

    def add(self, result: FileResult) -> str:
        fixes = fixes_by_finding(result)
        indexes = [index for index, _ in shown(result, self._setting.notes)]
        out = []
        for position, d in enumerate(told(result, self._setting.notes)):
            fix = fixes.get(indexes[position]) if position < len(indexes) else None
            lines = fix.lines if fix is not None else None
            out.append(f"{self._separator}\n{json.dumps(self._diagnostic(result.path, d, lines))}")
            self._separator = ","
        return "".join(out)

    def end(self) -> str:
        return "\n]}\n"

    def _diagnostic(self, path: str, d: Diagnostic, lines: LineChange | None) -> dict[str, Any]:
        code = {"value": d.name}
        url = link(self._setting.docs, d.name)
        if url:
            code["url"] = url
        # Columns count bytes in reviewdog and characters here: whole lines need neither.
        place = {"start": {"line": d.line}, "end": {"line": d.end_line}}
        found: dict[str, Any] = {
            "message": f"{title(d)}: {sentence(d)}",
            "location": {"path": clean(relative(path)), "range": place},
            "severity": _SEVERITIES[d.severity],
            "code": code,
        }
        if lines is not None:
            span = {"start": {"line": lines.line}, "end": {"line": lines.end_line}}
            found["suggestions"] = [{"range": span, "text": lines.new}]
        return found
