"""What became of a test of a patch."""

from __future__ import annotations

from caffefix._startup.records import dataclass


@dataclass(frozen=True, slots=True)
class PatchVerdict:
    """The outcome of a case.

    Attributes:
        case: its folder.
        ok: whether the patch does what the case says.
        reason: what it does otherwise; empty if it does that.
    """

    case: str
    ok: bool
    reason: str = ""
