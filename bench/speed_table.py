"""How fast it is, as ratios taken in one run: parsing, checking, whole processes, many files, memory.

    python bench/speed_table.py [SECTION…]

Sections: parse, check, process, bulk, memory, growth, diff, files, profile; all of them by default
(about three minutes). All figures are CPU time, so that a machine with other work gives the same ratios;
each is the median of interleaved runs, with the garbage collector as the programs ship it. The
nets are those of the corpus; set CAFFEFIX_SHARED if it is elsewhere. Where the machine has a C++
compiler with protobuf's headers, ``txtpbfmt`` on the path, or a tree-sitter grammar for text
protos, they take part; protobuf's C++ parser fills dynamic messages here. Goals stand in brackets.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from _speed import nets
from _speed_many import bulk, diffs, files, growth, memory
from _speed_one_file import checking, parsing
from _speed_processes import processes
from _speed_profile import profiles

SECTIONS = {
    "parse": parsing,
    "check": checking,
    "process": processes,
    "bulk": bulk,
    "memory": memory,
    "growth": growth,
    "diff": diffs,
    "files": files,
    "profile": profiles,
}


def main() -> int:
    chosen = sys.argv[1:] or list(SECTIONS)
    if not set(chosen) <= set(SECTIONS):
        print(f"sections: {', '.join(SECTIONS)}", file=sys.stderr)
        return 2
    if not nets(100_000, 160_000, 1):
        print("no corpus: set CAFFEFIX_SHARED", file=sys.stderr)
        return 2
    for name in chosen:
        SECTIONS[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
