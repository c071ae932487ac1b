"""What a terminal shows, as text: a character for each cell, and marks where the style changes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any


def screen(written: bytes, columns: int, lines: int) -> str:
    """What is on the screen at the end of some output."""
    import pyte

    terminal = pyte.Screen(columns, lines)
    pyte.ByteStream(terminal).feed(written)
    return "".join(f"{''.join(_styled(terminal, row)).rstrip()}\n" for row in range(lines)).rstrip("\n") + "\n"


def _styled(terminal: Any, row: int) -> Iterator[str]:
    """The cells of a row; those with a style between ``‹style:`` and ``›``."""
    cells = [terminal.buffer[row][column] for column in range(terminal.columns)]
    for style, run in groupby(cells, key=_style):
        text = "".join(cell.data for cell in run)
        yield (
            f"‹{style}:{text.rstrip()}›{' ' * (len(text) - len(text.rstrip()))}"
            if style and text.strip()
            else text
        )


def _style(cell: Any) -> str:
    colour = "" if cell.fg == "default" else cell.fg
    return " ".join(filter(None, (colour, "bold" if cell.bold else "", "reverse" if cell.reverse else "")))
