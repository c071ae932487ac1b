"""What the findings about unregistered names share: which fork is asked, and who registers a name."""

from __future__ import annotations

from caffefix.caffe.registry import ABORTS, Kind, known, names, registering
from caffefix.caffe.schema import load
from caffefix.findings import Finding, Severity, Subject
from caffefix.fixers._layers import listed
from caffefix.syntax.tree import Node


def asked(subject: Subject, kind: Kind) -> int:
    """The fork that the file is certainly for: named by the user, or shown by the log; 0 without one.

    A fork of which it was not read what it registers is none.
    """
    certain = bool(subject.options.dialect) or (subject.options.log is not None and bool(subject.options.log.fork))
    one = subject.forks if certain and not subject.forks & (subject.forks - 1) else 0
    return one & known(kind)


def aborts(kind: Kind, name: str, fork: int) -> str:
    """What Caffe says of a name, or the fork that is asked for."""
    who = f"{load().names(fork)[0]}'s Caffe" if fork and fork != load().bit("bvlc") else "Caffe"
    when = " at the first update" if kind is Kind.POLICY else ""
    return f'{who} aborts{when} with "{ABORTS[kind]}: {name}"'


def unregistered(finding: str, kind: Kind, name: str, node: Node, fork: int, layer: str = "") -> Finding:
    """A name that is no slip: an error where the fork is known; else a note, for other forks have it, or may.

    Args:
        finding: its name.
        kind: what is registered.
        name: the name that is not.
        node: where.
        fork: the fork that is asked for; 0 without one.
        layer: the layer that it is about.
    """
    having = registering(kind, name)
    others = holders(kind, name) if having else "no known Caffe has it"
    if fork:
        return Finding(finding, Severity.ERROR, f"{aborts(kind, name, fork)}; {others}", node, layer)
    who = "BVLC's " if having else ""
    message = f"{who}{aborts(kind, name, 0)}{'' if having else ', unless yours has it'}; {others}"
    if kind is not Kind.LAYER:
        message += f" (BVLC's are {', '.join(names(kind, load().bit('bvlc')))})"
    return Finding(finding, Severity.INFO, message, node, layer)


def holders(kind: Kind, name: str) -> str:
    """The forks that register a name: ``caffe-tvg has it``, ``nvidia, ssd, intel and 4 more have it``."""
    forks = load().names(registering(kind, name))
    return f"{listed(forks)} {'has' if len(forks) == 1 else 'have'} it"
