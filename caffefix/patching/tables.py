"""Lark's tables for ``grammar/patch.lark``, saved like those of prototxt: loading a patch does not import Lark.

``python -m dev regen`` rewrites ``_tables.py``.
"""

from __future__ import annotations

from caffefix.syntax.tables import Tables, saved

GRAMMAR = "grammar/patch.lark"
STARTS = ("side", "regexp")


def load() -> Tables:
    """The tables of the patch language."""
    from caffefix.patching import _tables

    return saved(_tables, GRAMMAR, STARTS)
