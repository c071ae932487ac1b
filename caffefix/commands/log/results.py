"""What a training log shows: plain facts, without nodes, for reports and for other processes."""

from __future__ import annotations

from caffefix._startup.records import dataclass
from caffefix.evidence.logs.decode import Decoded
from caffefix.evidence.logs.diagnosis import Observation
from caffefix.evidence.logs.forks import Fingerprint
from caffefix.evidence.logs.model import TrainingLog
from caffefix.results import Diagnostic


@dataclass(frozen=True, slots=True)
class Difference:
    """A contradiction between log and net file; lines count from 1, and 0 means no line."""

    message: str
    layer: str
    log_line: int
    net_line: int


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """An observation, and the findings in the net file that explain it.

    ``is_certain`` means that the findings do cause what is observed; otherwise they may.
    """

    observation: Observation
    causes: tuple[Diagnostic, ...] = ()
    is_certain: bool = False


@dataclass(frozen=True, slots=True)
class LogReport:
    """All that is reported about a log.

    Attributes:
        log: its summary.
        fork: the Caffe that wrote it.
        decoded: numbers that were inferred.
        observations: worst first.
        differences: from the net file.
        net: the net file's name; empty without one.
        net_error: why the net file could not be used; empty if it could.
        next: the words of the command that the report ends with; none where there is nothing to do.
    """

    log: TrainingLog
    fork: Fingerprint
    decoded: tuple[Decoded, ...]
    observations: tuple[Diagnosed, ...]
    differences: tuple[Difference, ...] = ()
    net: str = ""
    net_error: str = ""
    next: tuple[str, ...] = ()

    @property
    def is_wrong(self) -> bool:
        """Whether the log shows a fault."""
        return any(d.observation.is_wrong for d in self.observations)
