"""Code shared by findings about unregistered names: which Caffe is consulted, and who registers a name."""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.records import dataclass
from caffefix.caffe.caffes import Caffes
from caffefix.caffe.registry import ABORTS, Kind
from caffefix.caffe.schema import load
from caffefix.findings import Finding, Severity, Subject
from caffefix.fixers._layers import listed
from caffefix.syntax.source import short
from caffefix.syntax.tree import Node


@dataclass(frozen=True, slots=True)
class Asked:
    """The Caffe in question: whether it registers a name.

    Attributes:
        kind: the kind of the names.
        caffes: all Caffes against which a file is checked.
        fork: the Caffe that the file is certainly for: named by the user, shown by the log, or its repository's
            own; 0 without one, or if it is unknown what that Caffe registers. BVLC's is used then.
    """

    kind: Kind
    caffes: Caffes
    fork: int

    @property
    def judging(self) -> int:
        """The Caffe in question."""
        return self.fork or load().bit("bvlc")

    @property
    def is_bvlc(self) -> bool:
        """Whether the Caffe in question is BVLC's."""
        return self.judging == load().bit("bvlc")

    @property
    def is_own(self) -> bool:
        """Whether the Caffe in question is the repository's own."""
        return bool(self.fork & self.caffes.own)

    def having(self, name: str) -> int:
        """The Caffes that register a name."""
        return self.caffes.registering(self.kind, name)

    def has(self, name: str) -> bool:
        """Whether the Caffe in question registers a name."""
        return bool(self.having(name) & self.judging)

    def names(self) -> Iterator[str]:
        """The names that the Caffe in question registers."""
        return self.caffes.names(self.kind, self.judging)

    def aborts(self, name: str) -> str:
        """The part of a message that says how the Caffe in question aborts on a name."""
        who = self.caffes.who if self.is_own else f"{load().names(self.judging)[0]}'s Caffe"
        when = " at the first update" if self.kind is Kind.POLICY else ""
        return f'{"Caffe" if self.is_bvlc else who} aborts{when} with "{ABORTS[self.kind]}: {short(name)}"'

    def holders(self, name: str) -> str:
        """The forks that register a name: ``caffe-tvg has it``, ``nvidia, ssd, intel and 4 more have it``."""
        forks = load().names(self.having(name))
        return f"{listed(forks)} {'has' if len(forks) == 1 else 'have'} it" if forks else "no known Caffe has it"

    def unregistered(self, finding: str, name: str, node: Node, layer: str = "") -> Finding:
        """A finding for a name that is not a misspelling.

        It is an error if the Caffe is known; else a note, because other forks have the name, or may have it.

        Args:
            finding: the name of the finding.
            name: the name that is not registered.
            node: the field with the name.
            layer: the layer that the finding is about.
        """
        if self.fork:
            message = f"{self.aborts(name)}; {self.holders(name)}"
            return Finding(finding, Severity.ERROR, message, node, layer)
        having = self.having(name)
        who = "BVLC's " if having else ""
        message = f"{who}{self.aborts(name)}{'' if having else ', unless yours has it'}; {self.holders(name)}"
        if self.kind is not Kind.LAYER:
            message += f" (BVLC's are {', '.join(self.names())})"
        return Finding(finding, Severity.INFO, message, node, layer)


def asked(subject: Subject, kind: Kind) -> Asked:
    """The Caffe in question for the names of a kind in a file."""
    one = subject.named
    by_log = subject.options.log is not None and bool(subject.options.log.fork)
    if not one and by_log and not subject.forks & (subject.forks - 1):
        one = subject.forks
    return Asked(kind, subject.caffes, one & subject.caffes.known(kind))
