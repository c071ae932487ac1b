"""What may be done to each file of a run."""

from __future__ import annotations

from caffefix._startup.records import dataclass, replace
from caffefix.caffe.family import Family
from caffefix.engine.repair import Request, repair
from caffefix.results import FileResult
from caffefix.syntax.source import Source
from caffefix.zoo.config import EffectiveConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from caffefix.evidence.logs.evidence import LogEvidence
    from caffefix.zoo.patches import UserPatches
else:
    Protocol = object


class Work(Protocol):
    """How a file is processed; it is sent to other processes, so it must be picklable."""

    def __call__(self, source: Source, in_force: EffectiveConfig, name: str, family: Family) -> FileResult:
        """The result for a file, given its name in the diff and the other files in its folder."""

    def asked(self, in_force: EffectiveConfig) -> str:
        """The complete request as text; empty if results must not be cached."""


@dataclass(frozen=True, slots=True)
class Repairing:
    """Repair with the settings in force.

    Attributes:
        delta: whether results contain what changes in meaning.
        fixes: whether they contain what each fix changes in the text.
        steps: whether they contain what each fixer changes.
        forks: whether they contain which forks accept the files.
        log: what a training log of the files shows; None without a log.
        patches: the user's patches; None if there are none.
    """

    delta: bool = False
    fixes: bool = False
    steps: bool = False
    forks: bool = False
    log: LogEvidence | None = None
    patches: UserPatches | None = None

    def __call__(self, source: Source, in_force: EffectiveConfig, name: str, family: Family) -> FileResult:
        """Repair one file, in memory."""
        return repair(source, self.request(in_force), name, family)

    def asked(self, in_force: EffectiveConfig) -> str:
        """The request, with patches as their texts; results that depend on a log are not cached."""
        if self.log is not None:
            return ""
        request = self.request(in_force)
        texts = self.patches.texts if self.patches is not None else ()
        selection = request.selection
        named = sorted(selection.named)
        plain = replace(selection, patches=(), named=frozenset())
        return repr((replace(request, selection=plain), named, texts))

    def request(self, in_force: EffectiveConfig) -> Request:
        """The request to the engine."""
        request = in_force.request()
        if self.patches is not None:
            request = replace(request, selection=self.patches.added_to(request.selection))
        options = replace(request.options, log=self.log)
        return replace(
            request, delta=self.delta, fixes=self.fixes, steps=self.steps, forks=self.forks, options=options
        )
