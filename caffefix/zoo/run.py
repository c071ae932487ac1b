"""Many files: read, repair, and write each where it is wanted."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from caffefix.engine.repair import Request, repair
from caffefix.results import FileResult, Status
from caffefix.syntax.source import Source
from caffefix.zoo.discover import discover
from caffefix.zoo.family import Families
from caffefix.zoo.files import FileError, read, write


def run(
    paths: Iterable[str], request: Request, *, writing: bool, roots: Sequence[str] = ()
) -> Iterator[FileResult]:
    """The outcome of each file, as it is done. One file's failure does not stop the others.

    Args:
        paths: files and folders.
        request: how to repair.
        writing: whether changed files are written.
        roots: folders that solvers' paths may be relative to.
    """
    families = Families(roots)
    for path in discover(paths):
        yield _one(path, request, writing, families)


def run_data(name: str, data: bytes, request: Request, families: Families | None = None) -> FileResult:
    """The outcome for content that is in no file.

    Args:
        name: what to call it; if it is a path, the files beside it are its family.
        data: the content.
        request: how to repair.
        families: where families are found.
    """
    try:
        family = (families or Families()).of(name, data) if request.selection.needs_family() else None
        return repair(Source(name, data), request, diff_name(name), family)
    except Exception as error:  # a mistake of ours must not cost the other files their turn
        reason = f"{name}: internal error, please report it: {type(error).__name__}: {error}"
        return FileResult(name, Status.ERROR, reason)


def _one(path: str, request: Request, writing: bool, families: Families) -> FileResult:
    try:
        data = read(path)
    except FileError as error:
        return FileResult(path, Status.ERROR, str(error))
    result = run_data(path, data, request, families)
    if not writing or result.new is None:
        return result
    try:
        write(path, data, result.new)
    except FileError as error:
        findings = tuple(replace(finding, applied=False) for finding in result.findings)
        return FileResult(path, Status.ERROR, str(error), findings)
    return replace(result, status=Status.CHANGED)


def diff_name(path: str) -> str:
    """The name in a diff: relative to the working folder, so that ``git apply`` takes it there."""
    absolute = os.path.realpath(path)  # git and patch refuse to write through links
    try:
        relative = os.path.relpath(absolute, os.path.realpath(os.curdir))
    except ValueError:  # another drive
        relative = absolute
    if relative.split(os.sep)[0] == os.pardir:
        relative = absolute.lstrip("/")
    return relative.replace(os.sep, "/")
