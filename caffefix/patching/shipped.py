"""Patches as fixers: those in ``patches/``, and those given by a user.

What the patches in ``patches/`` declare is saved in ``_index.py``, as in ``fixers/_index.py``, and the parsed
patches in ``_compiled.py``, so a run creates only those that its files need. Both are written when the package is
built (``hatch_build.py``), and by ``python -m dev regen``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cache, partial

from caffefix._startup.resources import content, in_source_tree, resource, sum_of
from caffefix.findings import Finding, Pass, Subject
from caffefix.fixers import Fixer, skips_nothing
from caffefix.syntax.tables import checksum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.patching.patch import Patch

SUFFIX = ".patch"
Row = tuple[str, str, int, tuple[str, ...], str, bool, tuple[str, ...]]


def shipped_patches() -> tuple[Patch, ...]:
    """The patches in ``patches/``; the tests check that they come to an end."""
    return tuple(map(_patch, files()))


@cache
def shipped() -> tuple[Fixer, ...]:
    """The same as fixers, in the order of their names."""
    return tuple(_of_file(*row) for row in _rows())


def _rows() -> Iterable[Row]:
    """What they declare: from the index, or from files that have changed since."""
    try:
        from caffefix.patching._index import INDEX, SUMS
    except ImportError:  # a checkout that was never installed
        return map(declared, files())
    if not in_source_tree():
        return INDEX
    known = {row[0]: row for row in INDEX}
    return (known[file] if SUMS.get(file) == sum_of(path(file)) else declared(file) for file in files())


def path(file: str) -> str:
    """Where one of them is."""
    return os.path.join(folder(), file)


def folder() -> str:
    """Where they are."""
    return resource("patches")


def files() -> list[str]:
    """Their names."""
    return sorted(name for name in os.listdir(folder()) if name.endswith(SUFFIX))


@cache
def _patch(file: str) -> Patch:
    from caffefix.patching.load import patch_of

    return patch_of(path(file), content(path(file)), tried=True)


@cache
def make(file: str) -> Patch:
    """A patch without its page, from ``_compiled.py``; a patch that was edited since is read."""
    try:
        from caffefix.patching import _compiled
    except ImportError:
        return _patch(file)
    name = "patch_" + file.removesuffix(SUFFIX).replace("-", "_")
    if _compiled.SUMS.get(name) != checksum(content(path(file))):
        return _patch(file)
    made: Patch = getattr(_compiled, name)()
    return made


def declared(file: str) -> Row:
    """What a patch declares: its row in the index."""
    patch = _patch(file)
    front, needs = patch.front, tuple(sorted(patch.needs))
    return file, front.name, front.runs_in.value, patch.changes, front.group, front.opt_in, needs


def _of_file(
    file: str, name: str, runs_in: int, changes: tuple[str, ...], group: str, opt_in: bool, needs: tuple[str, ...]
) -> Fixer:
    """A patch as the engine runs it; it is read when its findings or its page are requested."""

    def find(subject: Subject) -> Iterator[Finding]:
        from caffefix.patching.matcher import TooManySteps

        try:
            found = list(make(file).find(subject))
        except TooManySteps:  # not requested: a net of fifty megabytes is repaired without it
            found = []
        return iter(found)

    signs = tuple((need,) for need in needs)
    return Fixer(
        name=name,
        runs_in=Pass(runs_in),
        find=find,
        changes=changes,
        needs_family=False,
        group=group,
        opt_in=opt_in,
        signs=signs,
        about=lambda: _page(_patch(file)),
        is_patch=True,
    )


def fixer_of(patch: Patch, *, asked: bool = False) -> Fixer:
    """A patch as the engine runs it.

    Args:
        patch: the patch.
        asked: whether a user gave it; the skipped files are then reported.
    """

    def find(subject: Subject) -> Iterator[Finding]:
        if subject.signs.issuperset(patch.needs):
            yield from patch.find(subject)

    front = patch.front
    return Fixer(
        front.name,
        front.runs_in,
        find,
        patch.changes,
        group=front.group,
        opt_in=front.opt_in and not asked,
        about=partial(_page, patch),
        once=front.once,
        is_patch=True,
        skips=patch.skips if asked else skips_nothing,
    )


def _page(patch: Patch) -> str:
    from caffefix.patching.page import page

    return page(patch)
