"""The examples in the documentation: ``python -m dev.examples`` runs them again and writes what they print.

In a page, a block ``toml NAME`` or ``prototxt NAME`` is a file; in a block ``console``, each line that begins
with ``$ caffefix`` is a command, and the lines below it are what it prints. In the README that is only the first
such block, and its net is an example of the golden files.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = tuple(
    ROOT / "docs" / name for name in ("configuration.md", "own-caffe.md", "patches.md", "suppression.md", "zoo.md")
)
README = ROOT / "README.md"
NET = ROOT / "golden/missing-weight-filler/example/before.prototxt"
_BLOCK = re.compile(r"^```(?P<kind>\w+) ?(?P<name>\S*)\n(?P<body>.*?)^```$", re.M | re.S)
_COMMAND = re.compile(r"^\$ caffefix ", re.M)


def page(path: Path) -> str:
    """The page with what its commands print today."""
    text = path.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        if path == README:
            shutil.copy(NET, Path(folder, "net.prototxt"))
            first = next(block for block in _BLOCK.finditer(text) if block["kind"] == "console")
            return text[: first.start()] + _played(first, Path(folder)) + text[first.end() :]
        return _BLOCK.sub(lambda block: _played(block, Path(folder)), text)


def _played(block: re.Match[str], folder: Path) -> str:
    """A block: as it is if it is a file, which is written; with today's output if it has commands."""
    if block["name"]:
        file = folder / block["name"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block["body"], encoding="utf-8")
    if block["kind"] != "console":
        return block[0]
    before, *commands = _COMMAND.split(block["body"])
    lines = (command.partition("\n")[0] for command in commands)
    played = "".join(f"$ caffefix {line}\n{_output(line, folder)}" for line in lines)
    return f"```console\n{before}{played}```"


def _output(command: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "caffefix", *shlex.split(command)],
        cwd=folder, env=environment, capture_output=True, check=False,
    )  # fmt: skip
    return (done.stdout + done.stderr).decode()


def main() -> None:
    """Write all pages."""
    for path in (*PAGES, README):
        path.write_text(page(path), encoding="utf-8")


if __name__ == "__main__":
    main()
