"""Asking about the fixes of one file, one by one, as ``git add -p`` asks about hunks."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence

from caffefix._startup.records import dataclass
from caffefix.commands.repair.interactive.answers import Answer, Answers, Reply
from caffefix.engine.remarks import ReasonError, checked_reason
from caffefix.reports.as_text import Paint, diff_text, findings_text
from caffefix.reports.report import Setting
from caffefix.results import Choice, Diagnostic, FileResult

_HELP = """\
y  apply this fix
n  do not apply it
u  apply it although it is unsafe: it changes what a working net computes
a  apply it and all later ones in this file; of the unsafe ones none
d  do not apply it, nor any later one in this file
s  do not apply it, and silence the finding with a comment that gives a reason
e  explain the finding
v  show all of a long diff
b  go back to the fix before
q  apply what was chosen so far in this file, and stop
?  this help
"""


class End(enum.Enum):
    """How the questions about a file end."""

    ANSWERED = enum.auto()
    QUIT = enum.auto()


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where questions are asked.

    Attributes:
        say: writes text.
        read: asks for a line; raises ``KeyboardInterrupt`` if nobody answers any more.
        paint: colours text.
        lines: of a diff that are shown at first; 0 for all.
    """

    say: Callable[[str], None]
    read: Callable[[str], str]
    paint: Paint
    lines: int = 0


class Dialogue:
    """The questions about one file.

    Args:
        terminal: where they are asked.
        setting: how findings are shown.
        result: the file, with its choices.
        keep: is given each answer as soon as it is there.
    """

    def __init__(
        self, terminal: Terminal, setting: Setting, result: FileResult, keep: Callable[[Answers], None]
    ) -> None:
        self._terminal = terminal
        self._setting = setting
        self._result = result
        self._keep = keep
        self._answers: Answers = {}
        self._prompt = ""

    def ask(self, choices: Sequence[Choice], first: int = 0) -> tuple[End, Answers]:
        """Ask about choices, from one of them on.

        Raises:
            KeyboardInterrupt: nobody answers any more.
        """
        index = first
        while index < len(choices):
            self._show(choices[index], index, len(choices))
            step = self._question(choices, index)
            if step is None:
                return End.QUIT, self._answers
            index = max(index + step, 0)
        return End.ANSWERED, self._answers

    def _show(self, choice: Choice, index: int, number: int) -> None:
        say, paint = self._terminal.say, self._terminal.paint
        say("\n" + findings_text(self._result.path, self._findings(choice), self._setting, paint))
        lines = self._diff(choice)
        most = self._terminal.lines if len(lines) > self._terminal.lines > 0 else len(lines)
        say("".join(f"{line}\n" for line in lines[:most]))
        if most < len(lines):
            say(paint(f"… {len(lines) - most} more lines of this diff (v)", "dim") + "\n")
        risk = self._risk(choice)
        keys = f"{'u' if risk else 'y'},n,a,d,s,e,{'v,' if most < len(lines) else ''}b,q,?"
        self._prompt = f"({index + 1}/{number}) Apply this {risk}fix [{keys}]? "

    def _diff(self, choice: Choice) -> list[str]:
        """The lines of a diff, without the file's name."""
        return diff_text(choice.diff, self._terminal.paint).rstrip("\n").split("\n")[2:]

    def _question(self, choices: Sequence[Choice], index: int) -> int | None:
        """Ask until there is an answer; how far to go on, None for no further."""
        choice = choices[index]
        while True:
            key = self._terminal.read(self._terminal.paint(self._prompt, "path")).strip().lower()
            if key == "q":
                return None
            if key == "b":
                return -1
            if key in ("a", "d"):
                for later in choices[index:]:
                    wanted = key == "a" and not self._risk(later)
                    self._decide(later, Answer(Reply.YES if wanted else Reply.NO))
                return len(choices)
            answer = self._answer(choice, key)
            if answer is not None:
                self._decide(choice, answer)
                return 1

    def _answer(self, choice: Choice, key: str) -> Answer | None:
        """The answer that a key means for a fix; None, with an explanation, if it means none."""
        risk = self._risk(choice)
        if key == "n" or (key == "y" and not risk):
            return Answer(Reply(key))
        if key == "u" and risk:
            return Answer(Reply.UNSAFE)
        if key == "s":
            return self._silencing()
        if key == "e":
            for name in dict.fromkeys(d.name for d in self._findings(choice)):
                self._terminal.say(f"\n{self._setting.page(name).strip()}\n\n")
        elif key == "v":
            self._terminal.say("".join(f"{line}\n" for line in self._diff(choice)))
        elif key == "y":
            self._terminal.say("this fix changes what a working net computes: u applies it, n does not\n")
        elif key == "u":
            self._terminal.say("this fix is safe: y applies it\n")
        elif key:
            self._terminal.say(_HELP)
        return None

    def _silencing(self) -> Answer | None:
        """Ask for the reason; None if there is none that can be written."""
        reason = self._terminal.read("Reason, for the comment: ").strip()
        if not reason:
            self._terminal.say("not silenced: there is no reason\n")
            return None
        try:
            return Answer(Reply.SUPPRESS, checked_reason(reason))
        except ReasonError as error:
            self._terminal.say(f"not silenced: {error}\n")
            return None

    def _decide(self, choice: Choice, answer: Answer) -> None:
        answers = dict.fromkeys((d.key for d in self._findings(choice)), answer)
        self._answers.update(answers)
        self._keep(answers)

    def _risk(self, choice: Choice) -> str:
        """A word about the fix if it is one that is not applied without being allowed."""
        return "" if any(d.applied for d in self._findings(choice)) else "unsafe "

    def _findings(self, choice: Choice) -> list[Diagnostic]:
        return [self._result.findings[index] for index in choice.findings]
