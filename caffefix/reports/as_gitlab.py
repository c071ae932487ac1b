"""GitLab's code quality report: an array of issues, a subset of Code Climate's format."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar

from caffefix.findings import Severity
from caffefix.reports._shared import clean, failure, fingerprints, relative, sentence, shown
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "minor", Severity.INFO: "info"}


class GitLab:
    """The report."""

    NEEDS: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, setting: Setting) -> None:
        self._notes = setting.notes
        self._separator = ""

    def begin(self) -> str:
        return "["

    def add(self, result: FileResult) -> str:
        path = clean(relative(result.path))
        prints = fingerprints(result.findings)
        issues = [_issue(path, d, prints[index]) for index, d in shown(result, self._notes)]
        failed = failure(result)
        if failed is not None:
            issues.append(_issue(path, failed, failed.name))
        out = []
        for issue in issues:
            out.append(f"{self._separator}\n{json.dumps(issue)}")
            self._separator = ","
        return "".join(out)

    def end(self) -> str:
        return "\n]\n"


def _issue(path: str, d: Diagnostic, fingerprint: str) -> dict[str, Any]:
    # GitLab shows only the first of several issues with the same fingerprint, even if their files differ.
    digest = hashlib.sha256(f"{path}\0{fingerprint}".encode()).hexdigest()
    return {
        "check_name": d.name,
        "description": f"{d.name}: {sentence(d)}",
        "fingerprint": digest,
        "severity": _SEVERITIES[d.severity],
        "location": {"path": path, "lines": {"begin": d.line, "end": d.end_line}},
    }
