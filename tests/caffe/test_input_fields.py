"""What Caffe makes of ``input`` fields, and of what is written instead."""

from __future__ import annotations

import pytest

from tests.support.caffe_nets import Job, ask
from tests.support.golden import GOLDEN

FOLDER = GOLDEN / "legacy-input-fields"


@pytest.mark.caffe
@pytest.mark.parametrize(
    "case",
    [
        "beside-an-input-layer",
        "beside-an-input-layer-v1",
        "too-many-dims",
        "too-many-shapes",
        "two-shapes",
        "dims",
    ],
)
def test_caffe_loads_the_same_net_before_and_after(caffe_python: str, case: str) -> None:
    texts = [(FOLDER / case / f"{name}.prototxt").read_text() for name in ("before", "after")]
    before, after = ask(caffe_python, [Job(case, text) for text in texts])
    assert before.abort is None
    assert before.blobs
    assert after == before
