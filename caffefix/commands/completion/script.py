"""The completion script of a shell: fixed text, and tables made of what the commands declare."""

from __future__ import annotations

from importlib import import_module
from os.path import abspath, dirname, join

from caffefix._startup.resources import content
from caffefix.commands._shared.usage import usage

SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """The script, complete."""
    text = content(join(dirname(abspath(__file__)), f"caffefix.{shell}")).decode()
    before, _, after = text.partition("@TABLES@")
    made = import_module(f"caffefix.commands.completion.as_{shell}")
    known = usage()
    return f"{before}{made.tables(known)}{after}"
