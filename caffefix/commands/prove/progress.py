"""How far the trainings of a proof are, on a terminal: a bar for each net, with its latest loss."""

from __future__ import annotations

import math
from types import TracebackType
from typing import IO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from caffefix.evidence.training.trial import Watch


class Bars:
    """The bars; they are removed at the end, however it comes. There is no thread: they move when told to."""

    def __init__(self, stream: IO[str], iterations: int) -> None:
        columns = (TextColumn("{task.description}", markup=False), BarColumn(24), MofNCompleteColumn())
        latest = TextColumn("{task.fields[latest]}", markup=False)
        console = Console(file=stream)
        self._progress = Progress(*columns, latest, console=console, auto_refresh=False, transient=True)
        self._iterations = iterations

    def __enter__(self) -> Bars:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def watch(self, *titles: str) -> Watch:
        """What shows the training of nets with these titles."""
        tasks: dict[int, TaskID] = {}

        def show(index: int, done: int, loss: float) -> None:
            if index not in tasks:
                tasks[index] = self._progress.add_task(titles[index], total=self._iterations, latest="")
            latest = _loss(loss) if done else "Caffe starts"
            self._progress.update(tasks[index], completed=done, latest=latest)
            self._progress.refresh()

        return show


def _loss(value: float) -> str:
    return f"loss {value:.4g}" if math.isfinite(value) else "loss is not a number"
