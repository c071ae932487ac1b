"""What a curve of losses says.

When a net **learns**: the mean of the last tenth of the losses (five at least) is below a bound,
which lies 15% of the way down from the smaller of two losses to the floor:

- the *baseline*, the loss of the best prediction that ignores the input: the entropy of the
  labels for a softmax, the variance of the targets for a Euclidean loss. As each batch holds all
  classes equally often, no constant prediction can be better, however well the last bias knows
  the labels: a loss below the baseline proves that the input reaches the output;
- the *initial* loss, the mean of the first three, so that a lucky draw of the weights is not called learning.

The *floor* is the smallest loss that targets allow: 0, or the entropy of targets between 0 and 1.
A loss that is NaN or infinite **diverges**. A net that Caffe cannot build **does not load**.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence

# How far below the baseline a loss must be to count as learned.
_MARGIN = 0.15
_TAIL_SHARE = 10
_LEAST_TAIL = 5
_HEAD = 3


class Outcome(enum.Enum):
    """What training did, worst first."""

    UNLOADABLE = "does not load"
    DIVERGES = "diverges"
    STUCK = "does not learn"
    LEARNS = "learns"

    @property
    def rank(self) -> int:
        return list(Outcome).index(self)


def mean_tail(losses: Sequence[float]) -> float:
    """Mean of the last tenth of the losses, five at least; nan if there are none."""
    tail = losses[-max(_LEAST_TAIL, len(losses) // _TAIL_SHARE) :]
    return sum(tail) / len(tail) if tail else math.nan


def bound(losses: Sequence[float], baseline: float, floor: float) -> float:
    """The loss below which a net has learned; the module's docstring says why."""
    head = losses[:_HEAD]
    start = min([baseline, sum(head) / len(head)] if head else [baseline])
    return start - _MARGIN * max(start - floor, 0.0)


def outcome(losses: Sequence[float], baseline: float, floor: float) -> Outcome:
    """What a curve of losses says."""
    if not losses or not all(map(math.isfinite, losses)):
        return Outcome.DIVERGES
    return Outcome.LEARNS if mean_tail(losses) < bound(losses, baseline, floor) else Outcome.STUCK
