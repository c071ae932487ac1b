"""Findings and fixes: what fixers report, and the subject that they report on."""

from __future__ import annotations

import enum

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

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.caffe.registry import Kind
    from caffefix.evidence.logs.evidence import LogEvidence
    from caffefix.evidence.prediction import Prediction
    from caffefix.syntax.lookalikes import Lookalike


class Severity(enum.Enum):
    """How serious a finding is: cannot load or can never learn; probably wrong; good to know."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Applicability(enum.Enum):
    """When a fix may be applied.

    SAFE is applied by default: the net means the same, or the old one could not load or could
    provably never learn, or the edit is inert when weights are loaded. UNSAFE changes what a
    working net computes and is applied only on request. DISPLAY is never applied.
    """

    SAFE = "safe"
    UNSAFE = "unsafe"
    DISPLAY = "display"


class Pass(enum.IntEnum):
    """The order in which fixers run: first the format, then what is broken, then what could be better."""

    READ = 0  # what keeps the file from being parsed
    UPGRADE = 1
    REPAIR = 2
    TUNE = 3
    TIDY = 4  # findings about findings, once nothing else changes


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits that belong together: either all of them are applied, or none.

    Attributes:
        edits: on nodes of the given document.
        applicability: SAFE or UNSAFE.
        title: the edit in a few words: ``mean_value 0.4078 → 104``.
        changes: what it may change in the meaning of the net, if that differs from what its fixer
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
        severity: how serious it is.
        message: one line: what is wrong, what Caffe does because of it, what the edit does.
        node: the place.
        layer: name of the layer that it concerns, or empty.
        fix: what to do; findings that only make sense together share one fix.
        span: the place as offsets, if it is not a field but a comment.
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
        """Whether it is shown only on request; one with a safe fix is not, because the fix is applied."""
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
        from_scratch: whether nets are trained from their fillers; False means that weights are
            loaded, so initial values do not matter.
        dialect: the fork that the files are for; empty to recognise it from each file.
        target: ``caffe``, or ``caffe-old`` for Caffe before 2016, which has no Input layer.
        log: what a training log of the files shows; None without a log.
    """

    from_scratch: bool = True
    dialect: str = ""
    target: str = CAFFE
    log: LogEvidence | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """What the other fixers report on a file, for those of pass TIDY.

    Attributes:
        names: the findings that were checked for.
        suppressed: the findings that a comment silences.
        known: names of all findings, and the passes in which they are checked for.
    """

    names: frozenset[str]
    suppressed: tuple[Finding, ...]
    known: tuple[tuple[str, Pass], ...]


@dataclass
class Subject:
    """One file as fixers see it: views are computed on first use.

    Attributes:
        document: the file.
        options: what the user says about it.
        family: the other files in its folder; only fixers with ``NEEDS_FAMILY`` may use it. (All may use the
            role, which a solver in the same folder may determine: ``Family.outline``.)
        judged: what the other fixers report on it; only for those of pass TIDY.
        lookalikes: characters that keep the file from being parsed: the document is what they are meant
            to be, at the same offsets; for those of pass READ.
    """

    document: Document
    options: Assumptions = field(default_factory=Assumptions)
    family: Family = field(default_factory=Family)
    judged: Judged | None = None
    lookalikes: tuple[Lookalike, ...] = ()
    _predictions: dict[int, Prediction] = field(default_factory=dict, repr=False)

    @cached_property
    def nets(self) -> list[Net]:
        """The nets of the file that can be checked; V0 nets are left to ``legacy-v0-layers``."""
        return [net for net in self.all_nets if Generation.V0 not in net.generations]

    @cached_property
    def all_nets(self) -> list[Net]:
        return list(nets(self.document))

    @cached_property
    def solver(self) -> Solver | None:
        """The file as a solver; None if it is not one."""
        return solver_of(self.document)

    @cached_property
    def signs(self) -> frozenset[str]:
        """Names of the file's fields, types of its layers, kinds of problems that stop every fork's parser, its
        role and the roles of its nets.

        Fixers declare which of these they check for (``SIGNS``). Types are included both as Caffe calls them and
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

        Fixers that use this have ``NEEDS_FAMILY``: a solver in the same folder may say so.
        """
        inside = self.solver is not None and self.solver.loads_weights
        return self.options.from_scratch and not inside and not self.family.loads_weights

    @cached_property
    def caffes(self) -> Caffes:
        """The Caffes that the file is judged by, including the repository's own unless the user names a fork."""
        given = None if self.options.dialect else self.family.caffes
        return given or known_caffes()

    @cached_property
    def own(self) -> int:
        """The repository's own Caffe, if it reads files of this kind: then the file is for it."""
        root = root_type(self.document) if self.caffes.own else None
        return self.caffes.own & self.caffes.judging(root) if root is not None else 0

    @cached_property
    def named(self) -> int:
        """The Caffe that the file is for, if the user named it or it is in the repository; otherwise 0."""
        return load().bit(self.options.dialect) if self.options.dialect else self.own

    @property
    def dialect(self) -> str:
        """The name of that Caffe; empty if it is unknown."""
        return next(iter(self.caffes.schema.names(self.named)), "")

    @cached_property
    def verdict(self) -> DialectVerdict | None:
        """What the forks' parsers report on the file."""
        return judge(self.document, self.named, self.caffes)

    @cached_property
    def refused(self) -> tuple[Problem, ...]:
        """The problems that stop every fork, or the one that the file is for."""
        problems = self.verdict.problems if self.verdict is not None else ()
        named = self.named
        return tuple(p for p in problems if (p.forks & named if named else p.forks == p.context))

    @cached_property
    def forks(self) -> int:
        """The known forks that the file may be for: the one named by the user, or all that accept it.

        If it is certain which of these wrote the log, only that one.
        """
        if self.options.dialect:
            return self.named
        accepting = self.verdict.accepting if self.verdict is not None else load().everyone
        accepting &= load().everyone
        log = self.options.log
        return (accepting & load().bit(log.fork) if log is not None and log.fork else 0) or accepting

    def knows(self, message: str, field: str) -> bool:
        """Whether the repository's own Caffe has a field; True if the repository has no Caffe."""
        variants = self.caffes.schema.messages.get(message, {}).get(field, ()) if self.own else ()
        return not self.own or any(variant.forks & self.own for variant in variants)

    def lacks(self, kind: Kind, name: str) -> bool:
        """Whether the repository's own Caffe is known not to register a name."""
        return bool(self.own & self.caffes.known(kind) & ~self.caffes.registering(kind, name))

    def prediction(self, net: Net) -> Prediction:
        """Predicted signals of one of the file's nets, in TRAIN; computed once."""
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

        Fixers need not call this: the engine does. The engine also leaves out a fix that a silenced finding
        shares with others, so fixers whose fix spans several layers call this, and fix the rest.
        """
        return self.suppressions.covers(name, node)

    def role(self, net: Net | None) -> Role:
        """What a net is for; a net inside a solver is to be trained or tested.

        A net that a solver uses only for testing, in a file in the same folder or inside the solver, is never
        trained.
        """
        whole = net is None or net.node.parent is None
        found = file_role(self.document) if whole else role(self.document, net)
        return Role.TEST if self.is_tested(net) and found in NETS else found

    def is_tested(self, net: Net | None) -> bool:
        """Whether a solver names the net as one to test with, and no solver as one to train."""
        if net is None or net.node.parent is None:
            return self.family.is_tested
        return net.node.name == "test_net_param"

    def learns(self, net: Net) -> bool:
        """Whether the net is trained, as far as the file shows."""
        return self.role(net) in LEARNS
