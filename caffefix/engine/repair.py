"""Repairing one file: rounds of fixers until nothing changes, then the proofs.

Fixers run in rounds in a fixed order, by pass and name, and each sees the text that those before it
produced. All fixes of one fixer that do not overlap are applied at once; those that overlap wait
for its next turn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.garbage import Uncollected, collect
from caffefix._startup.records import dataclass, field, replace
from caffefix.caffe.change import Change
from caffefix.caffe.dialect import judge
from caffefix.caffe.family import Family
from caffefix.caffe.roles import carry_role
from caffefix.caffe.schema import load
from caffefix.engine import proof
from caffefix.engine.compatible import compatible, distinct
from caffefix.engine.diffs import NUMBER, Titles, in_diffs, named, unsafe_diffs
from caffefix.engine.places import Places
from caffefix.engine.proof import ProofError, UnreadableError
from caffefix.engine.remarks import remarks
from caffefix.engine.run_fixers import Found, run_fixer, run_fixers
from caffefix.engine.select import Selection
from caffefix.findings import Assumptions, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers import Fixer
from caffefix.results import Choice, Decisions, Diagnostic, FileResult, Status, TextFix
from caffefix.syntax.edits import Edit, EditError
from caffefix.syntax.lowering import TextEdit
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.piecetable import ComposedEdit, PieceTable
from caffefix.syntax.source import Source, one_line
from caffefix.syntax.tree import Document

TYPE_CHECKING = False
if TYPE_CHECKING:
    from caffefix.caffe.normal import NormalForm
    from caffefix.engine.steps import RepairSteps

# The name of what adds comments, in the place of a finding's.
SILENCING = "suppress"
# If a file needs more turns than this, its fixes never come to an end.
_LIMIT = 50
# Characters of a line that a diagnostic quotes.
_SHOWN = 160
# A file that grows beyond _GROWTH times its length plus _ROOM characters is being multiplied.
_GROWTH = 16
_ROOM = 1 << 16
# Files of more bytes leave enough garbage at each turn to make collecting it worthwhile.
_LARGE = 1 << 20


@dataclass(frozen=True, slots=True)
class Request:
    """How files are to be repaired.

    Attributes:
        selection: what is checked for, and what may be applied.
        options: what the user says about the files.
        delta: whether results contain what changes in the meaning of the nets.
        fixes: whether results contain what each fix changes in the text.
        steps: whether results contain what each fixer changes, one after another.
        forks: whether results contain which forks accept the files.
        choices: whether results contain the fixes to decide about.
        decisions: what was decided about single fixes; None if all that are selected may be applied.
    """

    selection: Selection = field(default_factory=Selection)
    options: Assumptions = field(default_factory=Assumptions)
    delta: bool = False
    fixes: bool = False
    steps: bool = False
    forks: bool = False
    choices: bool = False
    decisions: Decisions | None = None


def repair(
    source: Source,
    request: Request,
    diff_path: str | None = None,
    family: Family | None = None,
    fixers: Sequence[Fixer] | None = None,
) -> FileResult:
    """Find and fix what is wrong with a file, in memory.

    Args:
        source: the file.
        request: what is checked for, and what may be applied.
        diff_path: the file's name in the diff, relative; by default its path.
        family: the other files in the file's folder; none by default.
        fixers: what changes the file, if not the selected fixers.

    Returns:
        A result with status ``clean``, ``would-change`` (and ``new`` and ``diff`` set),
        ``refused`` or ``error``.
    """
    with Uncollected():
        return _repair(source, request, diff_path, family, fixers)


def _repair(
    source: Source, request: Request, diff_path: str | None, family: Family | None, fixers: Sequence[Fixer] | None
) -> FileResult:
    chosen = request.selection.fixers() if fixers is None else fixers
    try:
        subject = _read(source.text, request.options, family or Family(), chosen)
    except PrototxtError as error:
        place = source.position(error.offset)
        reason = error.render(source)
        return FileResult(source.path, Status.ERROR, reason, line=place.line, column=place.column)
    held: dict[str, str] = {}
    run = _Run(source, request, subject, chosen, held)
    try:
        proof.prints(subject.document)
        while not run.to_fixpoint():
            run = _Run(source, request, subject, chosen, held)
        result = run.result(diff_path or source.path)
        return replace(result, forks=_forks(run.original)) if request.forks else result
    except (ProofError, EditError) as error:
        where = f" (fixing {run.fixing})" if run.fixing else ""
        findings = tuple(replace(d, applied=False) for d in run.applied)
        return FileResult(source.path, Status.REFUSED, f"{source.path}: refused: {error}{where}", findings)


def _read(text: str, options: Assumptions, family: Family, fixers: Sequence[Fixer]) -> Subject:
    """The file as the first fixer sees it: as it is or, if a fixer will correct its characters, as it is meant.

    Raises:
        PrototxtError: the text is not prototxt.
    """
    try:
        return Subject(parse(text), options, family)
    except PrototxtError:
        from caffefix.syntax.lookalikes import as_meant, lookalikes

        found = tuple(lookalikes(text)) if any(fixer.runs_in is Pass.READ for fixer in fixers) else ()
        if not found:
            raise
    # If this cannot be parsed either, the error is what the user must correct: its position is the same.
    return Subject(parse(as_meant(text, found)), options, family, lookalikes=found)


class _Run:
    """One run of the fixers on a file.

    Args:
        source: the file.
        request: what is checked for, and what may be applied.
        subject: the file as the first fixer sees it.
        fixers: what changes the file.
        held: fixers that are held back, and how the Caffe that the file is for rejects their result.
    """

    def __init__(
        self, source: Source, request: Request, subject: Subject, fixers: Sequence[Fixer], held: dict[str, str]
    ) -> None:
        self.source = source
        self.held = held
        self.request = request
        self.fixers = fixers
        self.family = subject.family
        self.original = self.document = subject.document
        self.subject = subject  # shared by fixers until the text changes
        self.table = PieceTable(source.text)
        self.steps = _steps(source) if request.steps else None
        self.round = 0
        self.applied: list[Diagnostic] = []
        self.fixed: dict[str, list[Diagnostic]] = {}  # by the label of their fix
        self.left: list[Finding] = []
        self.suppressed: list[Finding] = []
        self.fixing = ""
        self.rewritten = Places(self.table)  # by patches that rewrite each place once
        self.seen = {source.text}

    def _subject(self, document: Document) -> Subject:
        """A later text as fixers and proofs see it: the role is that of the original file."""
        carry_role(self.original, document)
        return Subject(document, self.request.options, self.family)

    def to_fixpoint(self) -> bool:
        """Run all fixers repeatedly, until a whole round changes nothing.

        Returns:
            Whether this succeeded: if the Caffe that the file is for cannot read what a fixer writes, the fixer
            is held back from now on, and the run must be started again.
        """
        turns = 0
        changed = True
        while changed or self._silence():
            changed = False
            self.left = []
            self.suppressed = []
            for fixer in self.fixers:
                if fixer.runs_in is Pass.TIDY and changed:
                    break  # findings of this round may be gone: the next round decides
                try:
                    taken = self._visit(fixer)
                except UnreadableError as error:
                    self.held[fixer.name] = str(error)
                    return False
                changed |= taken > 0
                turns += taken
                if turns > _LIMIT:
                    raise ProofError(f"the fixes have not finished after {_LIMIT} turns")
            self.round += 1
        self.fixing = ""
        return True

    def _silence(self) -> bool:
        """Add the comments that were decided on, once all else is done; whether there was one to add."""
        if self.request.decisions is None or not self.request.decisions.silenced:
            return False
        reasons = {silenced.key: silenced.reason for silenced in self.request.decisions.silenced}
        asked = [(f, reasons.get(self._diagnostic(f, False).key)) for f in self.left]

        def find(subject: Subject) -> Iterator[Finding]:
            text = self.document.text if subject.document is before else ""
            for reason in dict.fromkeys(reason for _, reason in asked if reason is not None and text):
                for f in remarks(text, [f for f, its in asked if its == reason], reason):
                    yield replace(f, name=SILENCING)

        before = self.document
        return self._visit(Fixer(SILENCING, Pass.REPAIR, find)) > 0

    def _visit(self, fixer: Fixer) -> int:
        """Let a fixer change the text until it proposes nothing; return the number of turns."""
        before, fixed = self.subject, len(self.applied)
        declared: set[str] = set()
        turns = 0
        while True:
            found = self._look(fixer)
            fixes = self._turn(fixer, found.shown)
            if not fixes:
                break
            turns += 1
            if turns > _LIMIT:
                raise ProofError(f"the fixes have not finished after {_LIMIT} turns")
            for fix in fixes:
                declared.update(fixer.changes if fix.changes is None else fix.changes)
            self.subject = self._subject(self.document)
            if len(self.document.text) > _LARGE:
                collect()
            if fixer.runs_in is Pass.TIDY:
                break  # it judges findings of the text before its edits
        if turns:
            # Not after each turn: between its turns a migration has states that no Caffe can read.
            proof.is_read(before, self.subject)
            proof.keeps_meaning(_meaning(before), _meaning(self.subject), sorted(declared))
            if self.steps is not None:
                count = len(set(self.applied[fixed:]))
                self.steps.end(self.round, fixer.runs_in, fixer.name, Titles(before.document), count)
        self.left += [f for f in found.shown if not (fixer.once and self.rewritten.holds(f.fix))]
        self.suppressed += found.suppressed
        return turns

    def _look(self, fixer: Fixer) -> Found:
        """What a fixer finds; without the fixes if it is held back."""
        found = run_fixer(fixer, self.subject, self.fixers, self.suppressed)
        said = self.held.get(fixer.name)
        if said is None:
            return found
        shown = (_held(f, said, fixer, self.subject) if self._applies(f) else f for f in found.shown)
        return replace(found, shown=tuple(shown))

    def _applies(self, finding: Finding) -> bool:
        """Whether a finding's fix may be applied, by what was selected and what was decided."""
        applies = self.request.selection.applies(finding)
        decisions = self.request.decisions
        if decisions is None or finding.fix is None:
            return applies
        if finding.name == SILENCING:
            return True
        return decisions.apply(self._diagnostic(finding, False).key, selected=applies)

    def _wanted(self, findings: Sequence[Finding]) -> list[Fix]:
        """The fixes to apply: none of which a finding was declined, as it would be applied in part only."""
        fixes = distinct(f.fix for f in findings if self._applies(f))
        if self.request.decisions is None:
            return fixes
        declined = {id(f.fix) for f in findings if not self._applies(f)}
        return [fix for fix in fixes if id(fix) not in declined]

    def _check_order(self, fixer: Fixer, edits: Sequence[TextEdit]) -> None:
        """Refuse to let one of the user's patches rewrite what another wrote: their order is not specified."""
        given = {patch.name for patch in self.request.selection.patches}
        if fixer.name not in given or len(given) < 2:
            return
        labels = {label for edit in edits for label in self.table.labels(edit.start, edit.end)}
        others = sorted({label.partition(NUMBER)[0] for label in labels} & given - {fixer.name})
        if others:
            raise ProofError(f"it would rewrite what {others[0]} has written; run the two one at a time")

    def _turn(self, fixer: Fixer, findings: Sequence[Finding]) -> list[Fix]:
        """Apply the fixes that a fixer proposes, as far as they do not overlap."""
        fixes = self._wanted(findings)
        if not fixes:
            return []
        self.fixing = fixer.name
        labels = [f"{fixer.name}{NUMBER}{len(self.fixed) + index}" for index in range(len(fixes))]
        chosen, text_edits = compatible(self.document, fixes, labels, self.rewritten if fixer.once else None)
        if not chosen:
            return []
        self._check_order(fixer, text_edits)
        owners = {id(fix): self.fixed.setdefault(label, []) for label, fix in chosen.items()}
        for finding in findings:
            if id(finding.fix) in owners:
                owners[id(finding.fix)].append(self._diagnostic(finding, True))
        self.applied += [diagnostic for owned in owners.values() for diagnostic in owned]
        self.table.apply(text_edits)
        if self.steps is not None:
            self.steps.apply(text_edits)
        text = self.table.text()
        if text in self.seen:
            raise ProofError("the fixes go in circles")
        if len(text) > _GROWTH * len(self.source.text) + _ROOM:
            raise ProofError(f"the fixes make the file more than {_GROWTH} times as long")
        self.seen.add(text)
        document = proof.parses(self.source.path, text)
        edits: list[Edit] = [edit for fix in chosen.values() for edit in fix.edits]
        proof.keeps_comments(self.document, document, edits)
        if fixer.runs_in is not Pass.TIDY:  # those only change suppressions
            proof.keeps_suppressions(self.document, document, edits)
        self.document = document
        return list(chosen.values())

    def result(self, diff_path: str) -> FileResult:
        """The result, proved."""
        numbers = {id(fix): number for number, fix in enumerate(distinct(f.fix for f in self.left), 1)}
        left = [
            replace(self._diagnostic(finding, False), fix=numbers.get(id(finding.fix), 0)) for finding in self.left
        ]
        suppressed = tuple(self._diagnostic(finding, False) for finding in self.suppressed)
        # A fix that takes several turns is one finding.
        found = dict.fromkeys(self.applied + left)
        findings = tuple(sorted(found, key=lambda d: (d.line, d.column, d.name)))
        unsafe = tuple(unsafe_diffs(self.document, self.left, diff_path))
        role = self.subject.role(None)
        skipped = tuple(fixer.name for fixer in self.fixers if fixer.skips(self.subject))
        edits = self.table.edits()
        choices = self._choices(edits, findings, diff_path) if self.request.choices else ()
        if not edits:
            return FileResult(
                self.source.path,
                Status.CLEAN,
                "",
                findings,
                unsafe=unsafe,
                role=role,
                suppressed=suppressed,
                skipped=skipped,
                choices=choices,
            )
        new = self.document.text.encode("latin-1")
        from caffefix.syntax.diff import unified  # most files do not need it

        title = Titles(self.original)
        diff = unified(in_diffs(diff_path), self.source.text, named(edits), title).encode("latin-1")
        proof.applies(self.source.data, diff, new)
        proof.proposes_nothing(self._proposals(new))
        delta = self._delta() if self.request.delta else ()
        fixes = self._text_fixes(edits, findings) if self.request.fixes else ()
        steps = self.steps.results(in_diffs(diff_path), self.source.data, new) if self.steps else ()
        return FileResult(
            self.source.path,
            Status.WOULD_CHANGE,
            findings=findings,
            diff=diff,
            new=new,
            unsafe=unsafe,
            role=role,
            delta=delta,
            suppressed=suppressed,
            fixes=fixes,
            steps=steps,
            skipped=skipped,
            choices=choices,
        )

    def _choices(
        self, edits: Sequence[ComposedEdit], findings: Sequence[Diagnostic], diff_path: str
    ) -> tuple[Choice, ...]:
        from caffefix.engine.choices import applied, left_out

        order = {(d.key, d.applied): index for index, d in enumerate(findings)}
        made = applied(self.original, edits, findings, self.fixed, diff_path)
        unsafe = (
            (tuple(sorted({order[self._diagnostic(f, False).key, False] for f in members})), diff)
            for members, diff in left_out(self.document, self.left, diff_path)
        )
        return tuple(Choice(indexes, diff) for indexes, diff in (*made, *unsafe))

    def _text_fixes(self, edits: Sequence[ComposedEdit], findings: Sequence[Diagnostic]) -> tuple[TextFix, ...]:
        from caffefix.engine.text_fixes import text_fixes

        return tuple(text_fixes(self.source, edits, findings, self.fixed))

    def _delta(self) -> tuple[Change, ...]:
        """What the repair as a whole changes in meaning."""
        from caffefix.caffe.delta import changes

        old, new = map(self._subject, (self.original, self.document))
        return tuple(changes(_meaning(old), _meaning(new)))

    def _proposals(self, data: bytes) -> list[str]:
        """Names of the findings that a run on a file would fix."""
        subject = self._subject(proof.parses(self.source.path, data.decode("latin-1")))
        lasting = [fixer for fixer in self.fixers if not fixer.once and fixer.name not in self.held]
        names = []
        for found in run_fixers(subject, lasting):
            wanted = set(map(id, self._wanted(found.shown)))
            names += [f.name for f in found.shown if id(f.fix) in wanted]
        return names

    def _diagnostic(self, finding: Finding, applied: bool) -> Diagnostic:
        span = finding.span or (finding.node.start, finding.node.stop)
        start = self.table.original_offset(span[0])
        end = max(start, self.table.original_offset(span[1] - 1) + 1)
        first, last = self.source.position(start), self.source.position(end)
        return Diagnostic(
            name=finding.name,
            severity=finding.severity,
            applicability=finding.applicability,
            message=one_line(finding.message),
            line=first.line,
            column=first.column,
            end_line=last.line,
            end_column=last.column,
            layer=one_line(finding.layer),
            applied=applied,
            title=one_line(finding.fix.title) if finding.fix is not None else "",
            source=self._from(start),
        )

    def _from(self, offset: int) -> str:
        """The rest of a line of the original, shortened: a line may be a megabyte long."""
        end = self.source.text.find("\n", offset, offset + _SHOWN)
        return one_line(self.source.text[offset : offset + _SHOWN if end < 0 else end].rstrip())


def _held(finding: Finding, said: str, fixer: Fixer, subject: Subject) -> Finding:
    """A finding whose fix is not applied because the Caffe that the file is for could not read the result."""
    who = subject.caffes.who if subject.own else f"{subject.dialect}'s Caffe"
    message = f'{finding.message}; not written, because {who} could not read it: "{said}"'
    # An old format is not a fault if that Caffe can read the file and knows no newer format.
    reads = subject.verdict is not None and subject.verdict.accepting & subject.named
    is_old = reads and fixer.runs_in is Pass.UPGRADE and finding.severity is Severity.WARNING
    severity = Severity.INFO if is_old else finding.severity
    return replace(finding, message=message, fix=None, severity=severity)


def _steps(source: Source) -> RepairSteps:
    from caffefix.engine.steps import RepairSteps

    return RepairSteps(PieceTable(source.text))


def _forks(document: Document) -> tuple[str, ...] | None:
    verdict = judge(document)
    return None if verdict is None else tuple(sorted(load().names(verdict.accepting)))


def _meaning(subject: Subject) -> NormalForm:
    from caffefix.caffe.normal import normal_form  # protobuf is imported only if there is something to prove

    return normal_form(subject.document, subject.verdict, subject.named or None)
