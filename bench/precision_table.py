"""How right the findings are on real files: counts from docs/precision, checked against what the tool reports.

    python bench/precision_table.py [--report FILE] [--all] [FOLDER]
    python bench/precision_table.py [--report FILE] --sample FINDING [FOLDER]

The folder defaults to the corpus beside the project; docs/precision/README.md describes the tables and the
conditions. The exit status is 1 if one of them is not met. --report takes the tool's JSON report (made with
--dry-run --notes --no-config) instead of running it, --all also complains about findings without a table.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from caffefix.engine.select import registered
from caffefix.zoo.config import Configuration
from caffefix.zoo.run import run
from caffefix.zoo.run_options import RunOptions
from caffefix.zoo.work import Repairing
from tests.conftest import ROOT, SHARED

TABLES = ROOT / "docs" / "precision"
VERDICTS = ("right", "wrong", "doubtful")
ENOUGH = {"safe": 30, "unsafe": 5, "display": 5}
_ROW = re.compile(
    r"\| `(?P<path>.+):(?P<line>\d+)` \| (?P<applicability>\w+) \| (?P<verdict>\w+) \| (?P<reason>.+) \|"
)


@dataclass(frozen=True, slots=True)
class Hit:
    """A finding that the tool reports; ``path`` is the file's in the corpus."""

    name: str
    applicability: str
    path: str
    line: int
    message: str = ""

    @property
    def place(self) -> tuple[str, str, str, int]:
        return self.name, self.applicability, self.path, self.line


@dataclass(frozen=True, slots=True)
class Row:
    """A hit that somebody judged."""

    hit: Hit
    verdict: str
    reason: str


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", nargs="?", type=Path, default=SHARED / "corpus")
    parser.add_argument("--report", type=Path)
    parser.add_argument("--sample")
    parser.add_argument("--all", action="store_true")
    args = parser.parse_args()
    hits = list(reported(args.report, args.folder) if args.report else found(args.folder))
    if args.sample:
        for hit in sample([h for h in hits if h.name == args.sample]):
            print(f"{hit.path}:{hit.line}\t{hit.applicability}\t{hit.message}")
        return 0
    return table(hits, list(read_tables(TABLES)), args.all)


def found(folder: Path) -> Iterator[Hit]:
    """What the tool reports of a folder."""
    for result in run([str(folder)], Configuration(isolated=True), Repairing(), RunOptions()):
        path = Path(result.path).relative_to(folder).as_posix()
        for d in result.findings:
            yield Hit(d.name, d.applicability.value, path, d.line, d.message)


def reported(report: Path, folder: Path) -> Iterator[Hit]:
    """The same from a JSON report of the tool."""
    for file in json.loads(report.read_text())["files"]:
        path = file["path"].rpartition(f"{folder.name}/")[2]
        for d in file["findings"]:
            yield Hit(d["name"], d["applicability"], path, d["line"], d["message"])


def read_tables(folder: Path) -> Iterator[Row]:
    """The rows of all tables, one a line.

    Raises:
        SystemExit: a line of a table that is no row, or a verdict that there is not.
    """
    for file in sorted(folder.glob("*.md")):
        if file.name == "README.md":
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if not line.startswith("| `"):
                continue
            row = _ROW.fullmatch(line)
            if row is None or row["verdict"] not in VERDICTS or row["applicability"] not in ENOUGH:
                sys.exit(f"{file}:{number}: not a row: {line}")
            hit = Hit(file.stem, row["applicability"], row["path"], int(row["line"]))
            yield Row(hit, row["verdict"], row["reason"])


def sample(hits: list[Hit]) -> list[Hit]:
    """The hits to examine: spread over repositories, then over files, the same ones each time."""
    files: dict[str, list[Hit]] = defaultdict(list)
    for hit in sorted({h.place: h for h in hits}.values(), key=_shuffled):
        files[hit.path].append(hit)
    repositories: dict[str, list[list[Hit]]] = defaultdict(list)
    for path in sorted(files, key=lambda p: (p.rpartition("/")[2], p)):
        repositories[path.partition("/")[0]].append(files[path])
    spread = in_turn(in_turn(files) for files in repositories.values())
    taken: Counter[str] = Counter()
    chosen = []
    for hit in spread:
        if taken[hit.applicability] < ENOUGH[hit.applicability]:
            taken[hit.applicability] += 1
            chosen.append(hit)
    return chosen


def _shuffled(hit: Hit) -> tuple[str, str]:
    return hit.path, hashlib.sha256(f"{hit.path}:{hit.line}".encode()).hexdigest()


def in_turn(queues: Iterable[list[Hit]]) -> list[Hit]:
    """One of each queue, then the next of each."""
    return [hit for turn in zip_longest(*queues) for hit in turn if hit is not None]


def table(hits: list[Hit], rows: list[Row], everything: bool) -> int:
    """Print the counts; the exit status."""
    still = {hit.place for hit in hits}
    counts = Counter((hit.name, hit.applicability) for hit in hits)
    judged = {row.hit.name for row in rows}
    problems = [
        f"{row.hit.path}:{row.hit.line}: no {row.hit.applicability} {row.hit.name} there"
        for row in rows
        if row.verdict == "right" and row.hit.place not in still
    ]
    print(f"{'finding':<28}{'':<9}{'hits':>6}{'examined':>10}{'wrong':>7}{'doubtful':>10}{'silenced':>10}")
    total: Counter[str] = Counter()
    for key in sorted(counts | Counter((row.hit.name, row.hit.applicability) for row in rows)):
        name, applicability = key
        mine = {row.hit.place: row for row in rows if (row.hit.name, row.hit.applicability) == key}
        here = Counter(row.verdict for place, row in mine.items() if place in still)
        examined, silenced = sum(here.values()), len(mine) - sum(here.values())
        print(
            f"{name:<28}{applicability:<9}{counts[key]:>6}{examined:>10}"
            f"{here['wrong']:>7}{here['doubtful']:>10}{silenced:>10}"
        )
        places = len({hit.place for hit in hits if (hit.name, hit.applicability) == key})
        if (everything or name in judged) and examined < min(ENOUGH[applicability], places):
            problems.append(f"{name}: {examined} {applicability} hits examined of {places}")
        if applicability == "safe" and here["wrong"] + here["doubtful"]:
            problems.append(f"{name}: SAFE, and not always right")
        elif applicability != "safe":
            total.update(examined=examined, wrong=here["wrong"])
            if here["wrong"] > 1:
                problems.append(f"{name}: wrong {here['wrong']} times")
    silent = sorted({fixer.name for fixer in registered() if not fixer.opt_in} - {hit.name for hit in hits})
    print(f"no hits: {', '.join(silent)}")
    print(f"not SAFE: {total['wrong']} wrong of {total['examined']} examined")
    if total["wrong"] * 20 > total["examined"]:
        problems.append("more than 1 in 20 of those that are not SAFE are wrong")
    print("".join(f"{problem}\n" for problem in problems), end="")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
