"""What tests of semantic patches share."""

from __future__ import annotations

from pathlib import Path

from caffefix.commands.patch.judging import alone
from caffefix.engine.repair import repair
from caffefix.patching.load import patch_of
from caffefix.patching.patch import Patch
from caffefix.results import FileResult
from caffefix.syntax.source import Source

HEAD = 'name: "a-patch"\nsummary: "What is wrong."\n'
RENAME = '  layer {\n    type: "ReLU"\n-   top: "old"\n+   top: "new"\n    ...\n  }\n'
NET = 'layer {\n  name: "r"\n  type: "ReLU"\n  bottom: "a"\n  top: "old"\n}\n'


def patch(body: str, front: str = "") -> Patch:
    return patch_of("a.patch", f"{HEAD}{front}---\n{body}".encode())


def write(folder: Path, name: str, front: str = "", body: str = RENAME) -> Path:
    """A patch in a file of its name."""
    file = folder / f"{name}.patch"
    file.write_text(f'name: "{name}"\nsummary: "What is wrong."\n{front}---\n{body}', encoding="utf-8")
    return file


def run(made: Patch, text: str) -> FileResult:
    """What a patch alone says of a file."""
    return repair(Source("net.prototxt", text.encode()), alone(made))


def patched(made: Patch, text: str) -> str:
    """What a patch alone makes of a file."""
    result = run(made, text)
    assert not result.status.failed, result.reason
    return text if result.new is None else result.new.decode()
