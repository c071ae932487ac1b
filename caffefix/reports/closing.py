"""The end of a text report: what was done, what is left, and what to type next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from caffefix._startup.records import dataclass
from caffefix.caffe.roles import LEARNS
from caffefix.findings import Applicability, Severity
from caffefix.reports.report import Setting
from caffefix.results import Diagnostic, FileResult, Status
from caffefix.syntax.source import visible

# Names that are listed, and commands that are suggested.
_NAMES = 3
_STEPS = 3
# A longer command line is not repeated: only what to add to it is shown.
_COLUMNS = 72


class Summary:
    """Counts over all files; memory does not grow with their number."""

    def __init__(self) -> None:
        self.files = 0
        self.statuses = dict.fromkeys(Status, 0)
        self.fixed = self.left = self.notes = self.suppressed = 0
        self.unsafe: dict[str, int] = {}  # unsafe fixes that are not applied, by finding
        self.unfixable: dict[str, Severity] = {}  # findings that are left without a fix
        self.learns = ""  # a net to train among the changed files, with an error in it

    def add(self, result: FileResult) -> None:
        """Count one file."""
        self.files += 1
        self.statuses[result.status] += 1
        self.suppressed += sum(not d.is_note for d in result.suppressed)
        fixes: set[int] = set()
        for d in result.findings:
            if d.is_note:
                self.notes += 1
            elif d.applied:
                self.fixed += 1
                if d.severity is Severity.ERROR and result.role in LEARNS:
                    self.learns = result.path
            else:
                self._left(d, result, fixes)

    def _left(self, d: Diagnostic, result: FileResult, fixes: set[int]) -> None:
        self.left += 1
        if d.applicability is Applicability.DISPLAY:
            self.unfixable.setdefault(d.name, d.severity)
        # In a refused file --unsafe would not apply it either. Findings may share a fix.
        elif d.applicability is Applicability.UNSAFE and not result.status.failed and d.fix not in fixes:
            fixes.add(d.fix)
            self.unsafe[d.name] = self.unsafe.get(d.name, 0) + 1

    def render(self, setting: Setting) -> str:
        """The closing lines."""
        text = ", ".join(self._counts(notes=setting.notes))
        lines = [text] if len(text) <= setting.width else _wrapped(text, setting.width)
        if setting.line(""):
            steps = [*self._steps(setting)][:_STEPS]
            lines += [f"{'next:' if not index else '':<6}{step}" for index, step in enumerate(_table(steps))]
        return "".join(f"{line}\n" for line in lines)

    def _counts(self, *, notes: bool) -> Iterator[str]:
        yield count(self.files, "file")
        for status, words in (
            (Status.CHANGED, "fixed"),
            (Status.WOULD_CHANGE, "to fix"),
            (Status.REFUSED, "refused"),
            (Status.ERROR, "not read, parsed or written"),
        ):
            if self.statuses[status]:
                yield f"{self.statuses[status]} {words}"
        if not any(self.statuses[s] for s in Status if s is not Status.CLEAN):
            yield "nothing to fix"
        if self.left:
            yield f"{count(self.left, 'finding')} left"
        if self.unsafe:
            total = sum(self.unsafe.values())
            yield f"{count(total, 'unsafe fix', 'unsafe fixes')} not applied ({_some([*self.unsafe])})"
        if self.suppressed:
            yield f"{self.suppressed} suppressed"
        if self.notes and not notes:
            yield f"{count(self.notes, 'note')} (--notes)"

    def _steps(self, setting: Setting) -> Iterator[_Step]:
        """What a reader may want to do next, the most useful first."""
        would = self.statuses[Status.WOULD_CHANGE]
        if would and setting.diffs:
            yield _step(setting, "", f"repairs {'it' if would == 1 else 'them'}")
        elif would:
            yield _step(setting, "--dry-run", "shows the diff")
        if self.unsafe and not setting.unsafe:
            total = sum(self.unsafe.values())
            yield _step(setting, "--unsafe --dry-run", f"shows {count(total, 'fix', 'fixes')} more")
        if self.learns and self.files == 1:
            yield _Step(f"caffefix prove {_quoted(self.learns)}", "trains it with Caffe")
        if self.unfixable:
            worst = min(self.unfixable, key=lambda name: self.unfixable[name] is not Severity.ERROR)
            yield _Step(f"caffefix explain {worst}", "says what to do about it")


@dataclass(frozen=True, slots=True)
class _Step:
    """A command to type, and what it does."""

    line: str
    effect: str


def _step(setting: Setting, what: str, effect: str) -> _Step:
    """A step that is the run's own command line with something else."""
    line = setting.line(what)
    if len(line) > _COLUMNS:
        line = f"add {what}" if what else "leave out --dry-run"
    return _Step(line, effect)


def _quoted(path: str) -> str:
    from shlex import quote

    return quote(visible(path))


def _table(steps: Sequence[_Step]) -> Iterator[str]:
    """Commands and what they do, in two columns."""
    width = max((len(step.line) for step in steps), default=0)
    for step in steps:
        yield f"{step.line:<{width}}  {step.effect}"


def _wrapped(text: str, width: int) -> list[str]:
    from textwrap import wrap

    return wrap(text, width, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMES]) + (", …" if len(names) > _NAMES else "")


def count(number: int, singular: str, plural: str = "") -> str:
    """A number with its noun."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"
