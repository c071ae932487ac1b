"""What fixers may use from a log: a few facts, each observed and none guessed."""

from __future__ import annotations

import os
from math import isclose

from caffefix._startup.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.caffe.solver import Solver
    from caffefix.evidence.logs.model import Series, TrainingLog

_EXACT = 1e-3  # a log shows six digits, of floats of 32 bits


@dataclass(frozen=True, slots=True)
class Rates:
    """The learning rates of a log: the first and the last, with their iterations; the lowest, the highest."""

    first_iteration: int
    first: float
    last_iteration: int
    last: float
    low: float
    high: float

    def agree(self, solver: Solver) -> bool:
        """Whether a solver prescribes these rates for these iterations."""
        try:
            first, last = solver.rate(self.first_iteration), solver.rate(self.last_iteration)
        except (ValueError, OverflowError):  # a fork's policy, or numbers that no solver needs
            return False
        pairs = (first, self.first), (last, self.last)
        return all(isclose(one, other, rel_tol=_EXACT, abs_tol=1e-37) for one, other in pairs)


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """Facts of a training log.

    The sets of names are about the layers of the net that was trained; the user says which file this is: one net,
    alone or with its solvers. A solver has no layers: only the other facts are about it. They can only confirm a
    finding, because the solver may have been edited since, or be one of several for the net. The methods give the
    end of a message, or nothing.

    Attributes:
        name: the name of the log, without its folder.
        fork: the schema's name of the fork that wrote it; empty if it is not certain.
        label: fork and version for people.
        starts_gamma_at_zero: whether that version fills BatchNorm's gamma with 0 by default.
        zero_gamma: BatchNorm layers that the log shows with gamma 0.
        zero_weights: layers whose first parameter is exactly 0 throughout.
        other_weights: layers whose first parameter is not.
        zero_tops: layers whose tops are exactly 0 throughout.
        loads_weights: whether weights come from a file.
        starts_anew: whether it shows that none do: a net was set up and trained.
        rates: the learning rates; None if it shows none, or one that is not a number.
        lost_at: the iteration from which the loss is not a finite number; None if it always is.
        saturated: whether a loss ends at -log(FLT_MIN).
        fatal: what Caffe aborted with; empty if it did not.
        is_done: whether the training came to its end.
    """

    name: str
    fork: str = ""
    label: str = ""
    starts_gamma_at_zero: bool = False
    zero_gamma: frozenset[str] = frozenset()
    zero_weights: frozenset[str] = frozenset()
    other_weights: frozenset[str] = frozenset()
    zero_tops: frozenset[str] = frozenset()
    loads_weights: bool = False
    starts_anew: bool = False
    rates: Rates | None = None
    lost_at: int | None = None
    saturated: bool = False
    fatal: str = ""
    is_done: bool = False

    def of_constant_rate(self, solver: Solver) -> str:
        """That the rate stays as it is, where the solver prescribes this."""
        rates = self.rates
        if rates is None or rates.low != rates.high or rates.first_iteration == rates.last_iteration:
            return ""
        span = f"from iteration {rates.first_iteration} to {rates.last_iteration}"
        return f"; {self.name} shows lr = {rates.first:g} {span}" if rates.agree(solver) else ""

    def of_last_rate(self, solver: Solver, below: float) -> str:
        """That the rate falls below a bound, where the solver prescribes this."""
        rates = self.rates
        if rates is None or not rates.last < below or not rates.agree(solver):
            return ""
        return f"; {self.name} shows lr = {rates.last:g} at iteration {rates.last_iteration}"

    def of_abort(self, words: str) -> str:
        """That Caffe aborts with these words; a line end in them is the end of what Caffe says."""
        return f"; {self.name} ends with it" if words in f"{self.fatal}\n" else ""

    def of_divergence(self) -> str:
        """That the loss is no longer a number."""
        if self.lost_at is None:
            return ""
        return f"; {self.name} shows a loss that is not a finite number at iteration {self.lost_at}"


def evidence_of(log: TrainingLog) -> LogEvidence:
    """The facts of a log."""
    from caffefix.evidence.logs.diagnosis import has_zero_gamma, is_saturated
    from caffefix.evidence.logs.forks import fingerprint

    fork = fingerprint(log)
    weights = {t.layer: t.always_zero for t in log.weights_data if t.blob == "0"}
    tops: dict[str, bool] = {}
    for track in log.tops:
        tops[track.layer] = tops.get(track.layer, True) and track.always_zero
    zero = frozenset(name for name, is_zero in weights.items() if is_zero)
    loads = bool(log.weights or log.ignored)
    return LogEvidence(
        name=os.path.basename(log.path),
        fork=fork.fork if fork.is_certain else "",
        label=fork.label,
        starts_gamma_at_zero=fork.zero_gamma and fork.is_certain,
        zero_gamma=frozenset(name for name in zero if has_zero_gamma(log, name)),
        zero_weights=zero,
        other_weights=frozenset(weights) - zero,
        zero_tops=frozenset(name for name, is_zero in tops.items() if is_zero),
        loads_weights=loads,
        starts_anew=not loads and log.nets > 0 and log.loss is not None,
        rates=_rates(log.rate),
        lost_at=log.loss.bad_iteration if log.loss is not None else None,
        saturated=log.loss is not None and is_saturated(log.loss),
        fatal=log.fatal,
        is_done=log.is_done,
    )


def _rates(rate: Series | None) -> Rates | None:
    if rate is None or rate.bad_iteration is not None:
        return None
    return Rates(rate.first_iteration, rate.first, rate.last_iteration, rate.last, rate.low, rate.high)
