"""Many files: the corpus made into a zoo of distinct files, and runs over it.

    python -m bench.zoo_table [--files 10000] [--corpus FOLDER] [--jobs 1,2] [--work FOLDER]

For each number of processes: a first run, a second run over the unchanged zoo, and a writing run;
wall time, CPU time, peak memory (of the largest process, and of all together), and a hash over the
report, or over all files that were written. Equal hashes are equal results.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path(os.environ.get("CAFFEFIX_SHARED", ROOT.parent / "shared")) / "corpus"
_NAME = re.compile(rb'(\b(?:name|bottom|top)\s*:\s*"[^"\n]+)"')


def make_zoo(corpus: Path, folder: Path, count: int) -> int:
    """Write so many files, each with names that no other has; their size in bytes."""
    originals = sorted(path for path in corpus.rglob("*") if path.is_file() and path.name != "manifest.tsv")
    size = 0
    for number in range(count):
        copy, which = divmod(number, len(originals))
        data = originals[which].read_bytes()
        varied = _NAME.sub(rb'\1_%d"' % copy, data)
        path = folder / f"copy{copy}" / originals[which].relative_to(corpus)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Copies within the corpus get a line that tells them apart.
        path.write_bytes(b"# file %d\n" % number + varied)
        size += path.stat().st_size
    return size


@dataclass(frozen=True)
class Measured:
    wall: float
    cpu: float
    largest: int
    together: int
    digest: str


def measure(args: list[str], cwd: Path, digest_of: Path | None) -> Measured:
    """Run the tool; the hash is over its output, or over a folder's files."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryFile() as out:
        begun = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "caffefix", *args], cwd=cwd, env=environment, stdout=out, stderr=out
        )
        largest = together = 0
        while True:
            pid, _, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            sizes = list(_sizes(process.pid))
            largest, together = max([largest, *sizes]), max(together, sum(sizes))
            time.sleep(0.1)
        wall = time.perf_counter() - begun
        out.seek(0)
        digest = blake2b(out.read(), digest_size=8) if digest_of is None else _digest(digest_of)
    return Measured(wall, usage.ru_utime + usage.ru_stime, largest, together, digest.hexdigest())


def _sizes(pid: int) -> Iterator[int]:
    """Memory of a process and its children, what they share counted in parts (PSS), in bytes (Linux)."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for one in (str(pid), *children):
        try:
            text = Path(f"/proc/{one}/smaps_rollup").read_text()
        except OSError:
            continue
        match = re.search(r"^Pss:\s+(\d+)", text, re.M)
        yield int(match[1]) * 1024 if match else 0


def _digest(folder: Path) -> blake2b:
    digest = blake2b(digest_size=8)
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = path.read_bytes()
        digest.update(f"{path.relative_to(folder)}\0{len(data)}\0".encode("utf-8", "surrogateescape") + data)
    return digest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--jobs", default="1,2")
    parser.add_argument("--work", type=Path, help="where the zoo is made; a temporary folder by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.work) as folder:
        work = Path(folder)
        size = make_zoo(given.corpus, work / "made", given.files)
        print(f"{given.files} files, {size / 1e6:.0f} MB\n")
        print(f"{'run':<16}{'wall s':>9}{'CPU s':>9}{'files/s':>9}{'MB/s':>7}{'MB, one':>9}{'MB, all':>9}  hash")
        for jobs in given.jobs.split(","):
            zoo = work / "zoo"
            shutil.copytree(work / "made", zoo)
            common = ["-j", jobs, "--cache-dir", str(work / f"cache{jobs}"), "zoo"]
            for name, args, written in (
                ("first", ["--check", "--format", "json", *common], None),
                ("second", ["--check", "--format", "json", *common], None),
                ("writing", ["--format", "json", *common], zoo),
            ):
                row(f"{name}, -j {jobs}", measure(args, work, written), given.files, size)
            shutil.rmtree(zoo)


def row(name: str, m: Measured, files: int, size: int) -> None:
    rates = f"{files / m.wall:>9.0f}{size / 1e6 / m.wall:>7.1f}"
    memory = f"{m.largest / 1e6:>9.0f}{m.together / 1e6:>9.0f}"
    print(f"{name:<16}{m.wall:>9.1f}{m.cpu:>9.1f}{rates}{memory}  {m.digest}", flush=True)


if __name__ == "__main__":
    main()
