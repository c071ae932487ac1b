"""Aborts of real Caffe on the corpus beside those that findings foretell: a table.

    CAFFEFIX_CAFFE_PYTHON=… python -m bench.aborts_table [every n-th file]

Sources are replaced by DummyData (they would want files), so what is said of them is not asked; nor are
files that a fork's Caffe alone can read. For each net in each of its phases: foretold and seen, foretold
and not seen (a false alarm), or seen and not foretold, by Caffe's words.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator

from caffefix.caffe.net import Net, Phase
from caffefix.caffe.roles import Role, role, scores
from caffefix.findings import Subject
from caffefix.fixers import fixers
from caffefix.syntax.parse import PrototxtError, parse
from tests.conftest import corpus_files
from tests.fixers.test_aborts import CLAIM
from tests.support.caffe_nets import Job, ask, with_dummy_data

PARSER = re.compile(r"^\d+:\d+: ")
NAMES = re.compile(r"'[^']*'|\(.*?\)|\b\d[\d ]*|(?<=for layer )\S+|(?<=type: )\w+.*|bottom\[.\]: .*")


def jobs(every: int) -> Iterator[tuple[Job, list[str]]]:
    """Nets with what is foretold of them."""
    for path in corpus_files(every):
        text = path.read_bytes().decode("latin-1")
        try:
            document = parse(text)
        except PrototxtError:
            continue
        net = Net(document.root)
        if not net.layers or role(document, net) not in (Role.TRAIN, Role.TRAIN_VAL, Role.TEST, Role.DEPLOY):
            continue
        subject = Subject(document)
        found = [f for fixer in fixers() if not fixer.needs_family for f in fixer.find(subject)]
        sources = [layer.node for layer in net.layers if not layer.bottoms and layer.tops]
        found = [f for f in found if not any(node.start <= f.node.start < node.stop for node in sources)]
        foretold = [f"{f.name}\t{f.message}" for f in found if CLAIM.search(f.message)]
        for phase in Phase if any(map(scores, net.layers)) else (Phase.TEST,):
            try:
                yield Job(f"{path}\t{phase.value}", with_dummy_data(text, phase), phase), foretold
            except (PrototxtError, RecursionError):
                continue


def main(every: int = 1) -> None:
    python = os.environ["CAFFEFIX_CAFFE_PYTHON"]
    rows: Counter[tuple[str, str]] = Counter()
    batch: list[tuple[Job, list[str]]] = []

    def judge() -> None:
        for (job, foretold), answer in zip(batch, ask(python, [job for job, _ in batch]), strict=True):
            here = [f for f in foretold if "in phase " not in f or f"in phase {job.phase.value}" in f]
            verdict = ("foretold, " if here else "not foretold, ") + ("aborts" if answer.abort else "loads")
            print(json.dumps([verdict, job.name, answer.abort, here]), flush=True)
            rows[verdict, NAMES.sub("…", answer.abort or "")[:100]] += 1
        batch.clear()

    for item in jobs(every):
        batch.append(item)
        if len(batch) == 20:
            judge()
    judge()
    for (verdict, words), count in sorted(rows.items(), key=lambda row: (row[0][0], -row[1])):
        print(f"{count:5} {verdict}: {words}", file=sys.stderr)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
