"""What the documentation shows is true: its files are written, its commands run, its output compared.

In these pages, a block ``toml NAME`` or ``prototxt NAME`` is a file, and in a block ``console`` each
line that begins with ``$ caffefix`` is run; the lines below it are what it prints.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.support.golden import GOLDEN, ROOT, caffefix

PAGES = ("configuration.md", "own-caffe.md", "patches.md", "suppression.md", "zoo.md")
README = (ROOT / "README.md").read_text(encoding="utf-8")
_BLOCK = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.M | re.S)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_are_true(page: str, tmp_path: Path) -> None:
    ran = 0
    for kind, name, body in _BLOCK.findall((ROOT / "docs" / page).read_text(encoding="utf-8")):
        if name:
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(body, encoding="utf-8")
        elif kind == "console":
            for step in re.split(r"^\$ ", body, flags=re.M)[1:]:
                command, _, expected = step.partition("\n")
                tool, *args = shlex.split(command)
                assert tool == "caffefix"
                done = caffefix(*args, cwd=tmp_path)
                assert (done.out + done.err).decode() == expected, command
                ran += 1
    assert ran >= 3


def test_the_readme_shows_what_its_command_prints(tmp_path: Path) -> None:
    """But for line ends: a report's long lines are wrapped on the page."""
    shutil.copy(GOLDEN / "missing-weight-filler/example/before.prototxt", tmp_path / "net.prototxt")
    block = next(body for kind, _, body in _BLOCK.findall(README) if kind == "console")
    command, _, expected = block.partition("\n")
    done = caffefix(*shlex.split(command.removeprefix("$ caffefix")), cwd=tmp_path)
    assert (done.out + done.err).decode().split() == expected.split()


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")],
                         ids=lambda page: page.name)  # fmt: skip
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_each_command_is_in_the_docs() -> None:
    text = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for package in (ROOT / "caffefix" / "commands").glob("[a-z]*/command.py"):
        name = package.parent.name.replace("_", "-")
        assert name == "repair" or f"\ncaffefix {name} " in text, name
