"""Which findings are looked for, and which fixes may be applied."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from caffefix.findings import Applicability, Fix
from caffefix.fixers import Fixer, fixers


class UnknownNameError(Exception):
    """A name or pattern that no finding has; the message names the nearest."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a user asked for.

    Attributes:
        select: names and globs of findings to look for; empty for all.
        ignore: names and globs to leave out.
        unsafe: whether unsafe fixes are applied.
        by_name: whether to select a finding by its exact name is to ask for its unsafe fix; so on the
            command line, not in a configuration file.
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe: bool = False
    by_name: bool = True

    def check(self) -> None:
        """Refuse names that mean nothing.

        Raises:
            UnknownNameError: a name or glob matches no finding.
        """
        names = [fixer.name for fixer in fixers()]
        for pattern in (*self.select, *self.ignore):
            if not any(fnmatchcase(name, pattern) for name in names):
                near = get_close_matches(pattern, names, 1)
                hint = f"; did you mean {near[0]}?" if near else "; see caffefix fixers"
                raise UnknownNameError(f"there is no finding {pattern!r}{hint}")

    def fixers(self) -> list[Fixer]:
        """The selected fixers, in the order in which they run."""
        return [
            fixer
            for fixer in fixers()
            if (not self.select or _matches(fixer.name, self.select)) and not _matches(fixer.name, self.ignore)
        ]

    def needs_family(self) -> bool:
        """Whether a selected fixer looks at the files beside the one that is judged."""
        return any(fixer.needs_family for fixer in self.fixers())

    def applies(self, name: str, fix: Fix | None) -> bool:
        """Whether a fix may be applied: an unsafe one needs --unsafe or its exact name."""
        if fix is None or fix.applicability is Applicability.DISPLAY:
            return False
        return fix.applicability is Applicability.SAFE or self.unsafe or (self.by_name and name in self.select)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def page(name: str) -> str:
    """The page of a finding; empty if there is no such finding."""
    return next((fixer.page for fixer in fixers() if fixer.name == name), "")
