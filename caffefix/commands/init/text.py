"""The report of ``caffefix init``: one screen."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from caffefix.commands.init.as_toml import told_caffe, told_files, told_findings, told_formats
from caffefix.commands.init.results import Survey
from caffefix.syntax.source import visible

_FEW = 8  # findings that are listed


def render(found: Survey, written: str, folder: str) -> str:
    """What was found, and the next command.

    Args:
        found: what was found.
        written: the file that was written; empty for none.
        folder: the folder, as it was given.
    """
    return "".join(f"{line}\n" for line in _lines(found, written, folder))


def _lines(found: Survey, written: str, folder: str) -> Iterator[str]:
    if written:
        yield f"{visible(written)}: written; every key in it is a comment, so it changes nothing yet"
    yield f"  files     {told_files(found)}"
    if found.formats:
        yield f"  formats   {told_formats(found)}"
    yield f"  Caffe     {visible(told_caffe(found))}"
    yield from (f"            {visible(trouble)}" for trouble in found.troubles)
    if found.learning:
        yield f"  training  {_training(found)}"
    yield from _failing(found)
    table = list(told_findings(found, _FEW))
    if table:
        yield f"  findings  {table[0]}"
        yield from (f"            {line}" for line in table[1:])
    else:
        yield "  findings  none"
    yield f"next: {visible(shlex.join(['caffefix', '--check', folder]))}"


def _training(found: Survey) -> str:
    told = "1 net learns" if found.learning == 1 else f"{found.learning} nets learn"
    if found.loading:
        told += f"; {found.loading} of {found.solvers} solvers name weights to start from"
    if found.pretrained:
        told += f"; .caffemodel files beside nets: {len(found.pretrained)} (see from-scratch)"
    return told


def _failing(found: Survey) -> Iterator[str]:
    if found.unreadable:
        rest = f" and {len(found.unreadable) - 1} more" if len(found.unreadable) > 1 else ""
        yield f"  broken    {visible(found.unreadable[0])}{rest}: cannot be read or parsed (see exclude)"
    if found.refused:
        rest = f" and {len(found.refused) - 1} more" if len(found.refused) > 1 else ""
        yield f"  refused   {visible(found.refused[0])}{rest}: the repair fails a proof"
