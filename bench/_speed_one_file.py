"""Sections of the speed table on one file, in this process: parsing beside other parsers, checking."""

from __future__ import annotations

import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from _speed import RUNS, children, medians, nets, read, row, title
from google.protobuf import text_format
from parse_speed import schema

from caffefix.engine.repair import Request, repair
from caffefix.engine.run_fixers import run_fixers
from caffefix.findings import Subject
from caffefix.results import Status
from caffefix.syntax.parse import forget_lines, parse


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
            before = children()
            subprocess.run([program], input=data, stdout=subprocess.DEVNULL, check=True)
            return children() - before

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
                lambda s=source: list(run_fixers(Subject(parse(s.text)), Request().selection.fixers())),
                lambda s=source: repair(s, Request()),
            )
            if result.status is Status.CLEAN:
                clean.append(base / whole)
            name = f"{path.parent.name}/{path.name}"[-50:]
            row(name, f"{base * 1e3:.1f}", f"{base / found:.2f}×", f"{base / whole:.2f}×", result.status.value)
    row("median of those with nothing to fix", "", "", f"{statistics.median(clean):.2f}×")
