"""The schema, and what protobuf and real Caffe say of the same files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import descriptor_pb2, text_format

from caffefix.caffe import messages, schema, tables
from caffefix.caffe.caffes import known_caffes
from caffefix.caffe.typecheck import NET, SOLVER, Problem, problems
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source
from caffefix.syntax.tree import Document
from tests.conftest import SHARED, corpus_files, or_skip
from tests.support.descriptors import file_set, message_class, of_document, of_message

# Refused by what Caffe does after parsing, not by the parser.
AFTER_PARSING = {"solver_type_both", "layers_and_layer"}


def read(path: Path) -> tuple[Source, Document]:
    source = Source(path.name, path.read_bytes())
    return source, parse(source.text)


def refusals(document: Document, root: str, fork: str = "bvlc") -> Iterator[Problem]:
    bit = schema.load().bit(fork)
    found = problems(known_caffes().checker, document, root, schema.load().everyone, bit)
    return (problem for problem in found if problem.forks & bit)


def test_the_tables_are_those_of_the_facts(shared: Path, tmp_path: Path) -> None:
    """``python -m caffefix.caffe.tables`` writes them again."""
    tables.take_over(str(shared / "facts/forks"), str(tmp_path))
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (Path(schema.DATA) / path.name).read_bytes(), path.name
    assert len(schema.load().forks) == 159


def rows(folder: Path, name: str) -> Iterator[tuple[str, ...]]:
    """The rows of a table as the facts have it, with names of forks."""
    for line in (folder / f"{name}.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        yield tuple(line.split("\t"))


def bits(forks: str) -> int:
    return sum(map(schema.load().bit, forks.split(",")))


def test_each_row_of_the_tables_is_read(shared: Path) -> None:
    """Rows are found by the name in their first column, when they are asked for."""
    loaded, facts = schema.load(), shared / "facts/forks"
    fields, values = [], []
    for message, name, label, type_, default, number, forks in rows(facts, "fields"):
        kind, _, type_name = type_.partition(":")
        fields.append((message, name, schema.Variant(label, kind, type_name, default, int(number), bits(forks))))
    for enum, value, number, forks in rows(facts, "enums"):
        values.append((enum, value, (int(number), bits(forks))))
    read = [(m, f, v) for m in loaded.messages for f, vs in loaded.messages[m].items() for v in vs]
    assert sorted(read, key=str) == sorted(fields, key=str)
    read_values = [(e, v, n) for e in loaded.enums for v, ns in loaded.enums[e].items() for n in ns]
    assert sorted(read_values) == sorted(values)
    required = {(m, f) for m, f, v in read if v.label == "required"}
    assert {(m, f) for m, fs in loaded.required.items() for f in fs} == required
    assert "message" not in loaded.messages
    assert "NoSuchMessage" not in loaded.messages


def test_the_descriptors_are_those_of_the_tables() -> None:
    """``python -m dev regen`` writes them again."""
    saved = descriptor_pb2.FileDescriptorProto.FromString((Path(schema.DATA) / messages.UNION).read_bytes())
    assert saved == descriptor_pb2.FileDescriptorProto.FromString(messages.union())


@pytest.mark.parametrize(
    ("table", "line"),
    [
        ("fields", "a\tb"),
        ("fields", "M\tf\toptional\tfloat\t\tx\tbvlc"),
        ("fields", "M\tf\tmaybe\tfloat\t\t1\tbvlc"),
        ("enums", "E\tV\tone\tbvlc"),
        ("layers", "ReLU\tnumber\tbvlc"),
        ("fillers", "xavier\tbvlc,nobody"),
        ("upgrades", "v2\tA\tB\tbvlc"),
    ],
)
def test_a_broken_table_is_not_taken_over(table: str, line: str) -> None:
    with pytest.raises(tables.TableError, match="line 2"):
        tables.checked(table, [line], ["bvlc"])


def test_a_row_that_comes_twice_is_not_taken_over() -> None:
    with pytest.raises(tables.TableError, match="line 3: twice"):
        tables.checked("fillers", ["xavier\tbvlc", "xavier\tssd"], ["bvlc", "ssd"])


@pytest.mark.parametrize("line", ["bvlc\tBVLC/caffe", "bvlc\tBVLC/caffe\t\t9b89\t2020-02-13\t423\tmany\t6\t7"])
def test_a_broken_list_of_forks_is_not_taken_over(line: str) -> None:
    with pytest.raises(tables.TableError, match="line 2"):
        tables.fork_names([line])


def test_every_case_that_caffe_parses_or_refuses_matches(shared: Path) -> None:
    lines = (shared / "facts/syntax.tsv").read_text(errors="replace").splitlines()[1:]
    decided = 0
    for case, verdict, _, message, *_ in (line.split("\t") for line in lines):
        try:
            source, document = read(shared / "syntax" / f"{case}.prototxt")
        except PrototxtError:
            assert verdict != "OK"
            continue
        root = SOLVER if case.startswith("solver") else NET
        first = next(refusals(document, root), None)
        assert (first is None) == (verdict == "OK" or case in AFTER_PARSING), case
        if first is not None:
            decided += 1
            place = source.position(first.node.start)
            assert message.startswith(f"{place.line}:") or case in ("hinge_required", "solver_mode_gpu_lower")
    assert decided > 50


def oracle() -> list[list[str]]:
    if not (SHARED / "oracle").is_dir():
        return []
    lines = (SHARED / "oracle/upgrade.tsv").read_text(errors="replace").splitlines()[1:]
    return [(line + "\t\t").split("\t") for line in lines]


def agrees(row: list[str]) -> None:
    """Real Caffe's parser and ours, in bvlc's schema: same verdict, same words."""
    name, tool, _, outcome, _, message = row[:6]
    try:
        _, document = read(SHARED / "corpus" / name)
    except PrototxtError:
        assert outcome == "refused"
        return
    first = next(refusals(document, SOLVER if tool == "solver" else NET), None)
    assert (first is not None) == (outcome == "refused" and "parsing" in message), name
    assert first is None or first.text in message


@pytest.mark.parametrize("row", or_skip(oracle()[::12], lambda row: row[0]))
def test_real_caffe_agrees_on_a_sample(row: list[str]) -> None:
    agrees(row)


@pytest.mark.slow
def test_real_caffe_agrees_on_the_whole_corpus(shared: Path) -> None:
    for row in oracle():
        agrees(row)


def same_values(path: Path, protoc: Path | None, differing: frozenset[str] = frozenset()) -> bool:
    """Whether our tree holds what text_format and protoc read; False where they refuse the file."""
    try:
        source, document = read(path)
    except PrototxtError:
        return False
    root = SOLVER if next(refusals(document, NET), None) else NET
    if next(refusals(document, root), None):
        return False
    kind = message_class("bvlc", root)
    mine = of_document(document, kind.DESCRIPTOR)
    if path.stem not in differing and source.text.isascii():
        assert of_message(text_format.Parse(source.text, kind())) == mine
    if protoc is not None:
        done = subprocess.run(
            ["protoc", f"--descriptor_set_in={protoc}", f"--encode=caffe.{root}"],
            input=source.data, capture_output=True, check=True,
        )  # fmt: skip
        assert of_message(kind.FromString(done.stdout)) == mine
    return True


@pytest.fixture
def descriptor_set(tmp_path: Path) -> Path | None:
    if shutil.which("protoc") is None:
        return None
    path = tmp_path / "caffe.bin"
    path.write_bytes(file_set("bvlc").SerializeToString())
    return path


def test_values_are_those_of_text_format_and_protoc(shared: Path, descriptor_set: Path | None) -> None:
    read_by_both = sum(same_values(path, descriptor_set) for path in corpus_files(15))
    # Where Python's parser is known to differ from C++'s, only the latter is asked.
    lines = (shared / "facts/syntax_python_differs.txt").read_text(errors="replace").splitlines()
    differing = frozenset(line.split()[0] for line in lines if line.strip())
    cases = sorted((shared / "syntax").iterdir())
    read_by_both += sum(same_values(path, descriptor_set, differing) for path in cases)
    assert read_by_both > 150


@pytest.mark.slow
def test_values_over_the_whole_corpus(shared: Path, descriptor_set: Path | None) -> None:
    assert sum(same_values(path, descriptor_set) for path in corpus_files()) > 550
