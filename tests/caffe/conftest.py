"""Fixtures of the tests about Caffe."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.own_repositories import make_repository


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with a Caffe of its own."""
    return make_repository(tmp_path / "repository")
