"""Lark's tables for ``grammar/proto.lark``, saved like those of prototxt: reading a .proto does not import Lark.

``python -m dev regen`` writes ``_tables.py`` again.
"""

from __future__ import annotations

import sys

from caffefix._startup.resources import content, resource
from caffefix.syntax.tables import Tables, saved, source, write_beside

GRAMMAR = "grammar/proto.lark"
STARTS = ("file",)


def load() -> Tables:
    """The tables of the language of .proto files."""
    from caffefix.proto import _tables

    return saved(_tables, GRAMMAR, STARTS)


def text() -> str:
    """The text of ``_tables.py``."""
    made = source(content(resource(GRAMMAR)), GRAMMAR, STARTS)
    return made.replace("# fmt: off\n", "# fmt: off\n# ruff: noqa\n", 1)


def main() -> int:
    """Write ``_tables.py``."""
    return write_beside(__file__, text())


if __name__ == "__main__":
    sys.exit(main())
