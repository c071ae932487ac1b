"""How fast it is, as ratios taken in one run: parsing, checking, whole processes, many files, memory.

    python bench/speed_table.py [SECTION…]

Sections: parse, check, process, bulk, memory, growth, diff, files; all of them by default (about
five minutes). All figures are CPU time, so that a machine with other work gives the same ratios;
each is the median of interleaved runs, with the garbage collector as the programs ship it. The
nets are those of the corpus; set CAFFEFIX_SHARED if it is elsewhere. Where the machine has a C++
compiler with protobuf's headers, ``txtpbfmt`` on the path, or a tree-sitter grammar for text
protos, they take part; protobuf's C++ parser fills dynamic messages here. Goals stand in brackets.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from google.protobuf import text_format
from parse_speed import schema

from caffefix.engine.look import survey
from caffefix.engine.repair import Request, repair
from caffefix.findings import Subject
from caffefix.results import Status
from caffefix.syntax.diff import unified
from caffefix.syntax.edits import Edit, Replace
from caffefix.syntax.lowering import lower
from caffefix.syntax.parse import forget_lines, parse
from caffefix.syntax.piecetable import PieceTable
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


# ---------------------------------------------------------------- one file, in this process


def parsing() -> None:
    """Parsing alone, cold and warm."""
    title("parse: × the speed of google.protobuf.text_format.Parse, nets of 100 to 160 KB [cold 7, warm 10]")
    others = [other for other in (_cpp(), _txtpbfmt(), _tree_sitter()) if other is not None]
    row("", "ms", "cold", "warm", *(name for name, _ in others))
    ratios: list[list[float]] = []
    for path in nets(100_000, 160_000, 8):
        text = read(path).text
        kind = schema(text)

        def cold(text: str = text) -> None:
            forget_lines()
            parse(text)

        base, first, again = medians(
            RUNS, lambda t=text, k=kind: text_format.Parse(t, k()), cold, lambda t=text: parse(t)
        )
        beside = [base / measure(path, kind) for _, measure in others]
        ratios.append([base / first, base / again, *beside])
        row(f"{path.parent.name}/{path.name}"[-50:], f"{base * 1e3:.1f}", *(f"{x:.1f}×" for x in ratios[-1]))
    row("median", "", *(f"{statistics.median(column):.1f}×" for column in zip(*ratios, strict=True)))


Measure = Callable[[Path, type], float]


def _cpp() -> tuple[str, Measure] | None:
    """Protobuf's C++ parser."""
    compiler = shutil.which("g++") or shutil.which("c++")
    if compiler is None:
        return None
    folder = Path(tempfile.mkdtemp())
    program = folder / "protobuf_parse"
    source = Path(__file__).with_name("protobuf_parse.cc")
    built = subprocess.run(
        [compiler, "-O2", "-o", program, source, "-lprotobuf", "-lpthread"], capture_output=True, check=False
    )
    if built.returncode:
        return None

    def measure(path: Path, kind: type) -> float:
        (folder / "descriptor").write_bytes(kind.DESCRIPTOR.file.serialized_pb)  # type: ignore[attr-defined]
        args = [program, folder / "descriptor", "bench.Root", path, str(RUNS)]
        out = subprocess.run(args, capture_output=True, text=True, check=True).stdout
        return statistics.median(map(float, out.split()))

    return "protobuf C++", measure


def _txtpbfmt() -> tuple[str, Measure] | None:
    """Go's formatter, a whole process, less one with nothing to do."""
    program = shutil.which("txtpbfmt")
    if program is None:
        return None

    def one(data: bytes) -> float:
        def run() -> float:
            before = _children()
            subprocess.run([program], input=data, stdout=subprocess.DEVNULL, check=True)
            return _children() - before

        return statistics.median(run() for _ in range(RUNS))

    return "txtpbfmt", lambda path, _: one(path.read_bytes()) - one(b"")


def _tree_sitter() -> tuple[str, Measure] | None:
    try:
        import tree_sitter_textproto
        from tree_sitter import Language, Parser
    except ImportError:
        return None
    parser = Parser(Language(tree_sitter_textproto.language()))

    def measure(path: Path, kind: type) -> float:
        data = path.read_bytes()
        return medians(RUNS, lambda: parser.parse(data))[0]

    return "tree-sitter", measure


def checking() -> None:
    """All findings, against text_format's parse alone."""
    title("check: all findings, × the speed of text_format's parse alone [3]")
    row("", "ms", "find", "repair", "status")
    clean: list[float] = []
    for low, high, most in ((50_000, 56_000, 8), (100_000, 160_000, 8)):
        for path in nets(low, high, most):
            source = read(path)
            kind = schema(source.text)
            result = repair(source, Request())
            base, found, whole = medians(
                5,
                lambda s=source, k=kind: text_format.Parse(s.text, k()),
                lambda s=source: list(survey(Subject(parse(s.text)), Request().selection.fixers())),
                lambda s=source: repair(s, Request()),
            )
            if result.status is Status.CLEAN:
                clean.append(base / whole)
            name = f"{path.parent.name}/{path.name}"[-50:]
            row(name, f"{base * 1e3:.1f}", f"{base / found:.2f}×", f"{base / whole:.2f}×", result.status.value)
    row("median of those with nothing to fix", "", "", f"{statistics.median(clean):.2f}×")


