"""Lark's tables of the three languages: ``_tables.py`` in three packages, made from the grammars."""

from __future__ import annotations

from pathlib import Path

from caffefix._startup.resources import content, resource
from caffefix.patching import tables as patching
from caffefix.proto import tables as proto
from caffefix.syntax import tables as syntax

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = {"syntax": syntax, "patching": patching, "proto": proto}


def text(package: str) -> str:
    """The text of a package's ``_tables.py``."""
    language = LANGUAGES[package]
    return syntax.source(content(resource(language.GRAMMAR)), language.GRAMMAR, language.STARTS)


def path(package: str) -> Path:
    """Where it is."""
    return ROOT / "caffefix" / package / "_tables.py"


def main() -> None:
    """Write all of them."""
    for package in LANGUAGES:
        path(package).write_text(text(package), encoding="utf-8")


if __name__ == "__main__":
    main()
