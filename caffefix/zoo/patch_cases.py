"""The tests of patches that stand beside them: ``NAME.patch`` is tested by the folders in ``NAME/``.

A case is a folder with ``before.prototxt`` and ``after.prototxt``; without the second, the patch must
find nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from caffefix.engine.patch_test import judge
from caffefix.patch_results import Verdict
from caffefix.patching.patch import Patch
from caffefix.syntax.source import Source
from caffefix.zoo.files import FileError, read
from caffefix.zoo.patches import PatchFileError, load_patch, patch_files


def run_cases(path: str) -> Iterator[Verdict]:
    """The outcome of each case of a patch file, or of a folder of patches.

    Raises:
        PatchFileError: a patch cannot be used, or has no case.
    """
    for file in patch_files(path):
        patch = load_patch(file)
        folders = sorted(p.parent for p in Path(file).with_suffix("").glob("*/before.prototxt"))
        if not folders:
            where = Path(file).with_suffix("") / "CASE"
            raise PatchFileError(f"{file}: there is no test: put before.prototxt and after.prototxt into {where}/")
        for folder in folders:
            yield _run(patch, folder)


def _run(patch: Patch, folder: Path) -> Verdict:
    before, after = folder / "before.prototxt", folder / "after.prototxt"
    try:
        expected = read(str(after)) if after.exists() else None
        return judge(str(folder), patch, Source(str(before), read(str(before))), expected)
    except FileError as error:
        return Verdict(str(folder), False, str(error))
