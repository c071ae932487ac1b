"""Which forks accept which files: fork × files accepted, over a folder.

python bench/dialect_table.py FOLDER
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from caffefix.caffe.dialect import judge
from caffefix.caffe.schema import load
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.zoo.discover import discover


def main() -> None:
    accepted: Counter[str] = Counter()
    beyond: Counter[str] = Counter()
    for path in discover([sys.argv[1]]):
        try:
            verdict = judge(parse(Path(path).read_bytes().decode("latin-1")))
        except PrototxtError:
            accepted["(not parsed)"] += 1
            continue
        names = load().names(verdict.accepting) if verdict else ["(neither net nor solver)"]
        accepted.update(names or ["(no known fork)"])
        beyond.update(names if "bvlc" not in names else [])
    print("| fork | files accepted | of these, refused by bvlc |\n|---|---|---|")
    for name, count in accepted.most_common():
        print(f"| {name} | {count} | {beyond[name]} |")


if __name__ == "__main__":
    main()
