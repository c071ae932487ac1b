"""Which message of parameters a type cannot do without, asked of real Caffe."""

from __future__ import annotations

import pytest

from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.layers.bvlc import BVLC_TYPES
from caffefix.caffe.layers.params import lacks, reads
from caffefix.caffe.schema import load
from tests.support.aborts import layer
from tests.support.caffe_nets import Job, ask

# BVLC's types that read a message of parameters.
READ = {name: kind.params for name, kind in BOOK.items() if kind.params and name in BVLC_TYPES}

INPUTS = layer("Input", "", "input_param { shape { dim: 2 dim: 4 dim: 8 dim: 8 } }", "x y")
INPUTS += layer("Input", "", "input_param { shape { dim: 2 } }", "label")
BOTTOMS = {
    "Accuracy": "x label", "ContrastiveLoss": "f f label", "Crop": "x y", "Eltwise": "x y", "EuclideanLoss": "x y",
    "HingeLoss": "f label", "InfogainLoss": "f label h", "LSTM": "x y", "MultinomialLogisticLoss": "f label",
    "RNN": "x y", "SigmoidCrossEntropyLoss": "x y", "SoftmaxWithLoss": "f label",
    **dict.fromkeys("Data DummyData HDF5Data ImageData Input MemoryData Parameter WindowData".split(), ""),
}  # fmt: skip
INPUTS += layer("Input", "", "input_param { shape { dim: 2 dim: 5 } }", "f")
INPUTS += layer("Input", "", "input_param { shape { dim: 1 dim: 1 dim: 5 dim: 5 } }", "h")
# Without their message they load only if the bottoms are lucky: the shape rules judge that.
BY_SHAPE = {"Input", "ContrastiveLoss", "Reshape", "Accuracy", "Slice", "Crop"}
NOT_HERE = {"Clip"}  # this Caffe is of before it


def test_the_messages_are_those_of_bvlcs_layers() -> None:
    known = {name for name, variants in load().messages["LayerParameter"].items() if _is_bvlcs(variants)}
    given = {name for messages in READ.values() for name in messages}
    assert given == {name for name in known if name.endswith("_param")}


def _is_bvlcs(variants) -> bool:  # type: ignore[no-untyped-def]
    return any(variant.forks & load().bit("bvlc") for variant in variants)


def test_what_a_type_reads() -> None:
    assert reads("ReLU", ["relu_param"])
    assert reads("ReLU", [])
    assert not reads("ReLU", ["relu_param", "convolution_param"])
    assert not reads("Data", ["input_param"])
    assert reads("HDF5Data", ["hdf5_data_param", "transform_param"]), "transform-on-hdf5-data sees to that"
    assert not reads("AbsVal", ["power_param"])


@pytest.mark.caffe
def test_caffe_cannot_do_without_what_is_needed(caffe_python: str) -> None:
    types = sorted(READ.keys() - BY_SHAPE - NOT_HERE)
    jobs = [Job(kind, INPUTS + layer(kind, BOTTOMS.get(kind, "x"), tops="" if kind == "HDF5Output" else "odd"))
            for kind in types]  # fmt: skip
    refused = {answer.name for answer in ask(caffe_python, jobs) if answer.abort is not None}
    assert refused == {kind for kind in types if lacks(kind, [])}
