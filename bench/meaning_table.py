"""What each fixer changes in the meaning of nets: fixer × files × paths, over a folder.

    python bench/meaning_table.py FOLDER

Each fixer runs by itself, migrations first, with safe fixes only. Migrations preserve the meaning, so
they have no row but where a file could not load before.
"""

from __future__ import annotations

import re
import sys
from collections import defaultdict
from pathlib import Path

from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.fixers import fixers
from caffefix.results import Status
from caffefix.syntax.source import Source
from caffefix.zoo.discover import discover


def main() -> None:
    files: dict[tuple[str, str], set[str]] = defaultdict(set)
    touched: dict[str, int] = defaultdict(int)
    for path in discover([sys.argv[1]]):
        data = Path(path).read_bytes()
        for fixer in fixers():
            result = repair(Source(path, data), Request(Selection(select=(fixer.name,)), delta=True))
            if result.status is not Status.WOULD_CHANGE:
                continue
            if not any(d.applied and d.applicability.value == "safe" for d in result.findings):
                continue
            touched[fixer.name] += 1
            for change in result.delta:
                where = f"layer.{change.path}" if change.layer else change.path
                files[fixer.name, re.sub(r"\[\d+\]", "", where)].add(path)
    print("| fixer | files changed | path in the meaning | files |\n|---|---|---|---|")
    for fixer in fixers():
        rows = sorted((path, len(found)) for (name, path), found in files.items() if name == fixer.name)
        for path, count in rows or [("(preserved)", touched[fixer.name])] * bool(touched[fixer.name]):
            print(f"| {fixer.name} | {touched[fixer.name]} | {path} | {count} |")


if __name__ == "__main__":
    main()
