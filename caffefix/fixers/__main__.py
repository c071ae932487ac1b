"""``python -m caffefix.fixers`` writes ``_index.py``: what the fixers' modules declare."""

from __future__ import annotations

from pathlib import Path
from pprint import pformat

from caffefix.fixers import declared, names, shared_sources, source
from caffefix.resources import sum_of

_TEXT = '''"""What fixers declare. Made by `python -m caffefix.fixers`. Do not edit."""

# fmt: off
# (name, phase, changes, needs family, group, signs, roles)
INDEX: tuple[tuple[str, int, tuple[str, ...], bool, str, tuple[str, ...], tuple[str, ...]], ...] = (
 {rows}
# Checksums of the sources: of each fixer, and of all that they may take values from.
SUMS = {sums}
SHARED = {shared}
'''


def text() -> str:
    """The text of ``_index.py``."""
    rows = pformat(tuple(map(declared, names())), width=110)[1:]
    sums = pformat({name: sum_of(source(name)) for name in names()}, width=110)
    return _TEXT.format(rows=rows, sums=sums, shared=sum_of(*shared_sources()))


def main() -> None:
    """Write ``_index.py``."""
    target = Path(__file__).with_name("_index.py")
    target.write_text(text(), encoding="utf-8")
    print(f"wrote {target.name}")


if __name__ == "__main__":
    main()
