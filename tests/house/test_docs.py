"""What the documentation shows is true: its files are written, its commands run, its output compared.

In these pages, a block ``toml NAME`` or ``prototxt NAME`` is a file, and in a block ``console`` each
line that begins with ``$ caffefix`` is run; the lines below it are what it prints.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.support.golden import ROOT, caffefix

PAGES = ("configuration.md", "own-caffe.md", "patches.md", "suppression.md", "zoo.md")
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
