"""What tests of semantic patches share."""

from __future__ import annotations

from caffefix.engine.patch_test import alone
from caffefix.engine.repair import repair
from caffefix.patching.load import patch_of
from caffefix.patching.patch import Patch
from caffefix.results import FileResult
from caffefix.syntax.source import Source

HEAD = 'name: "a-patch"\nsummary: "What is wrong."\n'


def patch(body: str, front: str = "") -> Patch:
    return patch_of("a.patch", f"{HEAD}{front}---\n{body}".encode())


def run(made: Patch, text: str) -> FileResult:
    """What a patch alone says of a file."""
    return repair(Source("net.prototxt", text.encode()), alone(made))


def patched(made: Patch, text: str) -> str:
    """What a patch alone makes of a file."""
    result = run(made, text)
    assert not result.status.failed, result.reason
    return text if result.new is None else result.new.decode()
