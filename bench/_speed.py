"""How the sections of the speed table measure: CPU time in turns, nets of the corpus, rows of a table."""

from __future__ import annotations

import os
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from caffefix.engine.repair import Request, repair
from caffefix.results import Status
from caffefix.syntax.source import Source

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CAFFEFIX_SHARED", ROOT.parent / "shared"))
RUNS = 7


def cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def medians(runs: int, *works: Callable[[], object]) -> list[float]:
    """The median CPU time of each, run in turns."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(runs):
        for taken, work in zip(times, works, strict=True):
            taken.append(cpu(work))
    return [statistics.median(taken) for taken in times]


def nets(low: int, high: int, most: int) -> list[Path]:
    """Corpus files of that many bytes, of different projects first."""
    found = sorted(p for p in (SHARED / "corpus").rglob("*.prototxt") if low <= p.stat().st_size <= high)
    by_project: dict[str, list[Path]] = {}
    for path in found:
        by_project.setdefault(path.relative_to(SHARED / "corpus").parts[0], []).append(path)
    ranked = sorted((index, path) for paths in by_project.values() for index, path in enumerate(paths))
    return [path for _, path in ranked][:most]


def read(path: Path) -> Source:
    return Source(str(path), path.read_bytes())


def title(text: str) -> None:
    print(f"\n{text}")


def row(name: str, *cells: str) -> None:
    print(f"  {name:<52}" + "".join(f"{cell:>14}" for cell in cells), flush=True)


def is_clean(text: str) -> bool:
    """Whether nothing is to be fixed."""
    return repair(Source("net", text.encode("latin-1")), Request()).status is Status.CLEAN


def children() -> float:
    """CPU seconds of the child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
