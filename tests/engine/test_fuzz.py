"""Hostile input: corpus files cut, spliced, duplicated and re-encoded. Only refusals may escape."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.results import Status
from caffefix.syntax.parse import PrototxtError
from caffefix.syntax.source import Source
from tests.conftest import corpus_files
from tests.support.golden import GOLDEN

SEEDS = sorted(GOLDEN.glob("*/*/before.prototxt"))
NOISE = [*(bytes([c]) for c in b"{}<>[]\"'#\\:,\n\r\0\xff"), b"  "]
WORDS = [b"layer", b"layers", b"blobs_lr: 1\n", b"param {", b"weight_filler", b"type: 4", b"stage: 's' }", b"- "]


def mutant(rnd: random.Random, files: list[bytes]) -> bytes:
    data = bytearray(rnd.choice(files)[:6000])
    for _ in range(rnd.randint(1, 4)):
        at, size = rnd.randint(0, len(data)), rnd.randint(0, 60)
        kind = rnd.randint(0, 6)
        if kind == 0:
            del data[at : at + size]
        elif kind == 1:
            data[at:at] = data[at : at + size]
        elif kind == 2:
            other = rnd.choice(files)
            begin = rnd.randint(0, max(0, len(other) - 1))
            data[at:at] = other[begin : begin + rnd.randint(0, 300)]
        elif kind == 3:
            data[at:at] = rnd.choice(NOISE)
        elif kind == 4:
            data[at:at] = rnd.choice(WORDS)
        elif kind == 5:
            data = bytearray(bytes(data).replace(b"\n", rnd.choice([b"\r\n", b"\r", b" ", b"\n\n"])))
        else:
            data = bytearray(bytes(data).decode("latin-1").encode(rnd.choice(["utf-8", "latin-1", "utf-16"])))
    return bytes(data)


def fuzz(count: int, files: list[bytes]) -> None:
    rnd = random.Random(20_261_122)
    request = Request(Selection(unsafe=True))
    refusals = 0
    for number in range(count):
        data = mutant(rnd, files)
        try:
            result = repair(Source("fuzz", data), request)
        except PrototxtError:  # pragma: no cover
            pytest.fail(f"mutant {number} escaped: {data!r}")
        if result.status is Status.REFUSED:
            refusals += 1
            assert "refused" in result.reason
        elif result.status is Status.ERROR:
            assert result.reason.startswith("fuzz:")
        elif result.new is not None:
            again = repair(Source("fuzz", result.new), request)
            assert again.status is Status.CLEAN, data
    # Refusals are for contradictions on one line; they must stay rare.
    assert refusals <= count // 100


def test_mutants_of_the_golden_cases() -> None:
    fuzz(1500, [path.read_bytes() for path in SEEDS])


@pytest.mark.slow
def test_mutants_of_the_corpus(shared: Path) -> None:
    """As many as fit into CI; CAFFEFIX_MUTANTS=50000 takes twenty minutes."""
    files = [path.read_bytes() for path in corpus_files(3)]
    fuzz(int(os.environ.get("CAFFEFIX_MUTANTS", "8000")), files)
