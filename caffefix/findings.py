"""Findings and fixes: what fixers say, and what they are given to say it about."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from caffefix._startup.records import cached_property, dataclass, field
from caffefix.caffe.caffes import Caffes, known_caffes
from caffefix.caffe.dialect import UNLOADABLE as UNLOADABLE
from caffefix.caffe.dialect import DialectVerdict, judge, root_type
from caffefix.caffe.family import Family
from caffefix.caffe.net import Generation, Net, Phase, nets
from caffefix.caffe.roles import LEARNS, NETS, Role, file_role, loss_stages, role
from caffefix.caffe.schema import load
from caffefix.caffe.solver import Solver, solver_of
from caffefix.caffe.typecheck import Problem
from caffefix.syntax.edits import Edit
from caffefix.syntax.green import Block
from caffefix.syntax.shape_key import field_names
from caffefix.syntax.suppressions import Suppressions
from caffefix.syntax.tree import Document, Node

if TYPE_CHECKING:
    from caffefix.caffe.registry import Kind
    from caffefix.evidence.logs.evidence import LogEvidence
    from caffefix.evidence.prediction import Prediction
    from caffefix.syntax.lookalikes import Lookalike


class Severity(enum.Enum):
    """How bad it is: cannot load or can never learn; probably wrong; good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Applicability(enum.Enum):
    """Who may apply a fix.

    SAFE is applied by default: the net means the same, or the old one could not load or could
    provably never learn, or the edit is inert when weights are loaded. UNSAFE changes what a
    working net computes: only on request. DISPLAY is never applied.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


class Pass(enum.IntEnum):
    """Order in which fixers run: the format first, then what is broken, then what could be better."""

    READ = 0  # what keeps the file from being read
    UPGRADE = 1
    REPAIR = 2
    TUNE = 3
    TIDY = 4  # what is said of the findings themselves, once nothing else changes any more


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that belong together: all of them are made, or none.

    Attributes:
        edits: on nodes of the document that was given.
        applicability: SAFE or UNSAFE.
        title: the edit in a few words: ``mean_value 0.4078 → 104``.
        changes: what it may change in the meaning of the net, if that is not what its fixer
            declares for all its fixes (``CHANGES``).
    """

    edits: tuple[Edit, ...]
    applicability: Applicability
    title: str
    changes: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at a place.

    Attributes:
        name: the bad pattern, as in "allow X": the fixer's name.
        severity: how bad it is.
        message: one line: what is wrong, what Caffe does because of it, what the edit does.
        node: where.
        layer: name of the layer it is about, or empty.
        fix: what to do; findings that only make sense together share one fix.
        span: where, as offsets, if it is no field: a comment.
    """

    name: str
    severity: Severity
    message: str
    node: Node
    layer: str = ""
    fix: Fix | None = None
    span: tuple[int, int] | None = None

    @property
    def is_note(self) -> bool:
        """Whether it is shown on request only: a safe fix is made, and so it is told."""
        return self.severity is Severity.INFO and self.applicability is not Applicability.SAFE

    @property
    def applicability(self) -> Applicability:
        return self.fix.applicability if self.fix is not None else Applicability.DISPLAY


CAFFE = "caffe"
OLD_CAFFE = "caffe-old"


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a user says about the files.

    Attributes:
        from_scratch: whether nets are trained from their fillers; False says that weights are
            loaded, so initial values do not matter.
        dialect: the fork that the files are for; empty to tell it from each file.
        target: ``caffe``, or ``caffe-old`` for Caffe of before 2016, which has no Input layer.
        log: what a training log of the files shows; None without one.
    """

    from_scratch: bool = True
    dialect: str = ""
    target: str = CAFFE
    log: LogEvidence | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What the other fixers say of a file, for those of pass TIDY.

    Attributes:
        names: the findings that were looked for.
        suppressed: the findings that a comment silences.
        known: names of all findings that there are, and when they are looked for.
    """

    names: frozenset[str]
    suppressed: tuple[Finding, ...]
    known: tuple[tuple[str, Pass], ...]


@dataclass
class Subject:
    """One file as fixers see it: views are made when they are first asked for.

    Attributes:
        document: the file.
        options: what the user says about it.
        family: what stands beside it; only fixers with ``NEEDS_FAMILY`` may look at it. (All may ask for the
            role, which a solver beside the file may tell: ``Family.outline``.)
        judged: what the other fixers say of it; only for those of pass TIDY.
        lookalikes: characters for which the file cannot be read: the document is what is meant, place
            for place; for those of pass READ.
    """

    document: Document
    options: Assumptions = field(default_factory=Assumptions)
    family: Family = field(default_factory=Family)
    judged: Judged | None = None
    lookalikes: tuple[Lookalike, ...] = ()
    _predictions: dict[int, Prediction] = field(default_factory=dict, repr=False)

    @cached_property
    def nets(self) -> list[Net]:
        """The nets of the file that can be judged; V0 nets are left to ``legacy-v0-layers``."""
        return [net for net in self.all_nets if Generation.V0 not in net.generations]

    @cached_property
    def all_nets(self) -> list[Net]:
        return list(nets(self.document))

    @cached_property
    def solver(self) -> Solver | None:
        """The file as a solver; None if it is none."""
        return solver_of(self.document)

    @cached_property
    def signs(self) -> frozenset[str]:
        """Names of the file's fields, types of its layers, kinds of what stops every fork's parser, its role
        and those of its nets.

        Fixers declare which of these they look for (``SIGNS``). Types are there as Caffe calls them and
        as the file writes them.
        """
        found = {self.role(None).value}
        root = self.document.root.block
        found.update(root.places(), *{field_names(item) for item in root.items if isinstance(item, Block)})
        for net in self.all_nets:
            found.update([layer.type for layer in net.layers])
            found.update([layer.raw_type for layer in net.layers])
            found.add(self.role(net).value)
        if self.verdict is not None:
            found.update(problem.kind.value for problem in self.refused)
        return frozenset(found)

    @property
    def from_scratch(self) -> bool:
        """Whether its nets start from their fillers: neither the user nor a solver says that weights are loaded.

        Fixers that ask have ``NEEDS_FAMILY``: a solver beside the net may say so.
        """
        inside = self.solver is not None and self.solver.loads_weights
        return self.options.from_scratch and not inside and not self.family.loads_weights

    @cached_property
    def caffes(self) -> Caffes:
        """The Caffes that the file is judged by: the repository's own among them, unless the user names a fork."""
        given = None if self.options.dialect else self.family.caffes
        return given or known_caffes()

    @cached_property
    def own(self) -> int:
        """The repository's own Caffe, if it has such files at all: the file is for it, then."""
        root = root_type(self.document) if self.caffes.own else None
        return self.caffes.own & self.caffes.judging(root) if root is not None else 0

    @cached_property
    def named(self) -> int:
        """The Caffe that the file is for, if the user named it or it lies in the repository; else 0."""
        return load().bit(self.options.dialect) if self.options.dialect else self.own

    @property
    def dialect(self) -> str:
        """Its name; empty where there is none."""
        return next(iter(self.caffes.schema.names(self.named)), "")

    @cached_property
    def verdict(self) -> DialectVerdict | None:
        """What the forks' parsers say of the file."""
        return judge(self.document, self.named, self.caffes)

    @cached_property
    def refused(self) -> tuple[Problem, ...]:
        """What stops every fork, or the one that the file is for."""
        problems = self.verdict.problems if self.verdict is not None else ()
        named = self.named
        return tuple(p for p in problems if (p.forks & named if named else p.forks == p.context))

    @cached_property
    def forks(self) -> int:
        """The known forks that the file may be for: the one named by the user, or all that accept it.

        Of these, the one that wrote the log, where that is certain.
        """
        if self.options.dialect:
            return self.named
        accepting = self.verdict.accepting if self.verdict is not None else load().everyone
        accepting &= load().everyone
        log = self.options.log
        return (accepting & load().bit(log.fork) if log is not None and log.fork else 0) or accepting

    def knows(self, message: str, field: str) -> bool:
        """Whether the repository's own Caffe has a field; True where there is none."""
        variants = self.caffes.schema.messages.get(message, {}).get(field, ()) if self.own else ()
        return not self.own or any(variant.forks & self.own for variant in variants)

    def lacks(self, kind: Kind, name: str) -> bool:
        """Whether the repository's own Caffe is known not to register a name."""
        return bool(self.own & self.caffes.known(kind) & ~self.caffes.registering(kind, name))

    def prediction(self, net: Net) -> Prediction:
        """Predicted signals of one of the file's nets, in TRAIN; made once."""
        from caffefix.evidence.signal import predict  # few files need it

        found = self._predictions.get(id(net))
        if found is None:
            stages = loss_stages(net, Phase.TRAIN)
            found = self._predictions[id(net)] = predict(net, Phase.TRAIN, stages=stages)
        return found

    @cached_property
    def suppressions(self) -> Suppressions:
        """The comments of the file that silence findings."""
        return Suppressions(self.document)

    def suppresses(self, name: str, node: Node) -> bool:
        """Whether a comment silences a finding of that name at a node.

        Fixers need not ask: the engine does. It also leaves out a fix that a silenced finding
        shares with others, so that fixers which share one over layers ask, and fix the rest.
        """
        return self.suppressions.covers(name, node)

    def role(self, net: Net | None) -> Role:
        """What a net is for; a net inside a solver is there to be trained or tested.

        A net that a solver names as one to test with, in a file beside it or inside, is never trained.
        """
        whole = net is None or net.node.parent is None
        found = file_role(self.document) if whole else role(self.document, net)
        return Role.TEST if self.is_tested(net) and found in NETS else found

    def is_tested(self, net: Net | None) -> bool:
        """Whether a solver names the net as one to test with, and none as one to train."""
        if net is None or net.node.parent is None:
            return self.family.is_tested
        return net.node.name == "test_net_param"

    def learns(self, net: Net) -> bool:
        """Whether the net is trained, as far as the file tells."""
        return self.role(net) in LEARNS
