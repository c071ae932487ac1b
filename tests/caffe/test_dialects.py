"""Which forks accept a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from caffefix.caffe.schema import load
from dev import forks
from tests.conftest import SHARED
from tests.support.golden import caffefix

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
    assert "  needs: Normalize (layer type), norm_param (field) → synopsys, ssd" in text
    assert "not bvlc" in text
    assert '2:3: Message type "caffe.LayerParameter" has no field named "norm_param".' in text


def told(path: Path) -> dict[str, Any]:
    (file,) = json.loads(caffefix("dialects", "--format", "json", path).out)["files"]
    return file  # type: ignore[no-any-return]


def test_a_type_that_no_fork_registers(tmp_path: Path) -> None:
    """Its parser takes the file, but BVLC's Caffe does not suit it; of converters that is unknown."""
    net = tmp_path / "net.prototxt"
    net.write_text('layer { name: "a" type: "FancyAttention" bottom: "x" top: "y" }\n')
    file = told(net)
    assert {"bvlc", "ssd", "ncnn"} <= set(file["accepted"])
    assert set(file["fitting"]) == set(file["unread"])
    assert {"ncnn", "mace"} <= set(file["unread"])
    (need,) = (need for need in file["needs"] if need["kind"] == "layer type")
    assert (need["name"], need["line"], need["column"]) == ("FancyAttention", 1, 19)
    assert "bvlc" in need["lacking"]
    assert "ncnn" not in need["lacking"]
    (group,) = file["unregistered"]
    assert group["message"] == "Unknown layer type: FancyAttention"
    text = caffefix("dialects", net.name, cwd=tmp_path).out.decode()
    assert text.startswith("net.prototxt: no known fork has all of it\n  needs: FancyAttention (layer type)\n")
    assert "nearest: bvlc, flownet2" in text


@pytest.mark.parametrize(
    ("text", "fitting", "lacking"),
    [
        ('layer { type: "ReLU6" }', ["chuanqi305-ssd", "jolibrain"], ["bvlc", "ssd"]),
        ("layers { type: RELU }", ["bvlc", "bvlc-rc", "segnet"], []),
        ('layers { layer { type: "conv" } }', ["bvlc", "bvlc-v0.1", "segnet"], []),
        ('layers { layer { type: "padding" } }', ["bvlc-v0.1", "bvlc-v0.99"], []),
        (
            'layer { type: "Convolution" convolution_param { weight_filler { type: "xavierstatic" } } }',
            ["nvidia", "nvidia-0.15"],
            ["bvlc"],
        ),
        ('net: "a" base_lr: 1 lr_policy: "plateau"', ["intel"], ["bvlc"]),
        ('net: "a" base_lr: 1 lr_policy: "fixed" type: "SAG"', ["nvidia"], ["bvlc"]),
    ],
)
def test_names_that_some_register(text: str, fitting: list[str], lacking: list[str], tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text(text)
    file = told(net)
    suits = set(file["fitting"]) - set(file["unread"])
    assert set(fitting) <= suits
    assert not suits & set(lacking)


def test_the_nearest_fork_says_what_it_lacks(tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text('layer { type: "Normalize" norm_param { } }\nlayer { type: "FancyAttention" }\n')
    nearest = told(net)["nearest"]
    assert all(group["lacks"] == [{"kind": "layer type", "name": "FancyAttention"}] for group in nearest)
    assert "ssd" in nearest[0]["forks"]


def test_a_placeholder_is_no_type(tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text('layer { type: "${KIND}" }\n')
    assert "bvlc" in told(net)["fitting"]


def test_the_list_of_forks() -> None:
    lines = caffefix("dialects", "--list").out.decode().splitlines()
    assert len(lines) == 1 + len(load().forks)
    (bvlc,) = (line for line in lines if line.startswith("bvlc "))
    assert bvlc.split() == ["bvlc", "BVLC/caffe", "2020-02-13", "423", "61", "6", "7"]
    (ncnn,) = (line for line in lines if line.startswith("ncnn "))
    assert ncnn.split()[-3:] == ["-", "-", "-"]
    data = json.loads(caffefix("dialects", "--list", "--format", "json").out)
    assert {fork["name"] for fork in data["forks"]} == set(load().forks)
    assert next(fork for fork in data["forks"] if fork["name"] == "ncnn")["layer_types"] is None
    assert caffefix("dialects").status == 2
    assert caffefix("dialects", "--list", "net.prototxt").status == 2


def test_the_page_of_forks_is_not_stale() -> None:
    assert forks.PAGE.read_text(encoding="utf-8") == forks.made(), "run python -m dev regen"


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


@pytest.mark.parametrize("text", ['type: SGD\nlr_policy: "fixed"\n', 'foo: 3\nlr_policy: "fixed"\n'])
def test_what_the_named_fork_refuses_is_an_error(text: str) -> None:
    """An unknown fork may read it; the one that the user names does not."""
    solver = f'base_lr: 0.01\nmax_iter: 10\nnet: "x"\n{text}'.encode()
    assert caffefix("--check", "-", stdin=solver).status == 0
    named = caffefix("--check", "--dialect", "bvlc", "-", stdin=solver)
    assert (named.status, b"  error   " in named.out) == (1, True)
