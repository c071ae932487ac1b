"""What is worked out once for messages that are alike does not depend on what was seen before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from hypothesis import given

from caffefix.caffe.caffes import known_caffes
from caffefix.caffe.dialect import judge, root_type
from caffefix.caffe.schema import load
from caffefix.caffe.typecheck import NET, Problem, problems
from caffefix.patching import _compiled
from caffefix.patching.compiled import source
from caffefix.patching.patch import Patch
from caffefix.patching.shipped import make, shipped_patches
from caffefix.syntax.green import Block, Field, blocks
from caffefix.syntax.memo import Memo
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.shape_key import shape_key
from caffefix.syntax.tree import Document
from tests.conftest import ROOT, corpus_files, or_skip
from tests.support.texts import texts


def said(block: Block, own: bool = True) -> tuple[object, ...]:
    """What a message says, without its own strings and all trivia on lines of their own."""
    parts: list[object] = [block.kind, block.name]
    for item in block.items:
        if isinstance(item, Block):
            parts.append(said(item, own=False))
        elif isinstance(item, Field):
            parts.append(item.name if own and item.value[0] in "\"'" else (item.name, item.value))
        else:
            parts.append(None)
    return tuple(parts)


@given(texts(), texts())
def test_messages_of_a_shape_key_are_alike(one: str, other: str) -> None:
    meant: dict[int, tuple[object, ...]] = {}
    for text in (one, other):
        for block in blocks(parse(text).root.block):
            assert meant.setdefault(shape_key(block), said(block)) == said(block)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ('a { name: "x" }', 'a { name: "y" }', True),
        ('a { name: "x" # why\n }', 'a { name: "x"\n }', True),
        ('a { n: 1 name: "x" }', 'a { n: 2 name: "x" }', False),
        ('a { name: "x" n: 1 }', 'a { n: 1 name: "x" }', False),
        ('a { b { name: "x" } }', 'a { b { name: "y" } }', False),
        ('a { name: "x" }', 'b { name: "x" }', False),
        ('a { name: "x" }', "a { name: x }", False),
        ("a { n: [1, 2] }", "a { n: 1 n: 2 }", False),
        ("a { b { } }", "a { b: [{ }] }", False),
    ],
)
def test_what_is_alike(one: str, other: str, alike: bool) -> None:
    first, second = (parse(f"{text}\n").root.child(0).block for text in (one, other))
    assert (shape_key(first) == shape_key(second)) is alike


def everything(document: Document) -> Iterator[Problem]:
    """All that any fork refuses."""
    everyone = load().everyone
    return problems(known_caffes().checker, document, root_type(document) or NET, everyone, everyone)


def all_told(document: Document) -> tuple[int, dict[str, tuple[int, str]]]:
    """Who accepts a file, and what the others stop at, of a walk that passes over nothing."""
    left, reasons = load().everyone, {}
    for problem in everything(document):
        for name in load().names(left & problem.forks):
            reasons[name] = (problem.node.start, problem.text)
        left &= ~problem.forks
    return left, reasons


@pytest.mark.parametrize("path", or_skip(corpus_files(every=24), lambda path: path.name))
def test_a_verdict_passes_over_nothing_that_counts(path: Path) -> None:
    try:
        document = parse(path.read_bytes().decode("latin-1"))
    except PrototxtError:
        pytest.skip("it does not parse")
    verdict = judge(document)
    if verdict is None:
        pytest.skip("neither net nor solver")
    reasons = {name: (problem.node.start, problem.text) for name, problem in verdict.reasons.items()}
    assert (verdict.accepting, reasons) == all_told(document)
    again = judge(document)
    assert again is not None
    assert len(again.problems) == len(verdict.problems)
    told = everything(document)
    hopeless = [(p.node.start, p.text) for p in told if p.forks == p.context]
    assert [(p.node.start, p.text) for p in verdict.problems if p.forks == p.context] == hopeless


_REPAIR_ALL = """
import json, sys
from collections.abc import Iterable
from pathlib import Path
from caffefix.engine.repair import Request, repair
from caffefix.syntax.source import Source
files = [(name, Path(name).read_bytes()) for name in sys.stdin.read().split("\\n")]
print(json.dumps([repr(repair(Source(*file), Request())) for file in files]))
"""


def test_results_do_not_depend_on_the_order_of_files() -> None:
    files = sorted(str(path) for path in (ROOT / "golden").rglob("before*.prototxt"))[::5]
    assert len(files) > 100

    def results(names: list[str]) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-c", _REPAIR_ALL], cwd=ROOT, input="\n".join(names), capture_output=True, text=True,
            check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        found: list[str] = json.loads(done.stdout)
        return found

    assert results(files) == results(files[::-1])[::-1]


def test_shipped_patches_as_python_are_what_is_in_their_files() -> None:
    def functions(patches: Iterable[Patch]) -> str:
        return source(patches).partition("\ndef ")[2]

    patches = shipped_patches()
    assert functions(map(make, (Path(patch.source.path).name for patch in patches))) == functions(patches)


def test_a_patch_that_was_edited_since_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    file = Path(shipped_patches()[0].source.path).name
    make.cache_clear()
    assert make(file).source.data == b""
    make.cache_clear()
    monkeypatch.setattr(_compiled, "SUMS", {})
    assert make(file).source.data
    make.cache_clear()


def test_a_memo_holds_no_more_than_it_says() -> None:
    memo = Memo[int, int]("squares", 10)
    for number in range(35):
        assert memo.keep(number, number**2) == number**2
        assert len(memo) <= 10
    assert dict(memo) == {number: number**2 for number in range(30, 35)}
    assert repr(memo) == "<Memo 'squares': 5 of 10>"
