"""Fixers that go by predicted signals: known nets are left alone, and real Caffe sees what is predicted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from caffefix.caffe.net import Net, Phase
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.evidence.prediction import Logits
from caffefix.evidence.signal import predict
from caffefix.syntax.parse import parse
from caffefix.syntax.source import Source
from tests.support.caffe_nets import Job, ask, with_dummy_data
from tests.support.golden import GOLDEN

BY_SIGNAL = ("exploding-signal", "missing-input-scale", "vanishing-signal")
TUNERS = (*BY_SIGNAL, "default-std", "filler-on-vector-blob", "frozen-random-layer", "identical-units")


def logits(text: str) -> Logits:
    (found,) = predict(Net(parse(text).root)).logits
    return found


def found(text: str, select: tuple[str, ...] = TUNERS, *, unsafe: bool = False) -> tuple[list[str], str]:
    """Names of the findings, and the text after repair."""
    result = repair(Source("net", text.encode("latin-1")), Request(Selection(select=select, unsafe=unsafe)))
    assert not result.status.failed, result.reason
    return [d.name for d in result.findings], (result.new or text.encode("latin-1")).decode("latin-1")


# ---------------------------------------------------------------- any depth, filler and scale


def chain(depth: int, filler: str, scale: str, width: int = 32) -> str:
    """Convolutions of 3 × 3 with ReLUs, on images of 32 × 32 with their mean subtracted."""
    data = 'layer { name: "data" type: "Data" top: "data" top: "label" transform_param { crop_size: 32'
    parts = [f'{data} mean_value: 128 {scale} }} data_param {{ source: "x" batch_size: 8 }} }}']
    weights = f"weight_filler {{ {filler} }}"
    below = "data"
    for i in range(depth):
        parts.append(
            f'layer {{ name: "c{i}" type: "Convolution" bottom: "{below}" top: "c{i}"'
            f" convolution_param {{ num_output: {width} kernel_size: 3 pad: 1 {weights} }} }}"
            f'layer {{ name: "r{i}" type: "ReLU" bottom: "c{i}" top: "c{i}" }}'
        )
        below = f"c{i}"
    parts.append(
        f'layer {{ name: "score" type: "InnerProduct" bottom: "{below}" top: "score"'
        f" inner_product_param {{ num_output: 10 {weights} }} }}"
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" }'
    )
    return "\n".join(parts)


@pytest.mark.parametrize("scale", ["", "scale: 0.0078125", "scale: 0.00390625"])
@pytest.mark.parametrize("filler", ['type: "xavier"', 'type: "msra"', 'type: "gaussian" std: 0.01'])
@pytest.mark.parametrize("depth", [1, 4, 9, 16])
def test_what_is_proposed_lands(depth: int, filler: str, scale: str) -> None:
    text = chain(depth, filler, scale)
    before = logits(text)
    assert before.low
    assert before.high
    assert before.reach
    names, after = found(text, BY_SIGNAL, unsafe=True)
    vanishes = before.high < 0.05 and before.reach < 300
    assert names == (["vanishing-signal"] if vanishes else ["exploding-signal"] if before.low > 10 else [])
    if after != text:
        assert 0.1 <= (logits(after).std or 0) <= 10
        assert found(after, BY_SIGNAL)[0] == []


def test_all_kinds_of_verdict_come_up_there() -> None:
    shallow, deep = chain(1, 'type: "xavier"', ""), chain(16, 'type: "xavier"', "scale: 0.00390625")
    assert found(shallow)[0] == ["exploding-signal"]
    assert found(deep)[0] == ["vanishing-signal"]
    assert found(chain(16, 'type: "xavier"', ""))[0] == []


def test_reach_is_the_gradient_of_a_logit() -> None:
    """One layer: a logit is Σ w·x, and its gradient x."""
    data = 'layer { name: "d" type: "Data" top: "x" top: "label" transform_param { crop_size: 4 mean_value: 128 }'
    text = (
        data + ' data_param { source: "x" batch_size: 8 } } layer { name: "score" type: "InnerProduct" bottom: "x"'
        ' top: "score" inner_product_param { num_output: 5 weight_filler { type: "gaussian" std: 0.0001 } } }'
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" }'
    )
    one = logits(text)
    square = 3 * 4 * 4 * 45**2 * 3.14159 / 2  # E|x|² over 48 pixels of mean |x| 45
    assert one.reach == pytest.approx(square, rel=0.05)
    assert found(text)[0] == []  # small logits, but they move at once


# ---------------------------------------------------------------- nets that are known to learn

KNOWN = [
    "BVLC__caffe/models/bvlc_alexnet/train_val.prototxt",
    "BVLC__caffe/models/bvlc_googlenet/train_val.prototxt",
    "BVLC__caffe/models/bvlc_reference_caffenet/train_val.prototxt",
    "BVLC__caffe/examples/cifar10/cifar10_full_sigmoid_train_test.prototxt",
    "BVLC__caffe/@a3449fa747/examples/parallel/cifar.prototxt",
    "BVLC__caffe/@82ca748805/examples/mnist/lenet_consolidated_solver.prototxt",
    "yahoo__CaffeOnSpark/data/cifar10_quick_train_test.prototxt",
    "kevinlin311tw__caffe-cvprw15/examples/cifar10/cifar10_full_train_test.prototxt",
    "forresti__SqueezeNet/SqueezeNet_v1.0/train_val.prototxt",
]


@pytest.mark.parametrize("name", KNOWN)
def test_known_nets_are_silent(shared: Path, name: str) -> None:
    path = shared / "corpus" / name
    if not path.exists():
        pytest.skip(f"no {name} in this corpus")
    assert found(path.read_bytes().decode("latin-1"))[0] == []


# ---------------------------------------------------------------- real Caffe

CASES = (
    "exploding-signal/fires", "exploding-signal/scale-beside-the-mean", "missing-input-scale/beside-a-crop",
    "vanishing-signal/fires", "vanishing-signal/gaussian-too-small",
)  # fmt: skip


def with_images(text: str) -> str:
    """The net with noise for images, of the size that the prediction takes them to be."""
    scale = float((re.search(r"\bscale: ([\d.]+)", text) or [0, 1])[1])
    raw = "mean_value" not in text
    spread = f"mean: {110 * scale} std: {55 * scale}" if raw else f"std: {56.4 * scale}"
    return with_dummy_data(text, Phase.TRAIN, batch=8).replace('"gaussian" std: 1', f'"gaussian" {spread}', 1)


@pytest.mark.caffe
def test_caffe_sees_the_logits_that_are_predicted(caffe_python: str) -> None:
    texts = [
        (GOLDEN / case / f"{side}.prototxt").read_text(encoding="latin-1")
        for case in CASES
        for side in ("before", "after")
    ]
    answers = ask(caffe_python, [Job("net", "debug_info: true\n" + with_images(text), run=True) for text in texts])
    sizes = []
    for text, answer in zip(texts, answers, strict=True):
        assert answer.abort is None, answer.abort
        expected = logits(text)
        line = next(line for line in answer.log if f"Layer {expected.feeders[-1].name}, top blob" in line)
        std = float(line.rpartition(": ")[2]) * 1.2533  # of normal values, by their mean absolute value
        assert expected.low
        assert expected.high
        assert expected.low / 1.2 < std < expected.high * 1.2
        sizes.append(std)
    for case, before, after in zip(CASES, sizes[::2], sizes[1::2], strict=True):
        assert (before < 0.05) if case.startswith("vanishing") else (before > 10)
        assert 0.05 < after < 10
