"""Proving one file's repair with real Caffe: the original file against the repaired one."""

from __future__ import annotations

from caffefix._startup.records import dataclass
from caffefix.caffe.net import Generation, nets
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.evidence.training.trial import Proof, ProveError, TrialOptions, prove
from caffefix.results import Diagnostic, Status
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source


@dataclass(frozen=True, slots=True)
class Proved:
    """A proof, and the repair that it concerns.

    Attributes:
        path: the net's name as given.
        repaired: name of the file used for the comparison; empty for caffefix's own repair.
        findings: what caffefix's own repair fixed.
        proof: both runs.
    """

    path: str
    repaired: str
    findings: tuple[Diagnostic, ...]
    proof: Proof


def prove_file(source: Source, other: Source | None, request: Request, options: TrialOptions) -> Proved:
    """Train a net before and after its repair in real Caffe.

    Args:
        source: the net.
        other: the repaired net; None for what caffefix would write.
        request: what caffefix repairs.
        options: how to train.

    Raises:
        ProveError: there is no verdict, for example because the file does not parse or its repair is refused.
        Unrepresentable: synthetic data cannot replace something in the net.
        NoCaffeError: no interpreter has Caffe.
    """
    before = _parsed(source)
    findings: tuple[Diagnostic, ...] = ()
    if other is not None:
        after = _parsed(other)
    else:
        after, findings = _repaired(source, request)
    proof = prove(_loadable(source.path, before), _loadable(source.path, after), options)
    return Proved(source.path, other.path if other is not None else "", findings, proof)


def _parsed(source: Source) -> str:
    try:
        parse(source.text)
    except PrototxtError as error:
        raise ProveError(error.render(source)) from None
    return source.text


def _repaired(source: Source, request: Request) -> tuple[str, tuple[Diagnostic, ...]]:
    result = repair(source, request)
    if result.status.failed:
        raise ProveError(result.reason)
    fixed = tuple(finding for finding in result.findings if finding.applied)
    new = result.new if result.status is Status.WOULD_CHANGE and result.new is not None else source.data
    return new.decode("latin-1"), fixed


def _loadable(path: str, text: str) -> str:
    """V0 nets in the form to which Caffe upgrades them; others unchanged."""
    if not any(Generation.V0 in net.generations for net in nets(parse(text))):
        return text
    result = repair(Source(path, text.encode("latin-1")), Request(Selection(select=("legacy-v0-layers",))))
    return result.new.decode("latin-1") if result.new is not None else text
