"""GitHub workflow commands: a line on standard output becomes an annotation at the finding's place.

GitHub shows the first ten errors and ten warnings of a step; SARIF and the comment have no such limit.
"""

from __future__ import annotations

from typing import ClassVar

from caffefix.findings import Severity
from caffefix.reports._shared import clean, relative, sentence, title, told
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


class GitHub:
    """The report."""

    NEEDS: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, setting: Setting) -> None:
        self._notes = setting.notes

    def begin(self) -> str:
        return ""

    def add(self, result: FileResult) -> str:
        file = clean(relative(result.path))
        return "".join(f"{_command(file, d)}\n" for d in told(result, self._notes))

    def end(self) -> str:
        return ""


def _command(file: str, d: Diagnostic) -> str:
    place = {"file": file, "line": d.line, "endLine": d.end_line}
    if d.end_line == d.line:  # columns on different lines are not accepted
        place |= {"col": d.column, "endColumn": max(d.column, d.end_column)}
    place["title"] = title(d)
    properties = ",".join(f"{key}={_property(str(value))}" for key, value in place.items())
    return f"::{_COMMANDS[d.severity]} {properties}::{_data(sentence(d))}"


def _data(text: str) -> str:
    """Text escaped as the runner expects."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
