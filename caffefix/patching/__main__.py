"""``python -m caffefix.patching`` saves what the shipped patches declare, and the parsed patches, as Python."""

from __future__ import annotations

from pathlib import Path
from pprint import pformat

from caffefix._startup.resources import sum_of
from caffefix.patching import compiled
from caffefix.patching.shipped import declared, files, path, shipped_patches

_TEXT = '''"""What the shipped patches declare. Made when the package is built. Do not edit."""

# fmt: off
# (file, name, phase, changes, group, opt-in, needs)
INDEX: tuple[tuple[str, str, int, tuple[str, ...], str, bool, tuple[str, ...]], ...] = (
 {rows}
# Checksums of the files.
SUMS = {sums}
'''


def sources() -> dict[str, str]:
    """The generated modules by the names of their files."""
    rows = pformat(tuple(map(declared, files())), width=110)[1:]
    sums = pformat({file: sum_of(path(file)) for file in files()}, width=110)
    return {
        "_index.py": _TEXT.format(rows=rows, sums=sums),
        "_compiled.py": compiled.source(shipped_patches()),
    }


def main() -> None:
    """Write the generated modules."""
    for name, text in sources().items():
        Path(__file__).with_name(name).write_text(text, encoding="utf-8")
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
