"""Lark's tables for ``grammar/proto.lark``, saved as those of prototxt are: reading a .proto imports no Lark.

``python -m dev regen`` writes ``_tables.py`` again.
"""

from __future__ import annotations

from caffefix.syntax.tables import Tables, saved

GRAMMAR = "grammar/proto.lark"
STARTS = ("file",)


def load() -> Tables:
    """The tables of the language of .proto files."""
    from caffefix.proto import _tables

    return saved(_tables, GRAMMAR, STARTS)
