"""The result of a patch's test."""

from __future__ import annotations

from caffefix._startup.records import dataclass


@dataclass(frozen=True, slots=True)
class PatchVerdict:
    """The result of a case.

    Attributes:
        case: its folder.
        ok: whether the patch does what the case expects.
        reason: what it does instead; empty if it is as expected.
    """

    case: str
    ok: bool
    reason: str = ""
