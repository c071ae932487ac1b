"""Runs another process: finds, starts, bounds and reads it, and ends it afterwards.

The process leads its own process group, so stopping it ends everything it started. Its output is read by threads
that keep only the end of it, and its files are in a folder that is removed however the run ends.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

_TAIL = 64 << 10  # bytes kept of what a process says
_PROBE_SECONDS = 120.0
_PAUSE = 0.1  # seconds between two looks at a process that is watched
VARIABLE = "CAFFEFIX_CAFFE_PYTHON"

HOW_TO_GET_CAFFE = (
    "  python3.8 -m venv caffe-env && "
    "caffe-env/bin/pip install kendryte-caffe protobuf==3.20.3 numpy==1.24.4\n"
    f"  export {VARIABLE}=caffe-env/bin/python"
)


class NoCaffeError(Exception):
    """No interpreter with Caffe; the message says which were tried and how to get one."""


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended.

    Attributes:
        status: exit status; negative for the signal that ended it; None when it ran out of time.
        output: the end of its standard output.
        errors: the end of its standard error.
    """

    status: int | None
    output: str
    errors: str


def run(
    args: Sequence[str],
    *,
    folder: Path,
    timeout: float,
    environment: Mapping[str, str],
    watch: Callable[[], None] | None = None,
) -> Exit:
    """Run a process in a folder, to its end or for ``timeout`` seconds; ``watch`` is called now and then.

    Raises:
        OSError: it cannot be started.
    """
    process: subprocess.Popen[bytes] | None = None
    tails: list[_Tail] = []
    status: int | None = None
    try:
        with _signals_held():  # otherwise one could arrive before the new process is recorded
            process = subprocess.Popen(
                args,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=os.name == "posix",
            )
        tails = [_Tail(stream) for stream in (process.stdout, process.stderr) if stream is not None]
        status = _wait(process, timeout, watch)
    finally:
        if process is not None:
            _end(process)
        texts = [tail.text() for tail in tails]
    return Exit(status, *texts)


def _wait(process: subprocess.Popen[bytes], timeout: float, watch: Callable[[], None] | None) -> int | None:
    """The exit status; None when the time is up."""
    end = time.monotonic() + timeout
    while True:
        left = max(end - time.monotonic(), 0)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(left if watch is None else min(left, _PAUSE))
        if watch is None or left == 0:
            return None
        watch()


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Signals that stop the program take effect afterwards."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    old = {number: signal.getsignal(number) for number in (signal.SIGINT, *_stopping())}
    for number in old:
        signal.signal(number, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and its group, and collect their exit status: nothing is left behind."""
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


class _Tail:
    """Reads a stream to its end and keeps the last part."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._kept = bytearray()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            while chunk := self._stream.read1(_TAIL):  # type: ignore[attr-defined]
                self._kept += chunk
                del self._kept[:-_TAIL]

    def text(self) -> str:
        """What was kept; a process that still holds the stream open is not waited for long."""
        self._thread.join(5)
        if not self._thread.is_alive():
            self._stream.close()
        return bytes(self._kept).decode("utf-8", "replace")


@contextlib.contextmanager
def work_folder() -> Iterator[Path]:
    """A private folder that is removed at the end, even when the program is told to stop."""
    with _stoppable():
        folder = Path(tempfile.mkdtemp(prefix="caffefix-prove-"))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _stopping() -> list[signal.Signals]:
    return [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


@contextlib.contextmanager
def _stoppable() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind the stack as Ctrl-C does, so that everything is cleaned up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    old = [(number, signal.signal(number, stop)) for number in _stopping()]
    try:
        yield
    finally:
        for number, handler in old:
            signal.signal(number, handler)


# ---------------------------------------------------------------- an interpreter with Caffe

_PROBE = (
    "import sys, caffe; "
    "sys.stdout.write('caffefix-caffe|%s|%s' % (sys.version.split()[0], getattr(caffe, '__version__', '?')))"
)


@dataclass(frozen=True, slots=True)
class Interpreter:
    """A Python that imports Caffe.

    Attributes:
        path: of the interpreter.
        python: its version.
        caffe: Caffe's version as Caffe reports it, or ``?``.
    """

    path: str
    python: str
    caffe: str


def environment() -> dict[str, str]:
    """Our environment, with Caffe set to log only errors."""
    return {**os.environ, "GLOG_minloglevel": "2", "GLOG_logtostderr": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def find_interpreter(asked: str, folder: Path) -> Interpreter:
    """The interpreter that is requested, named by the environment, or found on the PATH.

    Args:
        asked: path or name, or empty.
        folder: where to run it.

    Raises:
        NoCaffeError: none of them imports Caffe.
    """
    named = asked or os.environ.get(VARIABLE, "")
    origin = "--caffe-python" if asked else VARIABLE
    tried = []
    for candidate in [named] if named else ["python3", "python"]:
        found = shutil.which(candidate)
        if found is None:
            what = "is not an executable file" if os.path.lexists(candidate) else "does not exist"
            tried.append(f"{candidate} {what}")
            continue
        problem, interpreter = _probe(os.path.abspath(found), folder)
        if interpreter is not None:
            return interpreter
        tried.append(f"{candidate} {problem}")
    where = f" ({origin})" if named else ""
    reasons = "; ".join(tried)
    raise NoCaffeError(f"no Python with Caffe{where}: {reasons}\nTo get one:\n{HOW_TO_GET_CAFFE}")


def _probe(path: str, folder: Path) -> tuple[str, Interpreter | None]:
    try:
        done = run([path, "-c", _PROBE], folder=folder, timeout=_PROBE_SECONDS, environment=environment())
    except OSError as error:
        return f"cannot be run: {error.strerror or error}", None
    if done.status is None:
        return f"did not answer within {_PROBE_SECONDS:.0f} s", None
    head, _, rest = done.output.partition("caffefix-caffe|")
    python, _, caffe = rest.partition("|")
    if done.status == 0 and rest and not head.strip():
        return "", Interpreter(path, python, caffe)
    last = (done.errors.strip().splitlines() or [""])[-1][:200]
    return (f"cannot import caffe: {last}" if "Error" in last else "is not a Python that imports caffe"), None
