"""Patches that a user gives: files, folders of files, and names of patches that come with caffefix."""

from __future__ import annotations

import os
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

from caffefix._startup.records import dataclass, replace
from caffefix.engine.select import Selection
from caffefix.fixers import Fixer, fixers
from caffefix.patching.errors import PatchError
from caffefix.patching.front import is_name
from caffefix.patching.load import patch_of
from caffefix.patching.patch import Patch
from caffefix.patching.shipped import SUFFIX, fixer_of, shipped_patches
from caffefix.syntax.source import Source, visible
from caffefix.zoo.files import LIST, FileError, read


class PatchFileError(Exception):
    """A patch that cannot be used; the message says which, where and why."""


def load_patch(path: str) -> Patch:
    """The patch in a file.

    Raises:
        PatchFileError: it cannot be read, is invalid, or has the name of a finding.
    """
    try:
        data = read(path, LIST)
    except FileError as error:
        raise PatchFileError(str(error)) from None
    try:
        patch = patch_of(path, data)
    except PatchError as error:
        raise PatchFileError(error.render(Source(path, data))) from None
    trouble = name_trouble(patch.front.name)
    if trouble:
        raise PatchFileError(f"{visible(path)}: {trouble}")
    return patch


def name_trouble(name: str) -> str:
    """Why a patch may not have a name; empty if it may."""
    if not is_name(name):
        return f"{name!r} cannot be a finding's name: use lower-case letters, digits and hyphens"
    if any(fixer.name == name for fixer in fixers()):
        return f"caffefix has a finding called {name}; give it another name"
    return ""


def patch_files(path: str) -> list[str]:
    """The patch files of a folder, or the file itself.

    Raises:
        PatchFileError: a folder has none.
    """
    if not os.path.isdir(path):
        return [path]
    found = sorted(str(file) for file in Path(path).glob(f"*{SUFFIX}"))
    if not found:
        raise PatchFileError(f"{visible(path)}: there is no *{SUFFIX} file in this folder")
    return found


@dataclass(frozen=True, slots=True)
class UserPatches:
    """The patches of ``--patch``.

    Attributes:
        patches: as fixers.
        named: those given one by one: their unsafe fixes are requested. Of those in a folder, only safe fixes
            are applied, without ``--unsafe``.
        texts: the contents of their files.
    """

    patches: tuple[Fixer, ...]
    named: frozenset[str]
    texts: tuple[bytes, ...] = ()

    def added_to(self, selection: Selection) -> Selection:
        """A selection with the patches; what a configuration file selects is then not used."""
        select = selection.select if selection.by_name else ()
        return replace(selection, select=select, patches=self.patches, named=self.named)


def given(values: Iterable[str]) -> UserPatches:
    """The patches that a user gives.

    Raises:
        PatchFileError: one cannot be used.
    """
    patches: dict[str, Patch] = {}
    named: set[str] = set()
    for value in values:
        for patch in [_find(file) for file in patch_files(value)]:
            _check_name(patch, patches)
            patches[patch.front.name] = patch
            if not os.path.isdir(value):
                named.add(patch.front.name)
    found = tuple(fixer_of(patch, asked=True) for patch in patches.values())
    return UserPatches(found, frozenset(named), tuple(patch.source.data for patch in patches.values()))


def _find(value: str) -> Patch:
    """A patch by its path, or by its name."""
    shipped = {patch.front.name: patch for patch in shipped_patches()}
    if value in shipped and not os.path.exists(value):
        return shipped[value]
    if not value.endswith(SUFFIX) and os.sep not in value and not os.path.exists(value):
        near = get_close_matches(value, shipped, 1)
        hint = (
            f"; did you mean {near[0]}?"
            if near
            else f"; give your own patch as a file, such as {visible(value)}{SUFFIX}"
        )
        raise PatchFileError(f"no patch called {value!r} comes with caffefix{hint}")
    return load_patch(value)


def _check_name(patch: Patch, others: dict[str, Patch]) -> None:
    name = patch.front.name
    other = others.get(name)
    if other is not None and other.source.path != patch.source.path:
        one, another = visible(patch.source.path), visible(other.source.path)
        raise PatchFileError(f"{one}: {another} is also called {name}; give it another name")
