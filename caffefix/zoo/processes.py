"""Several processes on this machine as an executor."""

from __future__ import annotations

import gc
import signal
import sys
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from time import monotonic

from caffefix._startup.records import dataclass, field
from caffefix.results import FileResult
from caffefix.zoo.executor import Batch, Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from typing import Any

# Batches per worker that may be in progress or wait for an earlier one: this bounds memory.
_AHEAD = 8
# Seconds that workers have to finish after an interruption, before terminating and before killing them.
_PATIENCE = (0.4, 0.2)


@dataclass(slots=True)
class _Piece:
    """A batch in progress.

    Attributes:
        jobs: all of them.
        results: those that were received but not yet passed on.
        received: how many were received.
    """

    jobs: Batch
    results: deque[FileResult] = field(default_factory=deque)
    received: int = 0

    @property
    def done(self) -> bool:
        return self.received == len(self.jobs)

    def take(self, result: FileResult) -> None:
        self.received += 1
        self.results.append(result)


@dataclass(slots=True)
class _Worker:
    process: Any
    pipe: Connection
    piece: _Piece | None = None


class Processes:
    """Several processes on this machine.

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self.count = count

    def run(self, task: Task, batches: Iterable[Batch]) -> Generator[FileResult, None, None]:
        """The results, in order."""
        pool = _Pool(task, self.count)
        try:
            yield from pool.results(iter(batches))
        finally:
            pool.stop()


class _Pool:
    def __init__(self, task: Task, count: int) -> None:
        import multiprocessing

        # Forking shares what is loaded; it is safe only on Linux.
        self._context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self._task = task
        self._count = count
        self._workers: list[_Worker] = []

    def results(self, batches: Iterator[Batch]) -> Iterator[FileResult]:
        batches = filter(None, batches)
        under_way: deque[_Piece] = deque()  # in order; the first is the next to be passed on
        exhausted = False
        while not exhausted or under_way:
            while not exhausted and len(under_way) < _AHEAD * self._count and self._has_idle():
                batch = next(batches, None)
                if batch is None:
                    exhausted = True
                    break
                under_way.append(_Piece(batch))
                self._give(self._idle(), under_way[-1])
            while under_way and (under_way[0].results or under_way[0].done):
                if under_way[0].results:
                    yield under_way[0].results.popleft()
                else:
                    under_way.popleft()
            if under_way and not under_way[0].results and not under_way[0].done:
                self._receive()

    def _has_idle(self) -> bool:
        return len(self._workers) < self._count or any(w.piece is None for w in self._workers)

    def _idle(self) -> _Worker:
        found = next((w for w in self._workers if w.piece is None), None)
        return found if found is not None else self._start()

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        forked = self._context.get_start_method() == "fork"
        inherited = [ours, *(worker.pipe for worker in self._workers)] if forked else []
        with _held_signals():
            process = self._context.Process(target=_work, args=(self._task, theirs, inherited), daemon=True)
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        return worker

    def _give(self, worker: _Worker, piece: _Piece) -> None:
        worker.piece = piece
        with suppress(OSError):  # it is dead, which is noticed when receiving from it
            worker.pipe.send(piece.jobs[piece.received :])

    def _receive(self) -> None:
        """Wait for workers, and receive their results."""
        from multiprocessing.connection import wait

        busy = {worker.pipe: worker for worker in self._workers if worker.piece is not None}
        for pipe in wait(list(busy)):
            worker = busy[pipe]  # type: ignore[index]
            piece = worker.piece
            assert piece is not None
            try:
                piece.take(worker.pipe.recv())
            except (EOFError, OSError):
                self._bury(worker, piece)
            else:
                if piece.done:
                    worker.piece = None

    def _bury(self, worker: _Worker, piece: _Piece) -> None:
        """Handle a worker's death: its file is lost, and another worker continues with the next file."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join(_PATIENCE[0])
        job = piece.jobs[piece.received]
        piece.take(self._task.lost(job, _cause(worker.process.exitcode)))
        if not piece.done:
            self._give(self._start(), piece)

    def stop(self) -> None:
        """End the workers: those that are working on a file may finish it if they are quick."""
        for worker in self._workers:
            worker.pipe.close()
        for patience, measure in zip(_PATIENCE, ("terminate", "kill"), strict=True):
            deadline = monotonic() + patience
            for worker in self._workers:
                worker.process.join(max(0.0, deadline - monotonic()))
                if worker.process.exitcode is None:
                    getattr(worker.process, measure)()
        for worker in self._workers:
            worker.process.join()


def _cause(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-exitcode).name}"
    return "ended" if exitcode is None else f"ended with status {exitcode}"


@contextmanager
def _held_signals() -> Iterator[None]:
    """Hold an interruption back until a child has started; the child unblocks it once it has its own handlers."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(task: Task, pipe: Connection, inherited: Sequence[Connection]) -> None:
    """A worker: batches in, results out, until the parent is gone."""
    for name in ("SIGINT", "SIGHUP"):  # the parent is interrupted too, and ends the workers
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
    for other in inherited:  # otherwise they would stay open when the parent dies
        other.close()
    gc.freeze()
    try:
        while True:
            batch = pipe.recv()
            task.begin()
            for job in batch:
                pipe.send(_outcome(task, job))
    except (EOFError, OSError):
        return


def _outcome(task: Task, job: str) -> FileResult:
    try:
        return task(job)
    except MemoryError:
        return task.lost(job, "ran out of memory")
    except OSError as error:  # the task's, not the pipe's
        return task.lost(job, f"failed with {type(error).__name__}: {error}")


def _leave(number: int, frame: object) -> None:
    raise SystemExit(1)  # lets what is in progress clean up
