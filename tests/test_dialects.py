"""Which forks accept a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import SHARED
from tests.golden import caffefix

SSD = b'layer { name: "n" type: "Normalize" bottom: "x" top: "y"\n  norm_param { across_spatial: false }\n}\n'


def accepted(path: Path) -> list[str]:
    done = caffefix("dialects", "--format", "json", path)
    assert done.status == 0
    (file,) = json.loads(done.out)["files"]
    return file["accepted"]  # type: ignore[no-any-return]


def test_a_field_of_a_fork(tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_bytes(SSD)
    forks = accepted(net)
    assert {"refinedet", "faceboxes"} <= set(forks)
    assert "bvlc" not in forks
    text = caffefix("dialects", net.name, cwd=tmp_path).out.decode()
    assert "not bvlc" in text
    assert '2:3: Message type "caffe.LayerParameter" has no field named "norm_param".' in text


def test_what_is_no_net_has_no_dialect(tmp_path: Path) -> None:
    (tmp_path / "labels.prototxt").write_text('item { name: "cat" }\n')
    assert b"neither net nor solver" in caffefix("dialects", "labels.prototxt", cwd=tmp_path).out
    (tmp_path / "broken.prototxt").write_text("layer {\n")
    done = caffefix("dialects", "labels.prototxt", "broken.prototxt", "nowhere", cwd=tmp_path)
    assert done.status == 2
    assert b"broken.prototxt:1:1" in done.err
    assert b"nowhere: cannot be read" in done.err


NVIDIA = b"""default_forward_type: FLOAT16
layer { name: "data" type: "Data" top: "data" top: "label" }
layer { name: "bn" type: "BatchNorm" bottom: "data" top: "bn" }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "bn" bottom: "label" }
"""


def test_batch_norm_of_a_net_that_only_nvidia_accepts_is_left_alone() -> None:
    assert caffefix("-", "--check", stdin=NVIDIA).status == 0
    assert caffefix("-", "--check", "--dialect", "bvlc", stdin=NVIDIA).status == 1
    plain = NVIDIA.split(b"\n", 1)[1]
    assert caffefix("-", "--check", stdin=plain).status == 1
    assert caffefix("-", "--check", "--dialect", "nvidia", stdin=plain).status == 0
    wrong = caffefix("-", "--dialect", "nvidea", stdin=plain)
    assert (wrong.status, b"did you mean nvidia?" in wrong.err) == (2, True)


FOLDERS = {
    "BVLC__caffe/models/bvlc_alexnet": "bvlc",
    "NVIDIA__caffe": "nvidia",
    "intel__caffe": "intel",
}


@pytest.mark.parametrize(("folder", "fork"), FOLDERS.items())
def test_folders_name_their_fork(shared: Path, folder: str, fork: str) -> None:
    """At least nine in ten of a repository's own readable files are accepted by its fork."""
    files = sorted(p for p in (SHARED / "corpus" / folder).rglob("*.prototxt") if "@" not in str(p))
    if not files:
        pytest.skip(f"no {folder} in the corpus")
    done = caffefix("dialects", "--format", "json", *files)
    verdicts = [f["accepted"] for f in json.loads(done.out)["files"] if f["accepted"] is not None]
    assert sum(fork in v for v in verdicts) >= 0.9 * len(verdicts)
