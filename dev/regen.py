"""Everything that is made from something else, in the order in which one needs the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from dev.examples import PAGES, README

ROOT = Path(__file__).resolve().parent.parent
# Each in a process of its own: it reads what the one before it has written.
MODULES = (
    "dev.tables",
    "caffefix.caffe.messages",
    "caffefix.fixers",  # these two are written when the package is built, too: hatch_build.py
    "caffefix.patching",
    "dev.pages",
    "dev.forks",
    "dev.man",
    "dev.missing_rules",
    "dev.examples",
)
# What they write.
MADE = (
    "caffefix/syntax/_tables.py",
    "caffefix/patching/_tables.py",
    "caffefix/proto/_tables.py",
    "caffefix/caffe/data",
    "docs/findings",
    "docs/forks.md",
    "man/caffefix.1",
    "tests/data/missing_rules.tsv",
    *(path.relative_to(ROOT).as_posix() for path in (*PAGES, README)),
)


def regenerate() -> list[str]:
    """Write all of it; the files that are others than before, from the root of the checkout.

    Raises:
        subprocess.CalledProcessError: one of them fails.
    """
    before = _contents()
    for module in MODULES:
        subprocess.run([sys.executable, "-m", module], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    after = _contents()
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def _contents() -> dict[str, bytes]:
    found = {}
    for made in MADE:
        path = ROOT / made
        files = path.rglob("*") if path.is_dir() else [path]
        found.update({file.relative_to(ROOT).as_posix(): file.read_bytes() for file in files if file.is_file()})
    return found
