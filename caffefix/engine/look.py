"""Looking at a file: what fixers find there, and what its comments silence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass, replace
from caffefix.findings import Finding, Judged, Options, Phase, Subject
from caffefix.fixers import COMPARING, Fixer


@dataclass(frozen=True, slots=True)
class Look:
    """What a fixer finds.

    Attributes:
        shown: findings to tell of, and to fix.
        suppressed: those that a comment silences; they are neither shown nor fixed.
    """

    shown: tuple[Finding, ...]
    suppressed: tuple[Finding, ...] = ()


def look(fixer: Fixer, subject: Subject, fixers: Sequence[Fixer], suppressed: Sequence[Finding]) -> Look:
    """Let a fixer look at a file.

    A fix is made whole or not at all, so one that a suppressed finding shares with others is not
    offered: the others are shown without a fix. (A fixer that can fix the rest by itself asks
    ``subject.suppresses`` and offers another one.)

    Args:
        fixer: what is looked for.
        subject: the file.
        fixers: all that are looked for.
        suppressed: what is silenced of those before this one; it is for phase TIDY.
    """
    if not fixer.may_find(subject) or (fixer.phase is Phase.READ and not subject.lookalikes):
        return Look(())
    if fixer.phase is Phase.READ or not subject.suppressions.all:  # an unread file's comments say nothing
        return Look(tuple(fixer.find(subject)) if fixer.phase is not Phase.TIDY else ())
    if fixer.phase is Phase.TIDY:
        from copy import copy

        subject = copy(subject)  # with what it knows of the file
        subject.judged = _judged(subject, fixers, suppressed)
    return _divided(subject, tuple(fixer.find(subject)))


def survey(subject: Subject, fixers: Sequence[Fixer]) -> Iterator[Look]:
    """What each fixer finds in a file as it is."""
    suppressed: list[Finding] = []
    for fixer in fixers:
        found = look(fixer, subject, fixers, suppressed)
        suppressed += found.suppressed
        yield found


def _divided(subject: Subject, found: Sequence[Finding]) -> Look:
    suppressed = tuple(f for f in found if subject.suppresses(f.name, f.node))
    hidden, held = set(map(id, suppressed)), {id(f.fix) for f in suppressed if f.fix is not None}
    shown = (f for f in found if id(f) not in hidden)
    return Look(tuple(replace(f, fix=None) if id(f.fix) in held else f for f in shown), suppressed)


def _judged(subject: Subject, fixers: Sequence[Fixer], suppressed: Sequence[Finding]) -> Judged:
    """What fixers of phase TIDY are told.

    A suppression counts as used, too, if it would be without the user's options: who says
    ``--no-from-scratch`` once must not lose what others have written down.
    """
    found = list(suppressed)
    if subject.options != Options():
        plain = Subject(subject.document, family=subject.family)
        for fixer in fixers:
            if fixer.phase is not Phase.TIDY and fixer.may_find(plain):
                found += _divided(plain, tuple(fixer.find(plain))).suppressed
    # The files that some compare with may be elsewhere today.
    names = frozenset(fixer.name for fixer in fixers if fixer.group != COMPARING)
    from caffefix.engine.select import registered  # it knows the patches, which few files need here

    known = tuple((fixer.name, fixer.phase) for fixer in registered())
    return Judged(names, tuple(found), known)
