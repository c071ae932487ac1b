"""Shared fixtures: the corpus and oracles beside the project, and an interpreter with real Caffe."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("CAFFEFIX_SHARED", ROOT.parent / "shared"))

settings.register_profile("caffefix", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("caffefix")


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests have a cache and a secret of their own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CACHE", "STATE"):
            patch.setenv(f"XDG_{name}_HOME", str(tmp_path_factory.mktemp(name.lower())))
        patch.delenv("CAFFEFIX_CACHE_DIR", raising=False)
        yield


NO_SHARED = "needs the shared corpus: set CAFFEFIX_SHARED to its folder"


@pytest.fixture(scope="session")
def shared() -> Path:
    if not (SHARED / "corpus").is_dir():
        pytest.skip(NO_SHARED)
    return SHARED


def interruptible() -> None:
    """For a child: to be interrupted as from a keyboard, though whoever started the tests is not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def or_skip(items: list[Any], name: Callable[[Any], str] = str) -> list[Any]:
    """Parameters for a test, by name; where there are none, one that is skipped with the reason."""
    skipped = pytest.param(None, id="none", marks=pytest.mark.skip(reason=NO_SHARED))
    return [pytest.param(item, id=name(item)) for item in items] or [skipped]


def corpus_files(every: int = 1) -> list[Path]:
    """Every n-th file of the corpus, always the same ones; none where there is no corpus."""
    folder = SHARED / "corpus"
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "manifest.tsv")
    return files[::every]


@pytest.fixture(scope="session")
def caffe_python() -> str:
    """An interpreter that imports real Caffe."""
    python = os.environ.get("CAFFEFIX_CAFFE_PYTHON", "")
    if not python:
        pytest.skip("needs real Caffe: set CAFFEFIX_CAFFE_PYTHON to an interpreter that has it")
    subprocess.run([python, "-c", "import caffe"], check=True, capture_output=True)
    return python


@pytest.fixture
def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git as it comes, with somebody to make commits."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "Zoë Zoo")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "zoe@example.com")
