"""Patches as fixers: those in ``patches/``, and those that a user gives."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache, partial

from caffefix.findings import Finding, Subject
from caffefix.fixers import Fixer
from caffefix.patching.load import patch_of
from caffefix.patching.page import page
from caffefix.patching.patch import Patch
from caffefix.resources import content, resource

SUFFIX = ".patch"


@cache
def shipped_patches() -> tuple[Patch, ...]:
    """The patches in ``patches/``; that they come to an end, the tests see to."""
    here = folder()
    files = sorted(os.path.join(here, name) for name in os.listdir(here) if name.endswith(SUFFIX))
    return tuple(patch_of(path, content(path), tried=True) for path in files)


@cache
def shipped() -> tuple[Fixer, ...]:
    """The same as fixers, in the order of their names."""
    return tuple(map(fixer_of, shipped_patches()))


def folder() -> str:
    """Where they are."""
    return resource("patches")


def fixer_of(patch: Patch, *, asked: bool = False) -> Fixer:
    """A patch as the engine runs it.

    Args:
        patch: the patch.
        asked: whether a user gave it: who is told, then, where it was not looked for.
    """

    def find(subject: Subject) -> Iterator[Finding]:
        yield from patch.find(subject)
        old = patch.skips(subject) if asked else None
        if old is not None:
            yield patch.note(old)

    front = patch.front
    opt_in = front.opt_in and not asked
    about = partial(page, patch)
    return Fixer(front.name, front.phase, find, patch.changes, False, front.group, opt_in, about=about)