# ---------------------------------------------------------------- whole processes


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


_SCRIPT = "import re, sys\nfrom caffefix.cli import main\nsys.exit(main())\n"  # what an installer writes

_TO_FIX = """name: "net"
layer {
  name: "data"
  type: "Data"
  top: "data"
  top: "label"
  data_param { source: "train_lmdb" batch_size: 16 backend: LMDB }
  transform_param { crop_size: 227 scale: 0.00390625 }
}
"""
_BLOCK = """layer {{
  name: "conv{n}"
  type: "Convolution"
  bottom: "{below}"
  top: "conv{n}"
  convolution_param {{
    num_output: 32
    kernel_size: 3
    pad: 1
  }}
}}
layer {{
  name: "relu{n}"
  type: "ReLU"
  bottom: "conv{n}"
  top: "conv{n}"
}}
"""
_END = """layer {
  name: "fc"
  type: "InnerProduct"
  bottom: "conv20"
  top: "fc"
  inner_product_param { num_output: 10 }
}
layer {
  name: "loss"
  type: "SoftmaxWithLoss"
  bottom: "fc"
  bottom: "label"
  top: "loss"
}
"""
_FILLED = '    weight_filler {{ type: "msra" }}\n'


def _net(*, filled: bool) -> str:
    """A train net of 6 KB, with fillers or without."""
    block = _BLOCK.replace("    pad: 1\n", "    pad: 1\n" + _FILLED) if filled else _BLOCK
    blocks = (block.format(n=n, below=f"conv{n - 1}" if n > 1 else "data") for n in range(1, 21))
    end = _END.replace("num_output: 10 }", 'num_output: 10 weight_filler { type: "xavier" } }') if filled else _END
    return _TO_FIX + "".join(blocks) + end


def processes() -> None:
    """Whole processes on a net of 6 KB."""
    title("process: × the time of python -c pass, whole processes, a net of 6 KB [nothing to fix 5, a fix 10]")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "caffefix").write_text(_SCRIPT)
        deploy = next(path for path in nets(5_500, 6_600, 50) if _is_clean(read(path).text))
        files = {
            "train net, nothing to fix": _net(filled=True).encode(),
            f"{deploy.parent.name}/{deploy.name}": deploy.read_bytes(),
            "train net, 21 fillers added, all proofs": _net(filled=False).encode(),
        }
        commands: dict[str, list[str]] = {"python -c pass": ["-c", "pass"]}
        for index, (label, data) in enumerate(files.items()):
            path = folder / f"{index}.prototxt"
            path.write_bytes(data)
            status = repair(read(path), Request()).status.value
            commands[f"{label} ({len(data) / 1e3:.1f} KB, {status})"] = [
                str(folder / "caffefix"),
                "--dry-run",
                path.name,
            ]
        commands["python -c 'import click'"] = ["-c", "import click"]
        commands["… text_format"] = ["-c", "from google.protobuf import text_format"]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        # Compiled modules as an installer leaves them, but in a place of our own.
        environment |= {"PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": str(folder / "compiled")}

        def run(args: list[str]) -> float:
            before = _children()
            subprocess.run([sys.executable, *args], cwd=folder, env=environment, capture_output=True, check=False)
            return _children() - before

        times: dict[str, list[float]] = {label: [] for label in commands}
        for turn in range(16):
            for label, args in commands.items():
                taken = run(args)
                if turn:
                    times[label].append(taken)
        middle = {label: statistics.median(taken) for label, taken in times.items()}
        least = {label: min(taken) for label, taken in times.items()}
        row("", "ms", "medians", "minima")
        for label in commands:
            ratios = (middle[label] / middle["python -c pass"], least[label] / least["python -c pass"])
            row(label, f"{middle[label] * 1e3:.0f}", *(f"{ratio:.1f}×" for ratio in ratios))


# ---------------------------------------------------------------- many files, and big ones


def varied(text: str, number: int) -> str:
    """A net with other names of blobs and layers, and nothing else."""
    lines = text.split("\n")
    for index, line in enumerate(lines):
        head, quote, rest = line.partition('"')
        if quote and head.strip() in ("name:", "bottom:", "top:"):
            lines[index] = f'{head}"v{number}_{rest}'
    return "\n".join(lines)


def _is_clean(text: str) -> bool:
    """Whether nothing is to be fixed."""
    return repair(Source("net", text.encode("latin-1")), Request()).status is Status.CLEAN


def _bulk_texts(count: int) -> list[str]:
    """Distinct nets in which nothing is to be fixed."""
    clean = list(filter(_is_clean, (read(path).text for path in nets(50_000, 56_000, 8))))
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
    base = next(filter(_is_clean, (read(path).text for path in nets(100_000, 160_000, 8))))
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


SECTIONS = {
    "parse": parsing,
    "check": checking,
    "process": processes,
    "bulk": bulk,
    "memory": memory,
    "growth": growth,
    "diff": diffs,
    "files": files,
}


def main() -> int:
    chosen = sys.argv[1:] or list(SECTIONS)
    if not set(chosen) <= set(SECTIONS):
        print(f"sections: {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    if not nets(100_000, 160_000, 1):
        print("no corpus: set CAFFEFIX_SHARED", file=sys.stderr)
        return 2
    for name in chosen:
        SECTIONS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
