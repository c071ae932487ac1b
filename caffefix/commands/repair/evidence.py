"""``--log``: what a training log shows, and of which files it may be evidence.

A log names layers, and many nets have a conv1. So it is evidence for one net, and for the solvers that train this
net; a solver has no layers, and of the rates that a log shows, fixers use only those that the solver prescribes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from caffefix.caffe.family import Member
from caffefix.commands._shared.errors import fail, misuse
from caffefix.commands._shared.output import say
from caffefix.evidence.logs.evidence import LogEvidence, evidence_of
from caffefix.syntax.source import one_line, short, visible
from caffefix.zoo import logs
from caffefix.zoo.family import Families
from caffefix.zoo.files import FileError, read


def evidence(log: str, paths: Sequence[str], roots: Sequence[str]) -> LogEvidence:
    """What a log shows; a log that cannot be read, or is not of these files, ends the run before it starts.

    Args:
        log: the log.
        paths: the files of the run.
        roots: folders that solvers' paths may be relative to.
    """
    if log == "-" in paths:
        raise misuse("- is standard input: it cannot be both the log and the file")
    folder = next(filter(os.path.isdir, paths), None)
    if folder is not None:
        raise misuse(
            f"--log is evidence for one net: name its file (and its solver's), not the folder {visible(folder)}"
        )
    if len(paths) > 1:
        _check_pair(paths, roots)
    try:
        return evidence_of(logs.read(log))
    except FileError as error:
        fail(str(error))


def _check_pair(paths: Sequence[str], roots: Sequence[str]) -> None:
    """Refuse files that are not one net and its solvers."""
    members = {path: _member(path) for path in paths}
    if None in members.values():
        return
    solvers = {
        path: member for path, member in members.items() if member is not None and member.solver is not None
    }
    others = [path for path in members if path not in solvers]
    if len(others) != 1:
        shown = f"there are {len(others)}: {_some(others)}" if others else "there is none, but several solvers"
        raise misuse(f"--log is evidence for one net, alone or with its solver; {shown}")
    for path, member in solvers.items():
        _check_solver(path, member, others[0], roots)


def _check_solver(path: str, member: Member, net: str, roots: Sequence[str]) -> None:
    """Refuse a solver of another net; one whose net is nowhere to be found may be this net's."""
    if member.solver is None or not member.solver.train_nets:
        return
    trained = _some(sorted(member.nets_trained) or ["a net of its own"])
    files = Families(roots).trained_by(path, member)
    if os.path.realpath(net) in files:
        return
    if files or not member.nets_trained:
        raise misuse(
            f"{visible(path)} is not a solver of {visible(net)}: it trains {trained}; the log is evidence "
            "for one net and its own solvers (--root DIR says what their paths are relative to)"
        )
    if all(_file_name(name) != os.path.basename(net) for name in member.nets_trained):
        what = f"{trained}, and there is no such file: taken as a solver of {visible(net)}"
        say(sys.stderr, f"warning: {visible(path)} trains {what}\n")


def _file_name(path: str) -> str:
    """The last part of a path in a solver, which may be one of Windows."""
    return os.fsdecode(path.encode("latin-1")).replace("\\", "/").rpartition("/")[2]


def _member(path: str) -> Member | None:
    """A file; None if it cannot be read, which is reported when it is processed."""
    try:
        return Member(os.path.basename(path), read(path).decode("latin-1"))
    except FileError:
        return None


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(one_line(short(name)) for name in names[:2]) + more
