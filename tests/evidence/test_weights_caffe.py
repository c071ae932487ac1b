"""Loading weights, judged by real Caffe: every line that it logs, and what it aborts on."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from caffefix.caffe.net import Phase, nets
from caffefix.caffe.wire import Bytes, WireError
from caffefix.evidence.weights.binary import read_model
from caffefix.evidence.weights.copying import Copying, Outcome, copy
from caffefix.syntax.parse import parse
from tests.support.models import blob, layer, layer_v0, layer_v1, model, number, text

pytestmark = pytest.mark.caffe
SCRIPT = Path(__file__).parent.parent / "support/caffe_weights.py"

NET = """name: "net"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 1 dim: 8 dim: 8 } } }
layer {
  name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 }
}
layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "conv" }
layer { name: "scale" type: "Scale" bottom: "conv" top: "conv" scale_param { bias_term: true } }
layer { name: "prelu" type: "PReLU" bottom: "conv" top: "prelu" }
layer { name: "drop" type: "Dropout" bottom: "prelu" top: "drop" include { phase: TRAIN } }
layer { name: "fc" type: "InnerProduct" bottom: "prelu" top: "fc" inner_product_param { num_output: 5 } }
layer {
  name: "a" type: "InnerProduct" bottom: "fc" top: "a" param { name: "w" }
  inner_product_param { num_output: 5 bias_term: false }
}
layer {
  name: "b" type: "InnerProduct" bottom: "fc" top: "b" param { name: "w" }
  inner_product_param { num_output: 5 bias_term: false }
}
layer { name: "twice" type: "InnerProduct" bottom: "a" top: "twice" inner_product_param { num_output: 2 } }
layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "sum" }
layer { name: "prob" type: "Softmax" bottom: "sum" top: "prob" }
"""
CONV = (blob((4, 1, 3, 3)), blob((4,)))
NUMBERS = text(5, bytes(4 * 5 * 144))
OLD_CONV = (blob((4, 1, 3, 3), legacy=True), blob((1, 1, 1, 4), legacy=True))


def conv(*blobs: bytes) -> bytes:
    return model(layer("conv", "Convolution", *blobs))


def fc(*blobs: bytes) -> bytes:
    return model(layer("fc", "InnerProduct", *blobs))


def bn(*sizes: tuple[int, ...]) -> bytes:
    return model(layer("bn", "BatchNorm", *map(blob, sizes)))


GOOD = model(
    layer("data", "Input"),
    layer("conv", "Convolution", *CONV),
    layer("bn", "BatchNorm", blob((4,)), blob((4,)), blob((1,))),
    layer("scale", "Scale", blob((4,)), blob((4,))),
    layer("conv_scale_0_split", "Split"),
    layer("prelu", "PReLU", blob((4,))),
    layer("fc", "InnerProduct", blob((5, 144)), blob((5,))),
    layer("fc_fc_0_split", "Split"),
    layer("a", "InnerProduct", blob((5, 5))),
    layer("a_a_0_split", "Split"),
    layer("b", "InnerProduct", blob((5, 5))),
    layer("twice", "InnerProduct", blob((2, 5)), blob((2,))),
    layer("prob", "Softmax"),
)
MODELS: dict[str, bytes] = {
    "all": GOOD,
    "nothing": b"",
    "only-a-name": model(),
    "renamed": model(layer("conv_old", "Convolution", *CONV)),
    "prefixed": model(layer("net/conv", "Convolution", *CONV), layer("net/fc", "InnerProduct", blob((5, 144)))),
    "unknown-layers": model(
        layer("x", "ReLU"), layer("conv", "Convolution", *CONV), layer("y", "Foo", blob((2,)))
    ),
    "odd-name": model(layer('q"\\x', "ReLU"), layer("", "ReLU")),
    "split-of-another": model(layer("conv_conv_0_split", "Split"), layer("fc_fc_0_split", "Split")),
    "split-with-a-blob": model(layer("fc_fc_0_split", "Split", blob((1,)))),
    "twice-in-the-model": model(layer("conv", "Convolution", *CONV), layer("conv", "Convolution", blob((1,)))),
    "dropout": model(layer("drop", "Dropout")),
    "no-bias": conv(blob((4, 1, 3, 3))),
    "a-third-blob": conv(*CONV, blob((1,))),
    "no-blobs": conv(),
    "blobs-for-a-relu": model(layer("prob", "Softmax", blob((1,)))),
    "more-outputs": conv(blob((8, 1, 3, 3)), blob((8,))),
    "colour": conv(blob((4, 3, 3, 3)), blob((4,))),
    "window": conv(blob((4, 1, 5, 5)), blob((4,))),
    "bias-differs": conv(blob((4, 1, 3, 3)), blob((8,))),
    "transposed": fc(blob((144, 5)), blob((5,))),
    "other-classes": fc(blob((1000, 144)), blob((1000,))),
    "fc-as-conv": fc(blob((5, 4, 6, 6)), blob((5,))),
    "conv-as-fc": conv(blob((4, 9)), blob((4,))),
    "flat": conv(blob((36,)), blob((4,))),
    "five-axes": conv(blob((4, 1, 1, 3, 3)), blob((4,))),
    "no-shape": conv(text(5, b"\0" * 4), blob((4,))),
    "scalar": model(layer("bn", "BatchNorm", blob((4,)), blob((4,)), blob(()))),
    "old-conv": conv(*OLD_CONV),
    "old-bias-first": conv(blob((4, 1, 3, 3), legacy=True), blob((4, 1, 1, 1), legacy=True)),
    "old-fc": fc(blob((1, 1, 5, 144), legacy=True), blob((1, 1, 1, 5), legacy=True)),
    "old-fc-wrong": fc(blob((5, 144, 1, 1), legacy=True), blob((1, 1, 1, 5), legacy=True)),
    "old-fc-bias-wrong": fc(blob((1, 1, 5, 144), legacy=True), blob((5, 1, 1, 1), legacy=True)),
    "old-of-two-sizes": fc(number(3, 5) + number(4, 144) + NUMBERS, blob((5,))),
    "old-and-new-agree": conv(blob((4, 1, 3, 3), legacy=True, both=(4, 1, 3, 3)), blob((4,))),
    "old-wins": conv(blob((4, 1, 3, 3), legacy=True, both=(9, 9)), blob((4,))),
    "old-loses": conv(blob((9, 9, 1, 1), legacy=True, both=(4, 1, 3, 3)), blob((4,))),
    "negative": conv(number(1, -1) + blob((4, 1, 3, 3)), blob((4,))),
    "too-few-numbers": conv(blob((4, 1, 3, 3), data=[1.0] * 35), blob((4,))),
    "too-many-numbers": conv(blob((4, 1, 3, 3), data=[1.0] * 37), blob((4,))),
    "no-numbers": conv(blob((4, 1, 3, 3), data=[]), blob((4,))),
    "doubles": conv(blob((4, 1, 3, 3), double=True), blob((4,), double=True)),
    "too-few-doubles": conv(blob((4, 1, 3, 3), double=True, data=[1.0]), blob((4,))),
    "unpacked": conv(blob((4, 1, 3, 3), packed=False), blob((4,), packed=False)),
    "unpacked-doubles": conv(blob((4, 1, 3, 3), packed=False, double=True), blob((4,))),
    "in-two-parts": conv(blob((4, 1, 3, 3), data=[1.0] * 20) + text(5, b"\0" * 64), blob((4,))),
    "nvcaffe-raw": conv(blob((4, 1, 3, 3), raw="f"), blob((4,))),
    "bn-of-three": bn((4,), (4,), (1,)),
    "bn-of-one": bn((4,)),
    "bn-of-two": bn((4,), (4,)),
    "bn-of-four": bn((4,), (4,), (4,), (4,)),
    "bn-of-five": bn((4,), (4,), (1,), (4,), (4,)),
    "bn-old-shapes": bn((1, 4, 1, 1), (1, 4, 1, 1), (1,)),
    "scale-without-bias": model(layer("scale", "Scale", blob((4,)))),
    "prelu-of-one": model(layer("prelu", "PReLU", blob((1,)))),
    "prelu-scalar": model(layer("prelu", "PReLU", blob(()))),
    "shared": model(
        layer("a", "InnerProduct", blob((5, 5), data=[1.0] * 25)), layer("b", "InnerProduct", blob((5, 5)))
    ),
    "shared-once": model(layer("b", "InnerProduct", blob((5, 5)))),
    "shared-differs": model(layer("b", "InnerProduct", blob((5, 6)))),
    "v1": model(layer_v1("conv", 4, *OLD_CONV), layer_v1("nowhere", 18)),
    "v1-new-shapes": model(layer_v1("conv", 4, *CONV)),
    "v1-wrong": model(layer_v1("fc", 14, blob((1, 1, 5, 9), legacy=True), blob((1, 1, 1, 5), legacy=True))),
    "v0": model(layer_v0("conv", "conv", *OLD_CONV), layer_v0("nowhere", "relu")),
    "v0-wrong": model(layer_v0("conv", "conv", blob((4, 3, 3, 3), legacy=True), OLD_CONV[1])),
    "both-generations": model(layer_v1("conv", 4, *OLD_CONV), layer("fc", "InnerProduct")),
    "input-fields": model(
        text(3, "data"), *(number(4, dim) for dim in (2, 1, 8, 8)), layer("conv", "Convolution", *CONV)
    ),
    "input-shape": model(
        text(3, "data"), text(8, text(1, b"\x02\x01\x08\x08")), layer("conv", "Convolution", *CONV)
    ),
    "input-without-size": model(text(3, "data"), layer("conv", "Convolution", *CONV)),
    "unknown-fields": model(
        text(999, b"abc"), number(7, 1), layer("conv", "Convolution", *CONV) + text(998, b"x")
    ),
    "group": model(b"\xfb\x3e\x08\x01\xfc\x3e", layer("conv", "Convolution", *CONV)),
    "name-twice": model(text(100, text(1, "x") + text(1, "conv") + b"".join(text(7, b) for b in CONV))),
    "shape-in-two-parts": conv(
        text(7, number(1, 4)) + text(7, b"".join(number(1, d) for d in (1, 3, 3))) + text(5, bytes(144)), CONV[1]
    ),
    "huge": conv(blob((4, 65536, 65536), data=[]), CONV[1]),
    "of-33-axes": conv(blob((1,) * 33), CONV[1]),
    "mismatch-and-too-few": conv(blob((8, 1, 3, 3), data=[1.0]), CONV[1]),
}


def predicted(data: bytes, phase: str, net: str = NET) -> Copying | None:
    """What caffefix says; None if it is no model."""
    try:
        return copy(read_model(Bytes(data)), next(nets(parse(net))), Phase[phase])
    except WireError:
        return None


def judged(caffe_python: str, jobs: list[tuple[str, str, str, bytes]]) -> dict[str, Any]:
    """What real Caffe says, by name of (name, net, phase, model)."""
    lines = [
        json.dumps({"name": name, "net": net, "phase": phase, "model": base64.b64encode(data).decode()}) + "\n"
        for name, net, phase, data in jobs
    ]
    done = subprocess.run(
        [caffe_python, SCRIPT], input="".join(lines), capture_output=True, text=True, check=True, timeout=300
    )
    return {found["name"]: found for found in map(json.loads, done.stdout.splitlines())}


_NOTES = ("Attempting to upgrade", "Successfully upgraded", "Note that future")


def logged(found: dict[str, Any]) -> list[str]:
    return [line.strip() for line in found["log"] if not line.startswith(_NOTES)]


@pytest.fixture(scope="module")
def verdicts(caffe_python: str) -> dict[str, Any]:
    jobs = [(f"{name}/{phase}", NET, phase, data) for name, data in MODELS.items() for phase in ("TRAIN", "TEST")]
    return judged(caffe_python, jobs)


@pytest.mark.parametrize("phase", ["TRAIN", "TEST"])
@pytest.mark.parametrize("name", MODELS)
def test_every_line_of_caffes_log(verdicts: dict[str, Any], name: str, phase: str) -> None:
    found, ours = verdicts[f"{name}/{phase}"], predicted(MODELS[name], phase)
    assert found["built"]
    assert ours is not None
    assert [line.strip() for line in ours.log()] == logged(found)
    assert (not ours.abort) == found["loaded"]


def cuts() -> Iterator[tuple[int, bytes]]:
    step = len(GOOD) // 40
    yield from ((at, GOOD[:at]) for at in range(3, len(GOOD), step))


def test_a_file_that_is_cut_off_at_many_places(caffe_python: str) -> None:
    found = judged(caffe_python, [(str(at), NET, "TEST", data) for at, data in cuts()])
    assert len(found) >= 40
    refused = {at for at, data in cuts() if predicted(data, "TEST") is None}
    assert refused == {int(at) for at, verdict in found.items() if "Failed to parse" in str(verdict["log"])}
    assert refused


def test_the_layers_that_caffe_inserts(verdicts: dict[str, Any]) -> None:
    for phase in ("TRAIN", "TEST"):
        names = verdicts[f"all/{phase}"]["layers"]
        ours = predicted(GOOD, phase)
        assert ours is not None
        fillers = {fate.name for fate in ours.of(Outcome.FILLER)}
        assert not fillers & {f.name for f in ours.of(Outcome.COPIED)}
        from caffefix.caffe.splits import split_names

        assert sorted(name for _, name in split_names(ours.graph)) == sorted(
            n for n in names if n.endswith("_split")
        )
