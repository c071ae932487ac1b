"""What the graph findings predict, real Caffe does; and it loads the net once the mistake is mended."""

from __future__ import annotations

import re

import pytest

from caffefix.caffe.net import Phase
from caffefix.findings import Subject
from caffefix.fixers import fixers
from caffefix.syntax.parse import parse
from tests.caffe_nets import Job, ask

DATA = """
layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } shape { dim: 2 } data_filler { type: "gaussian" } } }
"""
CONV = """
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
  convolution_param { num_output: 4 kernel_size: 3 } }
"""
SCORE = """
layer { name: "score" type: "InnerProduct" bottom: "conv1" top: "score" inner_product_param { num_output: 5 } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "score" bottom: "label" top: "loss" }
"""
NET = DATA + CONV + SCORE


def joined(kind: str, bottoms: str, extra: str = "") -> str:
    """A layer of that kind between conv1 and the rest."""
    blobs = "".join(f' bottom: "{b}"' for b in bottoms.split())
    return DATA + CONV + f'layer {{ name: "odd" type: "{kind}"{blobs} top: "odd" {extra} }}' + SCORE


def ending(kind: str, bottoms: str, extra: str = "") -> str:
    """A layer of that kind behind the net."""
    blobs = "".join(f' bottom: "{b}"' for b in bottoms.split())
    return NET + f'layer {{ name: "odd" type: "{kind}"{blobs} top: "odd" {extra} }}'


RELU = 'layer { name: "relu" type: "ReLU" bottom: "conv1" top: "conv1" }'
POOL = "pooling_param { kernel_size: 2 pad: 1 }"
GLOBAL = "pooling_param { global_pooling: true }"

# by finding: net, what to replace, by what
MISTAKES = {
    "unknown-bottom": [
        (NET, 'bottom: "data"', 'bottom: "dat"'),
        (NET, DATA + CONV + SCORE, CONV + DATA + SCORE),
        (NET, 'bottom: "label"', 'bottom: "labels"'),
    ],
    "duplicate-top": [
        (ending("ReLU", "score"), 'top: "odd"', 'top: "conv1"'),
        (joined("ReLU", "conv1"), SCORE, RELU + SCORE),
    ],
    "shape-mismatch": [
        (joined("Eltwise", "conv1 conv1"), 'bottom: "conv1" top: "odd"', 'bottom: "data" top: "odd"'),
        (joined("Concat", "conv1 conv1"), 'bottom: "conv1" top: "odd"', 'bottom: "data" top: "odd"'),
        (NET, "kernel_size: 3", "kernel_size: 11"),
        (NET, "kernel_size: 3", "kernel_size: 3 group: 2"),
        (NET, "num_output: 4", "num_output: 4 group: 3"),
        (joined("Reshape", "conv1", "reshape_param { shape { dim: 2 dim: 144 } }"), "144", "143"),
        (joined("Reshape", "conv1", "reshape_param { shape { dim: -1 dim: 12 } }"), "12", "11"),
        (NET, 'bottom: "score" bottom', 'bottom: "conv1" bottom'),
        (joined("Slice", "conv1", 'top: "b"'), 'top: "b"', 'top: "b" top: "c"'),
        (
            joined("Slice", "conv1", 'top: "b" slice_param { slice_point: 2 }'),
            "point: 2",
            "point: 2 slice_point: 3",
        ),
        (joined("Crop", "data conv1", "crop_param { offset: 1 }"), "offset: 1", "offset: 4"),
        (joined("Softmax", "conv1", "softmax_param { axis: 1 }"), "axis: 1", "axis: 4"),
        (joined("Pooling", "conv1", POOL), "pad: 1", "pad: 2"),
        (joined("Pooling", "conv1", GLOBAL), "global_pooling: true", "global_pooling: true kernel_size: 2"),
        (ending("Pooling", "conv1", POOL), 'bottom: "conv1" top: "odd"', 'bottom: "score" top: "odd"'),
        (ending("EuclideanLoss", "score score"), 'bottom: "score" top: "odd"', 'bottom: "conv1" top: "odd"'),
        (joined("Scale", "conv1", "scale_param { num_axes: 3 }"), "num_axes: 3", "num_axes: 4"),
        (ending("Accuracy", "score label", "accuracy_param { top_k: 5 }"), "top_k: 5", "top_k: 6"),
        (joined("LRN", "conv1", "lrn_param { local_size: 3 }"), "size: 3", "size: 4"),
    ],
}


