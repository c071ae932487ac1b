"""JUnit XML: a suite per file and a case per finding, which fails if the run fails because of the finding.

A file without findings is one passed case.
"""

from __future__ import annotations

from typing import ClassVar
from xml.sax.saxutils import escape, quoteattr

from caffefix.reports._shared import TOOL, clean, failure, sentence, shown
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult


class JUnit:
    """The report."""

    NEEDS: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, setting: Setting) -> None:
        self._notes = setting.notes
        self._fails = setting.gate.fails

    def begin(self) -> str:
        return f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="{TOOL}">\n'

    def add(self, result: FileResult) -> str:
        path = clean(result.path)
        findings = [d for _, d in shown(result, self._notes)]
        failed = failure(result)
        cases = [_case(path, d, fails=self._fails(d)) for d in findings]
        if failed is not None:
            cases.append(_wrapped(path, failed, _element("error", failed, clean(failed.message))))
        if not cases:
            cases = [f"<testcase name={_attribute(TOOL)} classname={_attribute(path)} />"]
        failures = sum(map(self._fails, findings))
        counts = f'tests="{len(cases)}" failures="{failures}" errors="{int(failed is not None)}"'
        body = "".join(f"    {case}\n" for case in cases)
        return f"  <testsuite name={_attribute(path)} {counts}>\n{body}  </testsuite>\n"

    def end(self) -> str:
        return "</testsuites>\n"


def _case(path: str, d: Diagnostic, *, fails: bool) -> str:
    where = f"{path}:{d.line}:{d.column}: {sentence(d)}"
    if not fails:
        return _wrapped(path, d, f"<system-out>{escape(_xml(where))}</system-out>")
    return _wrapped(path, d, _element("failure", d, where))


def _wrapped(path: str, d: Diagnostic, inner: str) -> str:
    name = f"{d.name}:{d.line}:{d.column}"
    return f"<testcase name={_attribute(name)} classname={_attribute(path)}>{inner}</testcase>"


def _element(kind: str, d: Diagnostic, text: str) -> str:
    attributes = f"type={_attribute(d.name)} message={_attribute(sentence(d))}"
    return f"<{kind} {attributes}>{escape(_xml(text))}</{kind}>"


def _attribute(text: str) -> str:
    return quoteattr(_xml(text))


def _xml(text: str) -> str:
    """Text without the two characters that Unicode allows but XML does not."""
    return text.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")
