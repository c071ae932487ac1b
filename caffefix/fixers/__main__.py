"""``python -m caffefix.fixers`` writes ``_index.py``: what the fixers' modules declare."""

from __future__ import annotations

from pathlib import Path
from pprint import pformat

from caffefix._startup.resources import sum_of
from caffefix.fixers import declared, fixer_sources, name_of, shared_sources

_TEXT = '''"""What fixers declare. Made when the package is built. Do not edit."""

# fmt: off
# (name, phase, changes, needs family, folder, signs, roles)
INDEX: tuple[tuple[str, int, tuple[str, ...], bool, str, tuple[str, ...], tuple[str, ...]], ...] = (
 {rows}
# Checksums of the sources: of each fixer, and of all that they may take values from.
SUMS = {sums}
SHARED = {shared}
'''


def text() -> str:
    """The text of ``_index.py``."""
    rows = pformat(tuple(map(declared, fixer_sources())), width=110)[1:]
    sums = pformat({name_of(path): sum_of(path) for path in fixer_sources()}, width=110)
    return _TEXT.format(rows=rows, sums=sums, shared=sum_of(*shared_sources()))


def main() -> None:
    """Write ``_index.py``."""
    target = Path(__file__).with_name("_index.py")
    target.write_text(text(), encoding="utf-8")
    print(f"wrote {target.name}")


if __name__ == "__main__":
    main()
