"""Graph findings: what real Caffe does without a word, and what is no mistake; aborts are in aborts.py."""

from __future__ import annotations

import pytest

from caffefix.caffe.net import Phase
from caffefix.findings import Subject
from caffefix.fixers import fixers
from caffefix.syntax.parse import parse
from tests.support.caffe_nets import Job, ask

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


def messages(name: str, text: str) -> list[str]:
    find = next(fixer.find for fixer in fixers() if fixer.name == name)
    return [finding.message for finding in find(Subject(parse(text)))]


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


def test_very_many_of_the_same_mistake_are_all_found() -> None:
    """What takes a look at the whole net is done for the first of them only."""
    data = 'layer { name: "d" type: "DummyData" top: "x" dummy_data_param { shape { dim: 1 } } }\n'
    reading = "".join(f'layer {{ name: "l{i}" type: "ReLU" bottom: "X" top: "y{i}" }}\n' for i in range(300))
    assert len(messages("unknown-bottom", data + reading)) == 300
    twice = 'layer { name: "p" type: "Python" ' + 'top: "t" ' * 300 + "}\n"
    assert len(messages("duplicate-top", data + twice)) == 299
