"""The command to type after reading what a log shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from caffefix.commands._shared.shell import path_word
from caffefix.evidence.logs.diagnosis import Observation
from caffefix.findings import Applicability, Pass
from caffefix.fixers import fixers
from caffefix.results import Diagnostic

# Observations that are no fault of the log's, but no success either.
DOUBTFUL = frozenset(("loss-at-chance", "loss-does-not-fall"))
# Faults that are not a matter of the net's signals: of the rate, and of files that Caffe cannot use.
_OF_SOLVER = frozenset(("rate-zero", "rate-not-finite"))
_STUCK = DOUBTFUL | {"loss-stuck-at-chance", "loss-stuck-at-prior"}


def next_command(
    log: str, net: str, observations: Iterable[Observation], findings: Sequence[Diagnostic] = ()
) -> tuple[str, ...]:
    """The words of the command, none where the log shows that all is well; what is unknown is in capitals.

    Args:
        log: the log's path.
        net: the net's path; empty if it is not given.
        observations: what the log shows.
        findings: what is found in the net with this log.
    """
    names = {seen.name for seen in observations if seen.is_wrong or seen.name in DOUBTFUL}
    log, net = path_word("TRAIN.LOG" if log in ("-", "<stdin>") else log), path_word(net)
    if not net:
        return ("caffefix", "log", log, "NET") if names else ()
    fixes = _fixes(findings)
    repair = ("caffefix", "--log", log, net)
    if Applicability.SAFE in fixes:
        return (*repair, "--dry-run")
    if names and Applicability.UNSAFE in fixes:
        return (*repair, "--unsafe", "--dry-run")
    if names & _OF_SOLVER:
        return (*repair, "SOLVER", "--notes", "--dry-run")
    if "aborted" in names:
        return (*repair, "--notes", "--dry-run")
    if names and names <= _STUCK:
        return ("caffefix", "prove", net)
    return ("caffefix", "signal", net) if names else ()


def _fixes(findings: Iterable[Diagnostic]) -> set[Applicability]:
    """The safety of the fixes that are made on request; another spelling of the net changes nothing."""
    formats = {fixer.name for fixer in fixers() if fixer.runs_in is Pass.UPGRADE}
    return {found.applicability for found in findings if not found.is_note and found.name not in formats}
