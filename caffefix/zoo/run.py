"""Many files: read, repair, and write each where it is wanted."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TypeAlias

from caffefix.caffe.family import Family
from caffefix.engine.repair import Request, repair
from caffefix.results import FileResult, Status
from caffefix.syntax.source import Source
from caffefix.zoo.config import Configuration, InForce
from caffefix.zoo.discover import discover
from caffefix.zoo.family import Families
from caffefix.zoo.files import FileError, read, write

# How a file is worked on: the file, what is in force for it, its name in the diff, what is beside it.
Work: TypeAlias = Callable[[Source, InForce, str, Family], FileResult]


def repairing(adjust: Callable[[Request], Request] = lambda request: request) -> Work:
    """Repair as is in force; ``adjust`` has the last word on the request."""
    return lambda source, in_force, name, family: repair(source, adjust(in_force.request()), name, family)


def run(
    paths: Iterable[str], configuration: Configuration, work: Work, *, writing: bool, roots: Sequence[str] = ()
) -> Iterator[FileResult]:
    """The outcome of each file, as it is done. One file's failure does not stop the others.

    What is in force is found out for all files before the first is worked on: a mistake in a
    configuration file stops the run while everything is as it was.

    Args:
        paths: files and folders.
        configuration: says what is in force for each file.
        work: what is done to each.
        writing: whether changed files are written.
        roots: folders that solvers' paths may be relative to.

    Raises:
        ConfigError: a configuration file cannot be used.
    """
    families = Families(roots)
    found = [configuration.of(path) for path in discover(paths, configuration.excludes)]
    return (_one(in_force, work, writing, families) for in_force in found)


def run_data(in_force: InForce, data: bytes, work: Work, families: Families | None = None) -> FileResult:
    """The outcome for the content of a file, or for content that is in no file.

    Args:
        in_force: what to call it, and what is in force; if its name is a path, the files beside it are
            its family.
        data: the content.
        work: what is done to it.
        families: where families are found.
    """
    name = in_force.path
    try:
        needed = in_force.request().selection.needs_family()
        family = (families or Families()).of(name, data) if needed else Family()
        return work(Source(name, data), in_force, diff_name(name), family)
    except Exception as error:  # a mistake of ours must not cost the other files their turn
        reason = f"{name}: internal error, please report it: {type(error).__name__}: {error}"
        return FileResult(name, Status.ERROR, reason)


def _one(in_force: InForce, work: Work, writing: bool, families: Families) -> FileResult:
    path = in_force.path
    try:
        data = read(path)
    except FileError as error:
        return FileResult(path, Status.ERROR, str(error))
    result = run_data(in_force, data, work, families)
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
