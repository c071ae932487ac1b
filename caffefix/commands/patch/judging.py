"""Tests of patches: the result of one patch on a file, compared with the expected result."""

from __future__ import annotations

from difflib import unified_diff

from caffefix.commands.patch.results import PatchVerdict
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.patching.patch import Patch
from caffefix.patching.shipped import fixer_of
from caffefix.syntax.source import Source, display

_LINES = 20  # shown of a difference


def alone(patch: Patch) -> Request:
    """A run that applies only the patch, and all that it proposes."""
    return Request(Selection(patches=(fixer_of(patch),), named=frozenset({patch.front.name})))


def judge(case: str, patch: Patch, before: Source, after: bytes | None) -> PatchVerdict:
    """Whether a patch turns a file into what it should.

    Args:
        case: what to call the test.
        patch: the patch.
        before: the file.
        after: the expected result, equal to the file if the patch only reports; None if it must find nothing.
    """
    result = repair(before, alone(patch))
    if result.status.failed:
        return PatchVerdict(case, False, result.reason)
    found = [d for d in result.findings if d.name == patch.front.name]
    if after is None:
        lines = [f"line {d.line}: found where nothing should be: {d.message}" for d in found]
        return PatchVerdict(case, not found, "\n".join(lines))
    if not found:
        return PatchVerdict(
            case, False, "it finds nothing; if that is what you expect, delete after.prototxt from the case"
        )
    made = before.data if result.new is None else result.new
    if made == after:
        return PatchVerdict(case, True)
    expected, got = (display(data.decode("latin-1")).split("\n") for data in (after, made))
    shown = list(unified_diff(expected, got, "expected", "made", lineterm="", n=1))
    return PatchVerdict(case, False, "\n".join(shown[:_LINES]))
