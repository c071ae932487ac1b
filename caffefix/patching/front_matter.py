"""The contents of the front matter of a patch; ``front`` reads it."""

from __future__ import annotations

from caffefix._startup.records import dataclass, field
from caffefix.caffe.net import Phase
from caffefix.caffe.roles import Role
from caffefix.findings import Applicability, Pass, Severity
from caffefix.patching.values import Constraint


@dataclass(frozen=True, slots=True)
class Where:
    """A condition. Empty parts do not apply.

    Attributes:
        of: the message that it is about, by its variable; empty for the body's only layer.
        roles: what the file may be for.
        dialects: forks, one of which the file may be for.
        phase: the only phase in which the layer runs.
        producers, no_producers: types of layers that produce a bottom of it; that produce none.
        consumers, only_consumers, no_consumers: types of layers that read a top of it: at least one reader; all
            readers, and there is one; no reader.
        absent, present: paths from the message.
        offset: where it is in the patch.
    """

    of: str = ""
    roles: tuple[Role, ...] = ()
    dialects: tuple[str, ...] = ()
    phase: Phase | None = None
    producers: tuple[str, ...] = ()
    no_producers: tuple[str, ...] = ()
    consumers: tuple[str, ...] = ()
    only_consumers: tuple[str, ...] = ()
    no_consumers: tuple[str, ...] = ()
    absent: tuple[tuple[str, ...], ...] = ()
    present: tuple[tuple[str, ...], ...] = ()
    offset: int = 0

    @property
    def asks_of_layer(self) -> str:
        """A field of it that applies only to layers; empty if there is none."""
        asked = {
            "phase": self.phase,
            "producer": self.producers,
            "no_producer": self.no_producers,
            "consumer": self.consumers,
            "only_consumer": self.only_consumers,
            "no_consumer": self.no_consumers,
        }
        return next((name for name, value in asked.items() if value), "")

    @property
    def asks_of_message(self) -> bool:
        return bool(self.asks_of_layer or self.absent or self.present)


@dataclass(frozen=True, slots=True)
class Front:
    """The front matter.

    Attributes:
        name: the finding's name.
        summary: one line: the bad pattern.
        message: of its findings; a template. If empty, the summary is used.
        title: of its fixes; a template. If empty, it is generated from the edits.
        runs_in, applicability, severity: as fixers have them.
        opt_in: whether it runs only if it is requested by name.
        once: whether each place is rewritten once per run, even if the result would be matched again.
        preserves_meaning: whether the engine must prove that the net means the same.
        group: the heading under which its page is listed; empty for none.
        sections: of its page in ``explain``, by the heading's field.
        constraints: of variables, by name.
        wheres: conditions; all must hold.
        offsets: where fields are, by name.
    """

    name: str
    summary: str
    message: str = ""
    title: str = ""
    runs_in: Pass = Pass.REPAIR
    applicability: Applicability = Applicability.UNSAFE
    severity: Severity = Severity.WARNING
    opt_in: bool = False
    once: bool = False
    preserves_meaning: bool = False
    group: str = ""
    sections: dict[str, str] = field(default_factory=dict)
    constraints: dict[str, Constraint] = field(default_factory=dict)
    wheres: tuple[Where, ...] = ()
    offsets: dict[str, int] = field(default_factory=dict)
