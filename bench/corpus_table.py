"""What caffefix says of a folder of real files: a table of outcomes, refusals and findings.

    python bench/corpus_table.py [FOLDER]

The folder defaults to the corpus beside the project. Nothing is written.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.syntax.source import Source


def main() -> int:
    shared = Path(os.environ.get("CAFFEFIX_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else shared / "corpus"
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    findings: Counter[tuple[str, str, str]] = Counter()
    files: dict[tuple[str, str, str], set[Path]] = {}
    total = 0
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.tsv"):
        data = path.read_bytes()
        total += len(data)
        counts["files"] += 1
        try:
            result = repair(Source(str(path.relative_to(folder)), data), Request(Selection()))
        except Exception:  # the point of the table is that this never happens
            counts["exceptions"] += 1
            traceback.print_exc()
            continue
        counts[result.status.value] += 1
        if result.status.failed:
            place = result.reason.split("\n", 1)[0]
            reasons[f"{result.status.value}: {place.split(': ', 1)[-1]}"] += 1
            if "-v" in sys.argv or result.status.value == "refused":
                print(result.reason)
        for d in result.findings:
            key = (d.name, d.applicability.value, d.severity.value)
            findings[key] += 1
            files.setdefault(key, set()).add(path)
    counts["identical round trips"] = counts["files"] - counts["error"] - counts["exceptions"]
    print(f"{counts['files']} files, {total} bytes, {counts['exceptions']} exceptions")
    for name in ("identical round trips", "clean", "would-change", "refused", "error"):
        print(f"  {name:<24}{counts[name]:>6}")
    print("refused by reason")
    for reason, count in reasons.most_common():
        print(f"  {count:>4}  {reason}")
    print("findings")
    for key, count in sorted(findings.items()):
        name, applicability, severity = key
        print(f"  {name:<26}{applicability:<9}{severity:<9}{count:>6} in {len(files[key]):>4} files")
    return 1 if counts["exceptions"] else 0


if __name__ == "__main__":
    sys.exit(main())
