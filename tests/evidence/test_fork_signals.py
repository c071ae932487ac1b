"""Signals through layers of forks: against layers that compute the same, and against drawn numbers."""

from __future__ import annotations

import random

import pytest

from caffefix.caffe.net import Net, Phase
from caffefix.evidence.prediction import Prediction
from caffefix.evidence.signal import predict
from caffefix.syntax.parse import parse
from tests.evidence.test_signal import IMAGES, conv, end, layer

TWO = 'slope_filler { type: "constant" value: 2 } bias_filler { type: "constant" value: 1 }'


def of(text: str, phase: Phase = Phase.TRAIN) -> Prediction:
    return predict(Net(parse(IMAGES % "scale: 0.0039" + text).root), phase)


def sizes(text: str) -> dict[str, float | None]:
    return {blob.blob: blob.mean_abs for blob in of(text).blobs}


def test_bn_is_batch_norm_and_scale() -> None:
    scale = "scale_param { bias_term: true filler { value: 2 } bias_filler { value: 1 } }"
    apart = conv("data", "x") + layer("b", "BatchNorm", "x", "b") + layer("y", "Scale", "b", "y", scale) + end("y")
    one = conv("data", "x") + layer("y", "BN", "x", "y", f"bn_param {{ {TWO} }}") + end("y")
    assert sizes(one)["y"] == pytest.approx(sizes(apart)["y"])


@pytest.mark.parametrize(
    "fields", ["", f"bn_param {{ {TWO} frozen: true }}", "bn_param { momentum: 0.9 }"]
)  # nothing, statistics that come with the weights, no slope
def test_bn_that_is_not_known_stops(fields: str) -> None:
    found = of(conv("data", "x") + layer("y", "BN", "x", "y", fields) + end("y"))
    assert [s.layer for s in found.stopped] == ["y"]


def test_axpy_is_a_product_and_a_sum() -> None:
    made = (
        conv("data", "x")
        + conv("data", "y")
        + layer("a", "Pooling", "x", "a", "pooling_param { global_pooling: true }")
    )
    flat = layer("f", "Reshape", "a", "f", "reshape_param { shape { dim: 0 dim: 0 } }")
    scaled = layer("p", "Scale", "x f", "p", "scale_param { axis: 0 }")
    apart = made + flat + scaled + layer("z", "Eltwise", "p y", "z")
    one = made + layer("z", "Axpy", "a x y", "z")
    assert sizes(one + end("z"))["z"] == pytest.approx(sizes(apart + end("z"))["z"], rel=0.02)


def test_a_larger_map_is_smoother() -> None:
    """Bilinear interpolation of white noise, drawn: about 2/3 of the variance is left for each axis."""
    draw = random.Random(3)
    side, zoom = 40, 5
    noise = [[draw.gauss(0, 1) for _ in range(side)] for _ in range(side)]
    places = [(i / zoom) for i in range((side - 1) * zoom + 1)]
    total = 0.0
    for y in places:
        for x in places:
            i, j = min(int(y), side - 2), min(int(x), side - 2)
            a, b = y - i, x - j
            upper = noise[i][j] * (1 - b) + noise[i][j + 1] * b
            lower = noise[i + 1][j] * (1 - b) + noise[i + 1][j + 1] * b
            total += (upper * (1 - a) + lower * a) ** 2
    drawn = total / len(places) ** 2
    interp = f"interp_param {{ zoom_factor: {zoom} }}"
    text = conv("data", "x") + layer("y", "Interp", "x", "y", interp) + end("y")
    found = {blob.blob: blob for blob in of(text).blobs}
    x, y = found["x"].mean_abs, found["y"].mean_abs
    assert x is not None
    assert y is not None
    assert drawn == pytest.approx(4 / 9, rel=0.15)
    assert 0.97 * drawn**0.5 < y / x <= 1  # the prediction is of images, smooth or white


@pytest.mark.parametrize(
    ("kind", "fields", "why"),
    [
        ("ROIPooling", "roi_pooling_param { pooled_h: 3 pooled_w: 3 }", "regions"),
        ("PriorBox", "prior_box_param { min_size: 3 }", "regions"),
        ("SmoothL1Loss", "", "labels"),
        ("DetectionEvaluate", "", "metric"),
    ],
)
def test_what_depends_on_the_data_says_so(kind: str, fields: str, why: str) -> None:
    found = of(conv("data", "x") + layer("y", kind, "x label", "y", fields))
    assert [s.layer for s in found.stopped] == ["y"]
    assert why in found.stopped[0].why


def test_silence_is_no_stop() -> None:
    assert not of(conv("data", "x") + layer("s", "Silence", "data", "") + end("x")).stopped
