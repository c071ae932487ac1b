"""The output of ``caffefix patch test``."""

from __future__ import annotations

from collections.abc import Sequence

from caffefix.commands.patch.results import PatchVerdict
from caffefix.syntax.source import visible


def render_verdicts(verdicts: Sequence[PatchVerdict]) -> str:
    """The result of each case, and the count."""
    lines = []
    for verdict in verdicts:
        lines.append(f"{'ok    ' if verdict.ok else 'FAILED'} {visible(verdict.case)}")
        lines += [f"       {line}" for line in verdict.reason.split("\n") if line]
    failed = sum(not verdict.ok for verdict in verdicts)
    cases = "1 case" if len(verdicts) == 1 else f"{len(verdicts)} cases"
    lines.append(f"{cases}, {f'{failed} failed' if failed else 'all as expected'}")
    return "\n".join(lines) + "\n"