def messages(name: str, text: str) -> list[str]:
    find = next(fixer.find for fixer in fixers() if fixer.name == name)
    return [finding.message for finding in find(Subject(parse(text)))]


@pytest.mark.caffe
def test_caffe_aborts_as_predicted_and_loads_what_is_mended(caffe_python: str) -> None:
    cases = [(name, whole, whole.replace(old, new)) for name, rows in MISTAKES.items() for whole, old, new in rows]
    broken = ask(caffe_python, [Job(name, text) for name, _, text in cases])
    mended = ask(caffe_python, [Job(name, whole) for name, whole, _ in cases])
    for (name, whole, text), before, after in zip(cases, broken, mended, strict=True):
        assert before.abort, text
        assert not after.abort, after.abort
        assert not messages(name, whole), whole
        told = messages(name, text)
        assert len(told) == 1, (text, before.abort, told)
        assert re.findall(r'aborts.* with "(.*?)"(?:: | at)', told[0]) == [before.abort.strip()]


@pytest.mark.caffe
def test_layers_of_one_name_lose_their_weights(caffe_python: str) -> None:
    """Saved and loaded again: the second layer of a name is not found, or Caffe aborts."""
    relu = 'layer { name: "conv1" type: "ReLU" bottom: "conv1" top: "conv1" }'
    text = DATA + CONV + relu + SCORE
    renamed = text.replace('"conv1" type: "ReLU"', '"relu1" type: "ReLU"')
    fine, broken = ask(caffe_python, [Job("fine", renamed, reload=True), Job("broken", text, reload=True)])
    assert fine.abort is None
    assert broken.abort
    assert "Incompatible number of blobs for layer conv1" in broken.abort
    assert messages("duplicate-layer-name", text)
    assert not messages("duplicate-layer-name", renamed)


@pytest.mark.caffe
def test_no_gradient_where_no_loss_is_reached(caffe_python: str) -> None:
    side = SCORE.split("layer")[1].replace("score", "side").join(["layer", ""])
    (answer,) = ask(caffe_python, [Job("side", "debug_info: true" + DATA + CONV + side + SCORE, run=True)])
    assert answer.abort is None
    assert any("Layer score, param blob 0 diff" in line for line in answer.log)
    assert not any("[Backward] Layer side" in line for line in answer.log)
    assert len(messages("unreachable-loss", DATA + CONV + side + SCORE)) == 1
    assert not messages("unreachable-loss", NET)


def test_phases_are_judged_by_themselves() -> None:
    """A blob of TRAIN's data alone is unknown in TEST only, and only if TEST has data."""
    train = DATA.replace("dummy_data_param", "include { phase: TRAIN } dummy_data_param")
    test = DATA.replace(' top: "label"', "").replace(
        "dummy_data_param", "include { phase: TEST } dummy_data_param"
    )
    assert not messages("unknown-bottom", train + CONV + SCORE)
    (told,) = messages("unknown-bottom", train + test + CONV + SCORE)
    assert f"in phase {Phase.TEST.value} with" in told


def test_a_letter_inside_a_word_is_mended_a_number_is_not() -> None:
    """``dtaa`` is data; conv2 is not conv1, and no branch is another."""
    (told,) = messages("unknown-bottom", NET.replace('bottom: "data"', 'bottom: "dtaa"'))
    assert told.endswith("writes 'data'")
    for name in ("conv2", "Conv2", "conv1_b"):
        (told,) = messages("unknown-bottom", NET.replace('bottom: "conv1"', f'bottom: "{name}"'))
        assert "writes" not in told
    assert not messages("unknown-bottom", CONV + SCORE)  # a net without data is a part of one
