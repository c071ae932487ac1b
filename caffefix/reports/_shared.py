"""What reports for programs have in common: which findings, where, and with which fingerprint."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from urllib.parse import quote

from caffefix.findings import Applicability, Severity
from caffefix.results import Diagnostic, FileResult, TextFix
from caffefix.syntax.source import one_line

TOOL = "caffefix"
# Summaries of the entries for files that failed; these are not findings.
FAILURES = {
    "error": "A file was not read, parsed or written.",
    "refused": "A repair failed one of its proofs, and the file was left unchanged.",
}


def shown(result: FileResult, notes: bool) -> list[tuple[int, Diagnostic]]:
    """The findings that are reported, each with its index among all of the file's."""
    return [(i, d) for i, d in enumerate(result.findings) if notes or not d.is_note]


def failure(result: FileResult) -> Diagnostic | None:
    """The entry for a file that failed, in formats that only have findings."""
    if not result.status.failed:
        return None
    message = result.reason.partition("\n")[0]
    at = f"{result.path}:{result.line}:{result.column}: " if result.line else f"{result.path}: "
    message = clean(message.removeprefix(at)) or result.status.value
    line, column = max(result.line, 1), max(result.column, 1)
    place = (line, column, line, column)
    return Diagnostic(result.status.value, Severity.ERROR, Applicability.DISPLAY, message, *place, "", False)


def told(result: FileResult, notes: bool) -> list[Diagnostic]:
    """The findings that are reported, followed by the entry for a failure."""
    failed = failure(result)
    return [d for _, d in shown(result, notes)] + ([failed] if failed is not None else [])


def sentence(d: Diagnostic) -> str:
    """The message with the layer that it concerns."""
    return f"{d.layer}: {d.message}" if d.layer else d.message


def title(d: Diagnostic) -> str:
    """The name, followed by the risk unless the entry is for a failure."""
    return d.name if d.name in FAILURES else f"{d.name} ({d.risk})"


def fingerprints(findings: Sequence[Diagnostic]) -> list[str]:
    """A fingerprint for each of a file's findings, which remains the same when lines move.

    It is made of the name, the layer and the text at the finding, ignoring blanks; findings that
    are equal in all of these are numbered.
    """
    seen: dict[str, int] = {}
    found = []
    for d in findings:
        key = "\0".join((d.name, d.layer, " ".join(d.source.split())))
        digest = hashlib.sha256(key.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        seen[digest] = seen.get(digest, 0) + 1
        found.append(f"{digest}:{seen[digest]}")
    return found


def fixes_by_finding(result: FileResult) -> dict[int, TextFix]:
    """Each fix by the first of its findings, so no fix is reported twice."""
    return {fix.findings[0]: fix for fix in result.fixes}


def relative(path: str) -> str:
    """A path as reviewers' tools expect it: relative to the working folder if it is below that, with ``/``."""
    absolute = os.path.abspath(path)
    home = os.path.join(os.path.abspath(os.curdir), "")
    inside = absolute.startswith(home) and not path.startswith("<")
    return (absolute[len(home) :] if inside else path).replace(os.sep, "/")


def uri(path: str) -> str:
    """A relative path, or a file's URI, with unusual bytes escaped."""
    name = relative(path)
    return ("file://" if name.startswith("/") else "") + quote(os.fsencode(name), safe="/")


def clean(text: str) -> str:
    """Text without control characters and lone surrogates, which represent invalid bytes in file names."""
    return one_line(
        text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode().decode("latin-1")
    )


def link(docs: str, name: str) -> str:
    """The address of a finding's page; empty if it has no page."""
    return f"{docs.rstrip('/')}/{name}.md" if docs and name not in FAILURES else ""
