"""For how much of a folder of real nets the layer rules speak, and which types lack one.

    python bench/layer_coverage.py [FOLDER] [--top N]

The folder defaults to the corpus beside the project. A layer counts once for each time that a file has it.
V1's names are mapped as everywhere; V0's layers are read by their inner layer.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from caffefix.caffe.layers import data
from caffefix.caffe.layers.book import BOOK, V1_TYPES
from caffefix.caffe.net import Generation, Layer, nets
from caffefix.caffe.v0 import V0_TYPES
from caffefix.syntax.parse import PrototxtError, parse

# What feeds a net needs neither: its values are anything, and their size is assumed.
_FEEDS = frozenset(kind.name for kind in data.TYPES)
KINDS = {
    "shape": frozenset(name for name, kind in BOOK.items() if kind.shape),
    "zero": frozenset(name for name, kind in BOOK.items() if kind.zero or kind.loss or not kind.gradient) | _FEEDS,
    "moments": frozenset(name for name, kind in BOOK.items() if kind.moments or kind.function) | _FEEDS,
}


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("CAFFEFIX_SHARED", Path(__file__).resolve().parent.parent.parent / "shared"))
    arguments.add_argument("folder", nargs="?", type=Path, default=shared / "corpus")
    arguments.add_argument("--top", type=int, default=40, help="how many missing types to list")
    given = arguments.parse_args()
    layers, files = counted(given.folder)
    total = sum(layers.values())
    print(f"{total} layers of {len(layers)} types")
    for kind, ruled in KINDS.items():
        has = sum(number for name, number in layers.items() if name in ruled)
        print(f"  {kind:<8} {has:>7}  {100 * has / max(total, 1):5.1f} %")
    for kind, ruled in KINDS.items():
        print(f"\nwithout a {kind} rule: layers, files, type")
        missing = [(number, files[name], name) for name, number in layers.items() if name not in ruled]
        for number, where, name in sorted(missing, key=lambda row: (-row[0], row[2]))[: given.top]:
            print(f"  {number:>6} {where:>5}  {name or '(none)'}")
    return 0


def counted(folder: Path) -> tuple[Counter[str], Counter[str]]:
    """Layers of each type, and files that have the type."""
    layers: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        try:
            document = parse(path.read_bytes().decode("latin-1"))
        except (PrototxtError, RecursionError):
            continue
        here = Counter(kind(layer) for net in nets(document) for layer in net.layers)
        layers += here
        files.update(here.keys())
    return layers, files


def kind(layer: Layer) -> str:
    """The type in V2's words."""
    inner = layer.node.message("layer") if layer.generation is Generation.V0 else None
    if inner is None:
        return layer.type
    name = inner.string("type") or ""
    return V1_TYPES.get(V0_TYPES.get(name, name), name)


if __name__ == "__main__":
    sys.exit(main())
