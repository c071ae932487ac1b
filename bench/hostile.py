"""Time and memory for files made to be slow: a table, with the growth from 1 MB to 5 MB.

    python bench/hostile.py [--sizes 0.1,1,5] [--limit SECONDS] [--tries N] [NAME…]

Each file is made by a generator in ``_hostile_files.py`` and judged by a process of its own. Growth is what a byte
of the largest file costs, in CPU time and in memory, against one of the file before it; what a start costs is not
counted. 1 is linear. A row that reads above 1.3 is measured again, a few times, and the least cost of each size
counts: a machine with other work to do makes runs slower, never faster. The status is 1 where a growth is above
1.3. docs/limits.md says what is refused instead.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from _hostile_files import CASES, DATA, Case

ROOT = Path(__file__).resolve().parent.parent
_LIMIT = 1.3


@dataclass(frozen=True)
class Cost:
    seconds: float
    megabytes: float
    written: int
    status: int


def measured(case: Case, size: int, limit: float) -> Cost | None:
    """What one run costs; None where it was ended for taking too long."""
    with tempfile.TemporaryDirectory() as folder:
        for name, make in case.beside:
            Path(folder, name).write_text(make(size), encoding="utf-8")
        Path(folder, "net.prototxt").write_text(case.make(size), encoding="utf-8")
        out = os.path.join(folder, "out")
        command = [sys.executable, "-m", "caffefix", *case.args, "--no-cache", "."]
        child = os.fork()
        if child == 0:
            _become(command, folder, out, limit)
        _, ended, usage = os.wait4(child, 0)
        if os.WIFSIGNALED(ended):
            return None
        return Cost(
            usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, os.path.getsize(out), os.WEXITSTATUS(ended)
        )


def least(costs: list[Cost | None], again: list[Cost | None]) -> list[Cost | None]:
    """The lesser of two measurements of each size."""
    return [
        min((c for c in pair if c is not None), key=lambda c: c.seconds, default=None)
        for pair in zip(costs, again, strict=True)
    ]


def _become(command: list[str], folder: str, out: str, limit: float) -> None:
    os.chdir(folder)
    handle = os.open(out, os.O_WRONLY | os.O_CREAT)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    resource.setrlimit(resource.RLIMIT_CPU, (int(limit) or 1,) * 2)
    os.execve(command[0], command, {**os.environ, "PYTHONPATH": str(ROOT)})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="0.1,1,5", help="megabytes, comma-separated")
    parser.add_argument("--limit", type=float, default=120, help="seconds after which a run is ended")
    parser.add_argument("--tries", type=int, default=4, help="times that a row above the limit is measured")
    parser.add_argument("names", nargs="*", help="cases; all by default")
    options = parser.parse_args()
    sizes = [float(size) for size in options.sizes.split(",")]
    idle = measured(Case(lambda n: DATA), 0, options.limit)
    assert idle is not None
    print(f"a file of one layer: {idle.seconds:.2f} s, {idle.megabytes:.0f} MB")
    print(f"{'':34}" + "".join(f"{size:>9g} MB  memory  output" for size in sizes) + "    growth of time, memory")
    worst = 0.0
    for name in options.names or CASES:
        costs = [measured(CASES[name], int(size * 1e6), options.limit) for size in sizes]
        for _ in range(options.tries - 1):
            if max(_growth(sizes, costs, idle)) <= _LIMIT:
                break
            costs = least(costs, [measured(CASES[name], int(size * 1e6), options.limit) for size in sizes])
        growth = _growth(sizes, costs, idle)
        worst = max(worst, *growth)
        print(
            f"{name:34}" + "".join(map(_cell, costs)) + "   " + "".join(f"{g:>7.2f}" for g in growth), flush=True
        )
    return int(worst > _LIMIT)


def _cell(cost: Cost | None) -> str:
    if cost is None:
        return f"{'ended':>10}" + " " * 18
    return f"{cost.seconds:>10.2f} s{cost.megabytes:>6.0f} M{cost.written / 1e6:>6.1f} M"


def _growth(sizes: list[float], costs: list[Cost | None], idle: Cost) -> tuple[float, float]:
    """How much more a byte costs in the last size than in the one before, in time and memory."""
    if len(costs) < 2:
        return 1.0, 1.0
    before, after = costs[-2:]
    if before is None or after is None:
        return float("inf"), float("inf")
    factor = sizes[-1] / sizes[-2]
    times = (after.seconds - idle.seconds) / max(before.seconds - idle.seconds, 0.1) / factor
    space = (after.megabytes - idle.megabytes) / max(before.megabytes - idle.megabytes, 10) / factor
    return times, space


if __name__ == "__main__":
    raise SystemExit(main())
