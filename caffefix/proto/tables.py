"""Lark's tables for ``grammar/proto.lark``, saved like those of prototxt: reading a .proto does not import Lark.

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
