"""``python -m caffefix.patching`` writes ``_index.py``: what the shipped patches declare."""

from __future__ import annotations

import os
from pathlib import Path
from pprint import pformat

from caffefix.patching.shipped import SUFFIX, declared, folder

_HEAD = '''"""What the shipped patches declare. Made by `python -m caffefix.patching`. Do not edit."""

# fmt: off
# (file, name, phase, changes, group, opt-in, needs)
INDEX: tuple[tuple[str, str, int, tuple[str, ...], str, bool, tuple[str, ...]], ...] = (
 '''


def source() -> str:
    """The text of ``_index.py``."""
    files = sorted(name for name in os.listdir(folder()) if name.endswith(SUFFIX))
    return _HEAD + pformat(tuple(map(declared, files)), width=110)[1:] + "\n"


def main() -> None:
    """Write ``_index.py``."""
    target = Path(__file__).with_name("_index.py")
    target.write_text(source(), encoding="utf-8")
    print(f"wrote {target.name}")


if __name__ == "__main__":
    main()
