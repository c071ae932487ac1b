"""The repair of one file by what was decided about its fixes."""

from __future__ import annotations

from caffefix._startup.records import dataclass, field, replace
from caffefix.caffe.family import Family
from caffefix.engine.repair import repair
from caffefix.results import Decisions, FileResult
from caffefix.syntax.source import Source
from caffefix.zoo.config import EffectiveConfig
from caffefix.zoo.work import Repairing


@dataclass(frozen=True, slots=True)
class Choosing:
    """Repair as far as it was decided.

    Attributes:
        repairing: the repair without decisions.
        decisions: what was decided so far.
    """

    repairing: Repairing
    decisions: Decisions = field(default_factory=Decisions)

    def __call__(self, source: Source, in_force: EffectiveConfig, name: str, family: Family) -> FileResult:
        """Repair one file, in memory."""
        request = self.repairing.request(in_force)
        return repair(source, replace(request, choices=True, decisions=self.decisions), name, family)

    def asked(self, in_force: EffectiveConfig) -> str:
        """Empty: the result holds for these decisions only, so it is not cached."""
        return ""
