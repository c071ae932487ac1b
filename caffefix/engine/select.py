"""Which findings are checked for, and which fixes may be applied."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from caffefix._startup.records import dataclass
from caffefix.findings import Applicability, Finding, Severity
from caffefix.fixers import Fixer, fixers
from caffefix.patching.shipped import shipped


def registered() -> tuple[Fixer, ...]:
    """All fixers, and the patches that come with caffefix."""
    return (*fixers(), *shipped())


class UnknownNameError(Exception):
    """A name or pattern that matches no finding; the message names the nearest."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a user selected.

    Attributes:
        select: names and globs of findings to check for; empty for all.
        ignore: names and globs to leave out.
        unsafe: whether unsafe fixes are applied.
        by_name: whether selecting a finding by its exact name also requests its unsafe fix: true on the
            command line, not in a configuration file.
        patches: the user's patches; they are applied in addition to what is selected, alone if nothing is.
        named: which of these were given one by one, which also requests their unsafe fixes.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe: bool = False
    by_name: bool = True
    patches: tuple[Fixer, ...] = ()
    named: frozenset[str] = frozenset()

    def check(self) -> None:
        """Refuse unknown names.

        Raises:
            UnknownNameError: a name or glob matches no finding.
        """
        names = [fixer.name for fixer in (*registered(), *self.patches)]
        for pattern in (*self.select, *self.ignore):
            if not any(fnmatchcase(name, pattern) for name in names):
                from difflib import get_close_matches

                near = get_close_matches(pattern, names, 1)
                hint = f"; did you mean {near[0]}?" if near else "; see caffefix fixers"
                raise UnknownNameError(f"there is no finding {pattern!r}{hint}")

    def fixers(self) -> list[Fixer]:
        """The selected fixers and patches, in the order in which they run."""
        given = {patch.name for patch in self.patches}
        found = [fixer for fixer in registered() if fixer.name not in given and self._selects(fixer)]
        found += self.patches
        found = [fixer for fixer in found if not _matches(fixer.name, self.ignore)]
        return sorted(found, key=lambda fixer: (fixer.runs_in, fixer.name))

    def _selects(self, fixer: Fixer) -> bool:
        if fixer.opt_in:
            return fixer.name in self.select
        return _matches(fixer.name, self.select) if self.select else not self.patches

    def needs_family(self) -> bool:
        """Whether a selected fixer also reads other files in the folder of the one that is checked."""
        return any(fixer.needs_family for fixer in self.fixers())

    def applies(self, finding: Finding) -> bool:
        """Whether a finding's fix may be applied: an unsafe one needs --unsafe or the finding's exact name.

        A note reports what may well be intended: its unsafe fix needs the name.
        """
        if finding.applicability is Applicability.DISPLAY:
            return False
        if finding.applicability is Applicability.SAFE:
            return True
        asked = (self.by_name and finding.name in self.select) or finding.name in self.named
        return asked or (self.unsafe and finding.severity is not Severity.INFO)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def page(name: str) -> str:
    """The page of a finding; empty if there is no such finding."""
    return next((fixer.page for fixer in registered() if fixer.name == name), "")
