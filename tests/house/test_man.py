"""The man page is what the commands declare, and man and mandoc have nothing to say about it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from caffefix.commands._shared.usage import usage
from dev.man import PAGE, made
from tests.conftest import ROOT


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == made(), "stale: python -m dev regen"


@pytest.fixture(scope="module")
def rendered() -> str:
    if shutil.which("man") is None:
        pytest.skip("needs man, which is not installed")
    environment = {**os.environ, "MANWIDTH": "1000", "MAN_KEEP_FORMATTING": "", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["man", "--warnings", "-l", "-Tutf8", PAGE], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return re.sub(r"\x1b\[[\d;]*m|.\x08", "", done.stdout)


def test_mandoc_has_no_complaint() -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("needs mandoc, which is not installed")
    done = subprocess.run(["mandoc", "-Tlint", PAGE], capture_output=True, text=True, check=False)
    complaints = done.stdout.splitlines()
    undated = f"{PAGE}:2:16: WARNING: missing date"  # before the first release
    assert not [line for line in complaints if not line.startswith(f"mandoc: {undated}")]


def test_every_command_and_option_is_there(rendered: str) -> None:
    plain = " ".join(rendered.split())
    for command in usage().all():
        assert command.commands or f"caffefix {command.name} {command.synopsis}".replace("  ", " ") in plain
        for flag in command.options:
            assert flag.flags[0] in plain
            assert not flag.help or " ".join(flag.help.replace("`", "").split()) in plain


def test_what_is_not_an_option_is_there(rendered: str) -> None:
    sections = re.findall(r"^([A-Z ]+)$", rendered, re.M)
    assert sections == [
        "NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "COMMANDS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES"
    ]  # fmt: skip
    for status in ("0", "1", "2", "130"):
        assert re.search(rf"^ {{7}}{status} +\S", rendered, re.M)
    assert "caffefix --dry-run net.prototxt" in rendered
    for name in ("caffefix.toml", ".caffefixignore", "NO_COLOR", "FORCE_COLOR"):
        assert re.search(rf"^ {{7}}{re.escape(name)}\b", rendered, re.M)


def test_every_variable_that_is_read_is_there(rendered: str) -> None:
    sources: list[Path] = list((ROOT / "caffefix").rglob("*.py"))
    written = re.compile(r'"(CAFFEFIX_[A-Z_]+)"|environ(?:\.get\(|\[)"(\w+)"')
    texts = (path.read_text(encoding="utf-8") for path in sources)
    read = {one or other for text in texts for one, other in written.findall(text)}
    assert len(read) >= 5
    for name in read:
        assert re.search(rf"^ {{7}}{name}( |$)", rendered, re.M), name
