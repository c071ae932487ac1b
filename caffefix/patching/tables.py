"""Lark's tables for ``grammar/patch.lark``, saved as those of prototxt are: loading a patch imports no Lark.

``python -m dev regen`` writes ``_tables.py`` again.
"""

from __future__ import annotations

from caffefix.syntax.tables import Tables, saved

GRAMMAR = "grammar/patch.lark"
STARTS = ("side", "regexp")


def load() -> Tables:
    """The tables of the patch language."""
    from caffefix.patching import _tables

    return saved(_tables, GRAMMAR, STARTS)
