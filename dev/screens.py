"""The screens that the tests compare with: ``python -m dev.screens`` writes them anew. Read the diff."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.commands.test_screens import CASES, SCREENS, SIZES, shown


def main() -> None:
    """Write all screens."""
    SCREENS.mkdir(exist_ok=True)
    for name in CASES:
        for columns, lines in SIZES:
            with tempfile.TemporaryDirectory() as folder:
                text = shown(name, columns, lines, Path(folder))
            (SCREENS / f"{name}-{columns}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
