"""``caffefix -i``: a run that asks about each fix. What it writes is proved like any other repair."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import suppress

from caffefix._startup.records import dataclass, replace
from caffefix.commands.repair.interactive.answers import Answers, Memory, Reply, decisions
from caffefix.commands.repair.interactive.dialogue import Dialogue, End, Terminal
from caffefix.commands.repair.interactive.work import Choosing
from caffefix.engine.repair import SILENCING
from caffefix.reports.report import Setting
from caffefix.results import Choice, FileResult, Status
from caffefix.syntax.source import visible
from caffefix.zoo.files import FileError, digest_of, read
from caffefix.zoo.run import Run
from caffefix.zoo.work import Repairing


@dataclass(slots=True)
class Asking:
    """A run in which someone decides about each fix.

    Attributes:
        run: over the files, which it may write.
        repairing: the repair without decisions.
        terminal: where questions are asked.
        setting: how findings are shown.
        again: whether to ask about what was declined in an earlier run, too.
        remembered: how many fixes were not asked about because they were declined in an earlier run.
        has_quit: whether the run was ended before the last file.
    """

    run: Run
    repairing: Repairing
    terminal: Terminal
    setting: Setting
    again: bool = False
    remembered: int = 0
    has_quit: bool = False

    @property
    def written(self) -> Sequence[str]:
        """The files written so far, in order."""
        return self.run.written

    def __len__(self) -> int:
        return len(self.run)

    def __iter__(self) -> Generator[FileResult, None, None]:
        self.run.task.begin()
        for number, path in enumerate(self.run.paths, 1):
            yield self._file(path, f"{visible(path)} ({number} of {len(self)})")
            if self.has_quit:
                self.terminal.say(f"stopped after {number} of {len(self)} files; run again to continue\n")
                break
        if self.remembered:
            fixes = "1 fix that was" if self.remembered == 1 else f"{self.remembered} fixes that were"
            self.terminal.say(f"{fixes} declined before: not asked about again (--ask-again)\n")

    def _file(self, path: str, title: str) -> FileResult:
        """Ask about a file, and repair it as decided."""
        assert self.run.writer is not None
        try:
            self.run.writer.check_git(path)
            digest = digest_of(read(path))
        except FileError as error:
            return FileResult(path, Status.ERROR, str(error))
        found = self._repaired(path, Answers())
        if found.status.failed or not found.choices:
            return replace(found, new=None)  # nothing is written that was not asked about
        memory = Memory(path)
        answers = Answers() if self.again else memory.load(digest)
        result = self._asked(found, title, answers, memory, digest)
        if result.new is None:
            return result
        if result.digest != digest:
            reason = f"{visible(path)}: not written: it was changed while you decided; run again"
            return FileResult(path, Status.ERROR, reason)
        written = self.run.writer(result)
        if written.status is Status.CHANGED:
            self._remember(written, answers, memory)
        return written

    def _asked(self, found: FileResult, title: str, answers: Answers, memory: Memory, digest: bytes) -> FileResult:
        """Ask until everything is answered, including what the answers bring up; the repair as decided."""
        kept = sum(_is_declined(found, choice, answers) for choice in found.choices)
        is_new = True
        while True:
            open_ = [choice for choice in found.choices if not _is_answered(found, choice, answers)]
            if not open_ and is_new and any(answer.reply is not Reply.NO for answer in answers.values()):
                open_ = [found.choices[-1]]  # all was answered, but the run ended: the last question again
            if not open_:
                self.remembered += kept
                return self._repaired(found.path, answers) if is_new else found
            if is_new:
                self.terminal.say(f"\n{self.terminal.paint(title, 'path')}\n")
                is_new = False
            dialogue = Dialogue(self.terminal, self.setting, found, lambda some: memory.add(digest, some))
            end, given = dialogue.ask(open_)
            answers.update(given)
            if end is End.QUIT:
                self.has_quit = True
                return self._repaired(found.path, answers, only=True)
            found = self._repaired(found.path, answers)
            if found.status.failed:
                return found

    def _repaired(self, path: str, answers: Answers, *, only: bool = False) -> FileResult:
        """The repair with these answers, in memory; with ``only``, what was not answered is left as it is."""
        self.run.task.work = Choosing(self.repairing, decisions(answers, only=only))
        return self.run.task(path)

    def _remember(self, written: FileResult, answers: Answers, memory: Memory) -> None:
        """Keep what was declined for the new content, in which it has moved."""
        declined = {
            _content(written, index)
            for index, d in enumerate(written.findings)
            if d.key in answers and answers[d.key].reply is Reply.NO and not d.applied
        }
        after = self._repaired(written.path, Answers())
        answer = next((a for a in answers.values() if a.reply is Reply.NO), None)
        moved = [i for choice in after.choices for i in choice.findings if _content(after, i) in declined]
        kept = {after.findings[i].key: answer for i in moved} if answer is not None else {}
        with suppress(FileError):  # the file is gone: there is nothing to remember
            memory.replace(digest_of(read(written.path)), kept)


def _is_answered(found: FileResult, choice: Choice, answers: Answers) -> bool:
    members = (found.findings[index] for index in choice.findings)
    return all(d.key in answers or d.name == SILENCING for d in members)


def _is_declined(found: FileResult, choice: Choice, answers: Answers) -> bool:
    replies = (answers.get(found.findings[index].key) for index in choice.findings)
    return all(answer is not None and answer.reply is Reply.NO for answer in replies)


def _content(found: FileResult, index: int) -> tuple[str, str, str]:
    """What a finding is about, wherever it is."""
    d = found.findings[index]
    return d.name, d.layer, " ".join(d.source.split())
