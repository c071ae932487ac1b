"""The report of ``caffefix baseline``, as text for people."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from caffefix.commands._shared.baseline import Baseline
from caffefix.syntax.source import visible


def recorded(baseline: Baseline, paths: Sequence[str]) -> str:
    """What was recorded, and the command that uses it."""
    entries = baseline.entries.values()
    findings = sum(len(entry.findings) for entry in entries)
    failed = sum(entry.failed for entry in entries)
    parts = [_count(findings, "finding") + " in " + _count(len(entries), "file")]
    if failed:
        parts.append(f"{failed} of them not read, parsed or proved")
    command = shlex.join(["caffefix", "--check", "--baseline", baseline.path, *paths])
    return f"{visible(baseline.path)}: {', '.join(parts)}\nonly new findings: {visible(command)}\n"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
