"""What fixers may use from a log: a few facts, each observed and none guessed."""

from __future__ import annotations

import os

from caffefix._startup.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.evidence.logs.model import TrainingLog


@dataclass(frozen=True, slots=True)
class LogEvidence:
    """Facts of a training log.

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


def evidence_of(log: TrainingLog) -> LogEvidence:
    """The facts of a log."""
    from caffefix.evidence.logs.diagnosis import has_zero_gamma
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
    )
