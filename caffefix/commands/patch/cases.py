"""The tests of patches, stored next to them: ``NAME.patch`` is tested by the folders in ``NAME/``.

A case is a folder with ``before.prototxt`` and ``after.prototxt``; without the second, the patch must
find nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from caffefix.commands.patch.judging import judge
from caffefix.commands.patch.results import PatchVerdict
from caffefix.patching.patch import Patch
from caffefix.syntax.source import Source, visible
from caffefix.zoo.files import FileError, read
from caffefix.zoo.patches import PatchFileError, load_patch, patch_files

_BEFORE, _AFTER = "before.prototxt", "after.prototxt"


def run_cases(path: str) -> Iterator[PatchVerdict]:
    """The result of each case of a patch file, or of a folder of patches.

    Raises:
        PatchFileError: a patch cannot be used, or has no cases.
    """
    for file in patch_files(path):
        patch = load_patch(file)
        folders = _folders(Path(file).with_suffix(""))
        if not folders:
            where = visible(str(Path(file).with_suffix("") / "CASE"))
            raise PatchFileError(
                f"{visible(file)}: the patch has no test: put before.prototxt and after.prototxt into {where}/"
            )
        for folder in folders:
            yield _run(patch, folder)


def _folders(tests: Path) -> list[Path]:
    """The cases: all folders that are not hidden, whatever they contain, and broken links."""
    if not tests.is_dir():
        return []
    inside = (p for p in tests.iterdir() if not p.name.startswith((".", "__")))
    return sorted(p for p in inside if p.is_dir() or (p.is_symlink() and not p.exists()))


def _run(patch: Patch, folder: Path) -> PatchVerdict:
    before, after = folder / _BEFORE, folder / _AFTER
    trouble = _trouble(folder)
    if trouble:
        return PatchVerdict(str(folder), False, trouble)
    try:
        expected = read(str(after)) if after.exists() else None
        return judge(str(folder), patch, Source(str(before), read(str(before))), expected)
    except FileError as error:
        return PatchVerdict(str(folder), False, str(error))


def _trouble(folder: Path) -> str:
    """Why a folder is not a case; empty if it is one. A file with a misspelt name is not silently skipped."""
    if not folder.exists():
        return "the link is broken"
    names = [p.name for p in folder.iterdir()]
    if _BEFORE not in names:
        near = _misspelt(_BEFORE, names)
        return f"no {_BEFORE}" + (f"; should {near} be called that?" if near else "")
    if _AFTER in names and not (folder / _AFTER).exists():
        return f"{_AFTER}: the link is broken"
    near = "" if _AFTER in names else _misspelt(_AFTER, names)
    return f"no {_AFTER}, but {near}: should it be called that?" if near else ""


def _misspelt(wanted: str, names: Iterable[str]) -> str:
    """A name that is similar to the wanted one, ignoring case; empty if there is no such name."""
    stems = {Path(name).stem.lower(): name for name in sorted(names) if name not in (_BEFORE, _AFTER)}
    near = get_close_matches(Path(wanted).stem, stems, 1, 0.75)
    return visible(stems[near[0]]) if near else ""
