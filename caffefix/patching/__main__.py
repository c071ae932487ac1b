"""``python -m caffefix.patching`` writes what the shipped patches declare, and what they are, as Python."""

from __future__ import annotations

import os
from pathlib import Path
from pprint import pformat

from caffefix.patching import compiled
from caffefix.patching.shipped import SUFFIX, declared, folder, shipped_patches

_HEAD = '''"""What the shipped patches declare. Made by `python -m caffefix.patching`. Do not edit."""

# fmt: off
# (file, name, phase, changes, group, opt-in, needs)
INDEX: tuple[tuple[str, str, int, tuple[str, ...], str, bool, tuple[str, ...]], ...] = (
 '''


def sources() -> dict[str, str]:
    """The generated modules by the names of their files."""
    files = sorted(name for name in os.listdir(folder()) if name.endswith(SUFFIX))
    index = _HEAD + pformat(tuple(map(declared, files)), width=110)[1:] + "\n"
    return {"_index.py": index, "_compiled.py": compiled.source(shipped_patches())}


def main() -> None:
    """Write the generated modules."""
    for name, text in sources().items():
        Path(__file__).with_name(name).write_text(text, encoding="utf-8")
        print(f"wrote {name}")


if __name__ == "__main__":
    main()
