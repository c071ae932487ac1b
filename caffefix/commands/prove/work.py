"""Proving one file's repair with real Caffe: the original file against the repaired one."""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable

from caffefix._startup.records import dataclass, replace
from caffefix.caffe.net import Generation, nets
from caffefix.commands._shared.shell import path_word
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.evidence.training.sources import Unrepresentable
from caffefix.evidence.training.trial import (
    Proof,
    ProveError,
    Side,
    TrialOptions,
    TrialVerdict,
    Watch,
    prove,
)
from caffefix.evidence.training.verdict import Outcome
from caffefix.findings import Applicability
from caffefix.results import Diagnostic, Status
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source
from caffefix.zoo.family import Families
from caffefix.zoo.files import FileError, read

# What shows the trainings of nets with these titles.
Watching = Callable[..., Watch]
# Another training is tried unasked if one took no longer than this.
_QUICK = 30.0  # seconds


@dataclass(frozen=True, slots=True)
class Alternative:
    """An option that would change what is trained after the repair.

    Attributes:
        option: as it is given on the command line.
        what: what it does.
        findings: what it also repairs.
        side: the training with it; None if it was not tried.
        why: why it was not tried; empty if it was.
    """

    option: tuple[str, ...]
    what: str
    findings: tuple[str, ...] = ()
    side: Side | None = None
    why: str = ""

    @property
    def learns(self) -> bool:
        """Whether it was tried, and the net learned."""
        return self.side is not None and self.side.outcome is Outcome.LEARNS


@dataclass(frozen=True, slots=True)
class Proved:
    """A proof, and the repair that it concerns.

    Attributes:
        path: the net's name as given.
        repaired: name of the file used for the comparison; empty for caffefix's own repair.
        findings: what caffefix's own repair fixed.
        proof: both runs.
        alternatives: what else could be tried, if the repaired net does not learn.
    """

    path: str
    repaired: str
    findings: tuple[Diagnostic, ...]
    proof: Proof
    alternatives: tuple[Alternative, ...] = ()


def prove_file(
    source: Source,
    other: Source | None,
    request: Request,
    options: TrialOptions,
    watching: Watching | None = None,
) -> Proved:
    """Train a net before and after its repair in real Caffe.

    Args:
        source: the net.
        other: the repaired net; None for what caffefix would write.
        request: what caffefix repairs.
        options: how to train.
        watching: shows how far Caffe is.

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
    texts = _loadable(source.path, before), _loadable(source.path, after)
    begun = time.monotonic()
    titles = ("before", "after") if texts[0] != texts[1] else ("net",)
    proof = prove(*texts, options, watching(*titles) if watching else None)
    each = (time.monotonic() - begun) / len(titles)
    found: tuple[Alternative, ...] = ()
    if proof.verdict is not TrialVerdict.LEARNS:
        trying = _Trying(options, watching, each)
        unsafe = _with_unsafe(source, after, request, trying) if other is None else None
        helps = unsafe is not None and unsafe.learns
        solver = _with_solver(source, texts[1], trying) if not helps else None
        found = tuple(alternative for alternative in (unsafe, solver) if alternative is not None)
    return Proved(source.path, other.path if other is not None else "", findings, proof, found)


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


# ---------------------------------------------------------------- where the repaired net does not learn


@dataclass(frozen=True, slots=True)
class _Trying:
    """How alternatives are tried: as the proof was, of which one training took ``seconds``."""

    options: TrialOptions
    watching: Watching | None
    seconds: float

    def __call__(self, known: Alternative, text: str, **changed: str) -> Alternative:
        """Train a net with other options, unless this takes long."""
        if self.seconds > _QUICK:
            return replace(known, why=f"not tried, because one training took {self.seconds:.0f} s")
        watch = self.watching(f"with {known.option[0]}") if self.watching else None
        try:
            proof = prove(text, text, dataclasses.replace(self.options, **changed), watch)  # type: ignore[arg-type]
        except (ProveError, Unrepresentable) as error:
            return replace(known, why=f"tried without a verdict: {str(error).splitlines()[0]}")
        return replace(known, side=proof.after)


def _with_unsafe(source: Source, after: str, request: Request, trying: _Trying) -> Alternative | None:
    """The repair with the unsafe fixes as well; None if these change nothing more."""
    selection = replace(request.selection, unsafe=True)
    try:
        text, fixed = _repaired(source, replace(request, selection=selection))
    except ProveError:
        return None
    names = dict.fromkeys(found.name for found in fixed if found.applicability is Applicability.UNSAFE)
    if text == after or not names:
        return None
    known = Alternative(("--unsafe",), f"also repairs {', '.join(names)}", tuple(names))
    return trying(known, _loadable(source.path, text))


def _with_solver(source: Source, text: str, trying: _Trying) -> Alternative | None:
    """The rates of the net's own solver, or the advice to give one; None if the user has chosen the rates."""
    if trying.options.solver is not None or trying.options.rate is not None:
        return None
    solvers = Families().of(source.path, source.data).solvers
    if len(solvers) != 1:
        rates = "trains at the rates of your solver instead of SGD at 0.01"
        many = "several solvers beside the net name" if solvers else "no solver beside the net names"
        return Alternative(("--solver", "FILE"), rates, why=f"not tried, because {many} it")
    path = os.path.join(os.path.dirname(source.path), solvers[0].name)
    try:
        given = read(path).decode("latin-1")
    except FileError:
        return None
    known = Alternative(("--solver", path_word(path)), "trains at the rates of the net's solver")
    return trying(known, text, solver=given)
