"""``caffefix weights`` from outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from tests.support.golden import ROOT, Outcome, caffefix
from tests.support.models import blob, layer, layer_v1, model

NET = """name: "net"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 1 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc" inner_product_param { num_output: 5 } }
"""
CONV = layer("conv", "Convolution", blob((4, 1, 3, 3)), blob((4,)))
FC = layer("fc", "InnerProduct", blob((5, 144)), blob((5,)))
BN = layer("bn", "BatchNorm", blob((4,)), blob((4,)), blob((1,)))


@pytest.fixture
def run(tmp_path: Path):  # type: ignore[no-untyped-def]
    def loaded(*parts: bytes, args: tuple[str, ...] = ()) -> Outcome:
        (tmp_path / "net.prototxt").write_text(NET)
        (tmp_path / "m.caffemodel").write_bytes(model(*parts))
        return caffefix("weights", *args, "net.prototxt", "m.caffemodel", cwd=tmp_path)

    return loaded


def test_a_model_that_fits(run) -> None:  # type: ignore[no-untyped-def]
    done = run(CONV, BN, FC, layer("prob", "Softmax"))
    assert (done.status, done.err) == (0, b"")
    text = done.out.decode()
    assert "  conv  copied            4×1×3×3 (mean |x| 2.69), 4 (mean |x| 0.688)\n" in text
    assert "and 2 layers without weights, 1 of which the net does not have\n" not in text
    assert "aborts" not in text


ADVICE = {
    "other-size": (CONV, layer("fc", "InnerProduct", blob((9, 144)), blob((9,)))),
    "batch-norm-layout": (layer("bn", "BatchNorm", *(blob((4,)) for _ in range(5))),),
    "renamed-layer": (CONV, BN, layer("fc_old", "InnerProduct", blob((5, 144)), blob((5,)))),
    "other-prefix": (
        layer("net/conv", "Convolution", blob((4, 1, 3, 3)), blob((4,))),
        layer("net/bn", "BatchNorm", blob((4,)), blob((4,)), blob((1,))),
        layer("net/fc", "InnerProduct", blob((5, 144)), blob((5,))),
    ),
    "nothing-copied": (layer("x", "InnerProduct", blob((7, 7))),),
    "all-zero": (layer("conv", "Convolution", blob((4, 1, 3, 3), data=[0.0] * 36), blob((4,))),),
    "zero-weights": (layer("conv", "Convolution", blob((4, 1, 3, 3), data=[0.0] * 36), blob((4,))), FC),
    "not-finite": (layer("conv", "Convolution", blob((4, 1, 3, 3), data=[float("nan")] * 36), blob((4,))),),
    "equal-rows": (layer("conv", "Convolution", blob((4, 1, 3, 3), data=[0.5] * 36), blob((4,))),),
    "no-statistics": (layer("bn", "BatchNorm", blob((4,)), blob((4,)), blob((1,), data=[0.0])),),
    "negative-variance": (
        layer("bn", "BatchNorm", blob((4,)), blob((4,), data=[1.0, -1.0, 1.0, 1.0]), blob((1,))),
    ),
    "nvcaffe-raw-data": (layer("conv", "Convolution", blob((4, 1, 3, 3), raw="f"), blob((4,), raw="f")),),
}


@pytest.mark.parametrize("name", ADVICE)
def test_advice(run, name: str) -> None:  # type: ignore[no-untyped-def]
    done = run(*ADVICE[name])
    assert f"  {name}".encode() in done.out
    report = json.loads(run(*ADVICE[name], args=("--format", "json")).out)
    assert name in [advice["name"] for advice in report["advice"]]
    assert {"other-size": 1, "batch-norm-layout": 1, "nothing-copied": 1, "other-prefix": 1}.get(
        name, done.status
    ) == (done.status)


def test_a_good_model_gets_no_advice(run) -> None:  # type: ignore[no-untyped-def]
    assert json.loads(run(CONV, BN, FC, args=("--format", "json")).out)["advice"] == []


@pytest.mark.parametrize("name", [*ADVICE, "good"])
def test_the_schema(run, name: str) -> None:  # type: ignore[no-untyped-def]
    schema = json.loads((ROOT / "docs/schema/caffefix-weights-1.json").read_text())
    report = json.loads(run(*ADVICE.get(name, (CONV, BN, FC)), args=("--format", "json")).out)
    jsonschema.Draft202012Validator(schema).validate(report)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (NET.encode(), "this is text, not binary weights"),
        (b"PK\x03\x04" + b"\0" * 300, "a zip archive"),
        (b"<!DOCTYPE html>\n<html>\xff</html>", "a web page"),
        (model(CONV)[:-2], "cut off, or not a model: byte "),
        (b"", "holds no layers"),
        (b"\xff" * 100, "cut off, or not a model: byte 0 of 100"),
    ],
)
def test_files_that_are_no_models(tmp_path: Path, data: bytes, said: str) -> None:
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "m.caffemodel").write_bytes(data)
    done = caffefix("weights", "net.prototxt", "m.caffemodel", cwd=tmp_path)
    assert (done.status, done.out) == (2, b"")
    assert done.err.decode().count("\n") == 1
    assert said in done.err.decode()


@pytest.mark.parametrize("name", ["nowhere.caffemodel", "."])
def test_paths_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "net.prototxt").write_text(NET)
    done = caffefix("weights", "net.prototxt", name, cwd=tmp_path)
    assert (done.status, done.err.decode().count("\n")) == (2, 1)


def test_an_old_net_and_an_old_model(tmp_path: Path) -> None:
    old = 'layers { layer { name: "conv" type: "conv" num_output: 4 kernelsize: 3 } bottom: "data" top: "conv" }\n'
    head = 'input: "data" input_dim: 1 input_dim: 1 input_dim: 8 input_dim: 8\n'
    (tmp_path / "net.prototxt").write_text(head + old)
    legacy = layer_v1("conv", 4, blob((4, 1, 3, 3), legacy=True), blob((1, 1, 1, 4), legacy=True))
    (tmp_path / "m.caffemodel").write_bytes(model(legacy))
    done = caffefix("weights", "net.prototxt", "m.caffemodel", cwd=tmp_path)
    assert (done.status, b"copied" in done.out) == (0, True)


def test_hostile_names_are_not_obeyed(run) -> None:  # type: ignore[no-untyped-def]
    done = run(layer("\x1b]0;owned\x07\nx", "Convolution", blob((4, 1, 3, 3))))
    assert b"\x1b" not in done.out
    assert b"\x07" not in done.out


def test_without_numpy_the_rest_is_told(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(NET)
    (tmp_path / "m.caffemodel").write_bytes(model(CONV, BN, FC))
    code = (
        "import sys; sys.modules['numpy'] = None\n"
        "from caffefix.cli import main\nmain(['weights', 'net.prototxt', 'm.caffemodel'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "conv  copied            4×1×3×3, 4\n" in done.stdout
    assert "pip install 'caffefix[weights]'" in done.stdout
