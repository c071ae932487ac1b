"""Pages about findings: plain text by section, without fixers, for reports."""

from __future__ import annotations

from caffefix._startup.records import dataclass
from caffefix.findings import Applicability


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page; its text is Markdown."""

    title: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a finding.

    Attributes:
        name: the finding's.
        group: title of the group in which it is listed; empty for none.
        phase: ``read``, ``upgrade``, ``repair``, ``tune`` or ``tidy``: when its fixes are made.
        applicability: of its fixes at best (in a doubtful place it may be lower); None if the page does
            not say.
        summary: one sentence.
        sections: in the order of the page.
        changes: paths of what its fixes may change in the meaning of a net.
        needs_family: whether it also reads other files in the folder of the one that is checked.
        kind: ``python``, or ``patch`` for a shipped semantic patch.
        opt_in: whether it is checked for only if it is named.
    """

    name: str
    group: str
    phase: str
    applicability: Applicability | None
    summary: str
    sections: tuple[Section, ...]
    changes: tuple[str, ...] = ()
    needs_family: bool = False
    kind: str = "python"
    opt_in: bool = False
