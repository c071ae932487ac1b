"""SARIF 2.1.0, with fixes, for GitHub's code scanning and the viewers in editors.

Fixes of one file were proved together: all of them give the repaired file. ``partialFingerprints`` uses
a key of our own: GitHub computes its own key from the file's text, and warns if it is given with another value.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from caffefix import __version__
from caffefix.findings import Severity
from caffefix.reports._shared import (
    FAILURES,
    TOOL,
    failure,
    fingerprints,
    fixes_by_finding,
    link,
    sentence,
    shown,
    uri,
)
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult, Replacement, TextFix

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_FINGERPRINT = "caffefix/v1"


class Sarif:
    """The report; rules come last, because only those of reported findings are listed."""

    NEEDS: ClassVar[frozenset[str]] = frozenset(("fixes",))

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._separator = ""
        self._rules: dict[str, int] = {}
        self._failed = False

    def begin(self) -> str:
        head = json.dumps({"$schema": _SCHEMA, "version": "2.1.0"})[:-1]
        return f'{head},"runs":[{{"columnKind":"unicodeCodePoints","results":['

    def add(self, result: FileResult) -> str:
        fixes, prints = fixes_by_finding(result), fingerprints(result.findings)
        place = uri(result.path)
        results = [
            self._result(place, d, prints[index], fixes.get(index))
            for index, d in shown(result, self._setting.notes)
        ]
        failed = failure(result)
        if failed is not None:
            self._failed = True
            results.append(self._result(place, failed, failed.name, None))
        out = []
        for found in results:
            out.append(f"{self._separator}\n{json.dumps(found)}")
            self._separator = ","
        return "".join(out)

    def end(self) -> str:
        driver = {"name": TOOL, "version": __version__, "rules": [self._rule(name) for name in self._rules]}
        invocations = [{"executionSuccessful": not self._failed}]
        return f'\n],"tool":{json.dumps({"driver": driver})},"invocations":{json.dumps(invocations)}}}]}}\n'

    def _result(self, place: str, d: Diagnostic, fingerprint: str, fix: TextFix | None) -> dict[str, Any]:
        artifact = {"uri": place}
        location: dict[str, Any] = {"physicalLocation": {"artifactLocation": artifact, "region": _region(d)}}
        if d.layer:
            location["logicalLocations"] = [{"name": d.layer, "kind": "object"}]
        found = {
            "ruleId": d.name,
            "ruleIndex": self._rules.setdefault(d.name, len(self._rules)),
            "level": _LEVELS[d.severity],
            "message": {"text": sentence(d)},
            "locations": [location],
            "partialFingerprints": {_FINGERPRINT: fingerprint},
            "properties": {"applicability": d.applicability.value},
        }
        if fix is not None:
            replacements = [_replacement(r) for r in fix.replacements]
            change = {"artifactLocation": artifact, "replacements": replacements}
            found["fixes"] = [{"description": {"text": d.title or d.name}, "artifactChanges": [change]}]
        return found

    def _rule(self, name: str) -> dict[str, Any]:
        page = self._setting.page(name) or FAILURES.get(name, name)
        summary = page.partition("\n")[0]
        rule: dict[str, Any] = {"id": name, "shortDescription": {"text": summary}, "help": {"text": page}}
        url = link(self._setting.docs, name)
        if url:
            rule["helpUri"] = url
        return rule


def _region(place: Diagnostic | Replacement) -> dict[str, int]:
    return {
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
    }


def _replacement(r: Replacement) -> dict[str, Any]:
    found: dict[str, Any] = {"deletedRegion": _region(r)}
    if r.new:
        found["insertedContent"] = {"text": r.new}
    return found
