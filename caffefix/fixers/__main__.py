"""``python -m caffefix.fixers`` writes ``_index.py``: what the fixers' modules declare."""

from __future__ import annotations

from pathlib import Path
from pprint import pformat

from caffefix.fixers import declared

_HEAD = '''"""What fixers declare. Made by `python -m caffefix.fixers`. Do not edit."""

# fmt: off
# (name, phase, changes, needs family, group, signs, roles)
INDEX: tuple[tuple[str, int, tuple[str, ...], bool, str, tuple[str, ...], tuple[str, ...]], ...] = (
 '''


def source() -> str:
    """The text of ``_index.py``."""
    names = sorted(path.stem.replace("_", "-") for path in Path(__file__).parent.glob("[a-z]*.py"))
    return _HEAD + pformat(tuple(map(declared, names)), width=110)[1:] + "\n"


def main() -> None:
    """Write ``_index.py``."""
    target = Path(__file__).with_name("_index.py")
    target.write_text(source(), encoding="utf-8")
    print(f"wrote {target.name}")


if __name__ == "__main__":
    main()
