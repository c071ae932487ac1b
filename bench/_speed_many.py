"""Sections of the speed table on many files and on big ones: rates, memory, growth, diffs."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from _speed import cpu, is_clean, medians, nets, read, row, title

from caffefix.engine.repair import Request, repair
from caffefix.syntax.diff import unified
from caffefix.syntax.edits import Edit, Replace
from caffefix.syntax.lowering import lower
from caffefix.syntax.parse import forget_lines, parse
from caffefix.syntax.piecetable import PieceTable
from caffefix.syntax.source import Source


def varied(text: str, number: int) -> str:
    """A net with other names of blobs and layers, and nothing else."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        head, quote, rest = line.partition('"')
        if quote and head.strip() in ("name:", "bottom:", "top:"):
            lines[index] = f'{head}"v{number}_{rest}'
    return "\n".join(lines)


def _bulk_texts(count: int) -> list[str]:
    """Distinct nets in which nothing is to be fixed."""
    clean = list(filter(is_clean, (read(path).text for path in nets(50_000, 56_000, 8))))
    return [varied(clean[number % len(clean)], number) for number in range(count)]


def _parse_all(texts: list[str]) -> float:
    return cpu(lambda: [parse(text) and None for text in texts])


def _check_all(texts: list[str]) -> float:
    return cpu(lambda: [repair(Source("net", text.encode("latin-1")), Request()) and None for text in texts])


def bulk() -> None:
    """Many distinct files of 53 KB, on one and on two processes."""
    title("bulk: distinct nets of 53 KB, nothing to fix; rates of CPU time [on 2: parse 40 MB/s, all findings 16]")
    row("", "files/s", "MB/s")
    texts = _bulk_texts(160)
    size = sum(map(len, texts)) / 1e6
    for name, work in (("parse", _parse_all), ("all findings", _check_all)):
        for count in (1, 2):
            parts = [texts[index::count] for index in range(count)]
            with multiprocessing.get_context("spawn").Pool(count) as pool:
                pool.map(work, [texts[:2]] * count, chunksize=1)  # imports
                rates = [
                    (len(part) / taken, sum(map(len, part)) / 1e6 / taken)
                    for part, taken in zip(parts, pool.map(work, parts, chunksize=1), strict=True)
                ]
            files, megabytes = (sum(rate[index] for rate in rates) for index in (0, 1))
            row(f"{name}, {count} process{'es' * (count - 1)}, {size:.1f} MB", f"{files:.0f}", f"{megabytes:.1f}")


def grown(size: int) -> str:
    """A net of about that many bytes, its layers named anew each time."""
    base = next(filter(is_clean, (read(path).text for path in nets(100_000, 160_000, 8))))
    return "\n".join(varied(base, number) for number in range(max(1, size // len(base))))


def _used() -> int:
    """Peak memory of this process, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage begins with what the parent had
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _peak(task: str, size: int) -> tuple[float, float, float]:
    """Of a process that does it: memory over what was there before, per byte; CPU seconds; bytes."""
    repair(Source("net", grown(150_000).encode("latin-1")), Request())  # imports, and what is cold at first
    forget_lines()
    text = grown(size)
    before = _used()
    if task == "parse":
        held: list[object] = []
        taken = cpu(lambda: held.append(parse(text)))
    else:
        source = Source("net", text.encode("latin-1"))
        taken = cpu(lambda: repair(source, Request()))
    return (_used() - before) / len(text), taken, len(text)


def _in_process(work, *args):  # type: ignore[no-untyped-def]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, args)


def memory() -> None:
    """Peak memory of one file of 5 MB."""
    title("memory: peak over what the process had before, × the text, 5 MB [12]")
    row("", "×")
    for task in ("parse", "check"):
        row(task, f"{_in_process(_peak, task, 5_000_000)[0]:.1f}")


def growth() -> None:
    """MB/s from 150 KB to 50 MB."""
    title("growth: MB/s of CPU time [50 MB at 0.6 of small ones]")
    row("", "parse", "of small", "check", "of small")
    first: dict[str, float] = {}
    for size in (150_000, 1_500_000, 15_000_000, 50_000_000):
        cells = []
        for task in ("parse", "check"):
            runs = [_in_process(_peak, task, size) for _ in range(3 if size < 10_000_000 else 1)]
            rate = statistics.median(length / 1e6 / taken for _, taken, length in runs)
            cells += [f"{rate:.1f}", f"{rate / first.setdefault(task, rate):.2f}"]
        row(f"{size / 1e6:g} MB", *cells)


def diffs() -> None:
    """A diff's cost against the number of edits."""
    title("diff: lowering, composing and printing edits of a net of 5 MB [linear]")
    row("edits", "ms", "µs an edit")
    document = parse(grown(5_000_000))
    fields = [f for layer in document.root.children() if layer.is_message for f in layer.fields("name")]
    for count in (10, 100, 1000, len(fields) // 2, len(fields)):
        step = max(1, len(fields) // count)
        edits: list[Edit] = [Replace(field, '"other"') for field in fields[::step][:count]]

        def make(edits: list[Edit] = edits) -> None:
            table = PieceTable(document.text)
            table.apply(lower(document, edits, "bench"))
            unified("net", document.text, table.edits(), lambda offset: "")

        (taken,) = medians(5, make)
        row(str(len(edits)), f"{taken * 1e3:.1f}", f"{taken / len(edits) * 1e6:.1f}")


def _many(count: int) -> tuple[float, float]:
    """Peak memory in MB and CPU ms a file, over so many files, one after the other."""
    texts = _bulk_texts(8)

    def stream() -> Iterator[str]:
        for number in range(count):
            yield varied(texts[number % len(texts)], number)

    taken = 0.0
    for text in stream():
        source = Source("net", text.encode("latin-1"))
        taken += cpu(lambda s=source: repair(s, Request()))
    return _used() / 1e6, taken / count * 1e3


def files() -> None:
    """Memory and time against the number of files."""
    title("files: one process, distinct nets of 53 KB one after the other [flat]")
    row("files", "peak MB", "ms a file")
    for count in (50, 200, 800):
        peak, taken = _in_process(_many, count)
        row(str(count), f"{peak:.0f}", f"{taken:.1f}")
