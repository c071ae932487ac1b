"""What patches cost over a folder: none, 10 and 200 of them, as ratios of the time without.

    python bench/patch_table.py FOLDER

The ten are shipped ones. The others look each for one field of one layer's parameters, as the patches of
a zoo do: fields from the schema, so that many of them do occur in the files. Patches run alone: what
fixers cost is not counted.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from caffefix.caffe.slots import slots
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.fixers import Fixer
from caffefix.patching.load import patch_of
from caffefix.patching.shipped import fixer_of, shipped_patches
from caffefix.syntax.source import Source
from caffefix.zoo.discover import discover


def main() -> None:
    sources = [Source(path, Path(path).read_bytes()) for path in discover([sys.argv[1]])]
    shipped = [fixer_of(patch) for patch in shipped_patches()[:10]]
    many = [*shipped, *_made(190)]
    _time(sources[::20], many)  # tables and schema are loaded
    none = _time(sources, [])
    print("| patches | CPU seconds | ratio | findings |\n|---|---|---|---|")
    for patches in ([], shipped, many):
        taken, found = _time(sources, patches)
        print(f"| {len(patches)} | {taken:.1f} | {taken / none[0]:.2f} | {found} |")
    everything = time.process_time()
    for source in sources[::10]:
        repair(source, Request())
    rest = 10 * (time.process_time() - everything)
    print(f"\nall findings of caffefix, for comparison: {rest:.1f} s (from each tenth file)")


def _time(sources: list[Source], patches: list[Fixer]) -> tuple[float, int]:
    # Naming a finding that there is none of keeps everything else out.
    selection = Selection(select=("unsupported-momentum",), patches=tuple(patches))
    start = time.process_time()
    found = sum(len(repair(source, Request(selection)).findings) for source in sources)
    return time.process_time() - start, found


def _made(count: int) -> list[Fixer]:
    """Patches for one field each."""
    made: list[Fixer] = []
    for holder, slot in slots("LayerParameter").items():
        if slot.kind != "message" or not holder.endswith("_param"):
            continue
        for name, inner in slots(slot.type).items():
            if len(made) == count:
                return made
            if inner.kind in ("uint32", "int32", "float") and not inner.repeated:
                text = (
                    f'name: "made-{len(made)}"\nsummary: "x"\n---\n  layer {{\n    {holder} {{\n'
                    f"-     {name}: 7\n+     {name}: 8\n      ...\n    }}\n    ...\n  }}\n"
                )
                made.append(fixer_of(patch_of("made", text.encode())))
    return made


if __name__ == "__main__":
    main()
