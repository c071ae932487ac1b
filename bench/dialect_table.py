"""Which forks suit which files: fork × files, over a folder; and the nets that no known fork suits.

python bench/dialect_table.py FOLDER
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from caffefix.caffe.dialect import root_type
from caffefix.caffe.needs import fit
from caffefix.caffe.registry import Kind, known
from caffefix.caffe.schema import load
from caffefix.caffe.typecheck import NET
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.zoo.discover import discover


def main() -> None:
    parsed: Counter[str] = Counter()
    suited: Counter[str] = Counter()
    beyond: Counter[str] = Counter()
    nets: Counter[str] = Counter()
    for path in discover([sys.argv[1]]):
        try:
            document = parse(Path(path).read_bytes().decode("latin-1"))
        except PrototxtError:
            parsed["(not parsed)"] += 1
            continue
        found = fit(document)
        if found is None:
            parsed["(neither net nor solver)"] += 1
            continue
        names = load().names(found.verdict.accepting)
        parsed.update(names or ["(no known fork)"])
        beyond.update(names if "bvlc" not in names else [])
        suited.update(load().names(found.fitting & ~found.unread) or ["(no known fork)"])
        if root_type(document) == NET:
            read = known(Kind.LAYER)
            nets["nets"] += 1
            nets["taken by no known fork's parser"] += not found.verdict.accepting
            nets["taken, with all types registered, by some fork that was read"] += bool(found.fitting & read)
            nets["all types registered together by some fork"] += bool(found.registering & read)
    print("| fork | parser takes | of these, refused by bvlc | suits |\n|---|---|---|---|")
    for name, count in parsed.most_common():
        print(f"| {name} | {count} | {beyond[name]} | {suited[name]} |")
    print()
    for name, count in nets.items():
        print(f"{name}: {count}")


if __name__ == "__main__":
    main()
