"""Checking a file: what fixers find in it, and what its comments silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass, replace
from caffefix.findings import Assumptions, Finding, Judged, Pass, Subject
from caffefix.fixers import COMPARING, Fixer


@dataclass(frozen=True, slots=True)
class Found:
    """What a fixer finds.

    Attributes:
        shown: findings to report and to fix.
        suppressed: those that a comment silences; they are neither shown nor fixed.
    """

    shown: tuple[Finding, ...]
    suppressed: tuple[Finding, ...] = ()


def run_fixer(fixer: Fixer, subject: Subject, fixers: Sequence[Fixer], suppressed: Sequence[Finding]) -> Found:
    """Run one fixer on a file.

    A fix is applied completely or not at all, so a fix that a suppressed finding shares with others is not
    offered: the others are shown without a fix. (A fixer that can fix the others separately calls
    ``subject.suppresses`` and offers a different fix.)

    Args:
        fixer: the fixer.
        subject: the file.
        fixers: all fixers of the run.
        suppressed: silenced findings of the fixers before this one, for pass TIDY.
    """
    if not fixer.may_find(subject) or (fixer.runs_in is Pass.READ and not subject.lookalikes):
        return Found(())
    if fixer.runs_in is Pass.READ or not subject.suppressions.all:  # comments of an unparsed file do not count
        return Found(tuple(fixer.find(subject)) if fixer.runs_in is not Pass.TIDY else ())
    if fixer.runs_in is Pass.TIDY:
        from copy import copy

        subject = copy(subject)  # shares what is already computed about the file
        subject.judged = _judged(subject, fixers, suppressed)
    return _divided(subject, tuple(fixer.find(subject)))


def run_fixers(subject: Subject, fixers: Sequence[Fixer]) -> Iterator[Found]:
    """What each fixer finds in an unchanged file."""
    suppressed: list[Finding] = []
    for fixer in fixers:
        found = run_fixer(fixer, subject, fixers, suppressed)
        suppressed += found.suppressed
        yield found


def _divided(subject: Subject, found: Sequence[Finding]) -> Found:
    suppressed = tuple(f for f in found if subject.suppresses(f.name, f.node))
    hidden, held = set(map(id, suppressed)), {id(f.fix) for f in suppressed if f.fix is not None}
    shown = (f for f in found if id(f) not in hidden)
    return Found(tuple(replace(f, fix=None) if id(f.fix) in held else f for f in shown), suppressed)


def _judged(subject: Subject, fixers: Sequence[Fixer], suppressed: Sequence[Finding]) -> Judged:
    """What fixers of pass TIDY receive.

    A suppression also counts as used if it would be used without the user's options: a single run with
    ``--no-from-scratch`` must not delete what others have written.
    """
    found = list(suppressed)
    if subject.options != Assumptions():
        plain = Subject(subject.document, family=subject.family)
        for fixer in fixers:
            if fixer.runs_in is not Pass.TIDY and fixer.may_find(plain):
                found += _divided(plain, tuple(fixer.find(plain))).suppressed
    # The files that some fixers compare with may be missing in this run.
    names = frozenset(fixer.name for fixer in fixers if fixer.group != COMPARING)
    from caffefix.engine.select import registered  # loads the patches, which few files need here

    known = tuple((fixer.name, fixer.runs_in) for fixer in registered())
    return Judged(names, tuple(found), known)
