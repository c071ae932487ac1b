"""Every type that BVLC's Caffe registers has a known number of parameter blobs, which is real Caffe's."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from caffefix.caffe.blob_counts import blob_count
from caffefix.caffe.layers.bvlc import BVLC_TYPES
from caffefix.caffe.net import Net
from caffefix.syntax.parse import parse
from tests.support.caffe_nets import Job, ask


@dataclass(frozen=True)
class Row:
    """A layer: its bottoms of ``SOURCES``, its fields, and how many blobs it has.

    Attributes:
        unasked: why Caffe cannot be asked.
    """

    type: str
    bottoms: str
    count: int
    fields: str = ""
    tops: str = "t"
    unasked: str = ""

    def text(self, params: int) -> str:
        blobs = "".join(f'bottom: "{name}" ' for name in self.bottoms.split())
        blobs += "".join(f'top: "{name}" ' for name in self.tops.split())
        return (
            f'layer {{ name: "odd" type: "{self.type}" {blobs}{"param { lr_mult: 0 } " * params}{self.fields} }}\n'
        )


SOURCES = """
layer { name: "in" type: "DummyData"
  top: "d" top: "e" top: "v" top: "n" top: "c" top: "s" top: "v3" top: "m" top: "g" top: "st" dummy_data_param {
    shape { dim: 2 dim: 6 dim: 9 dim: 10 } shape { dim: 2 dim: 6 dim: 9 dim: 10 } shape { dim: 4 dim: 6 }
    shape { dim: 4 } shape { dim: 2 dim: 6 dim: 5 dim: 4 } shape { dim: 2 dim: 6 } shape { dim: 3 dim: 4 dim: 6 }
    shape { dim: 3 dim: 4 } shape { dim: 1 dim: 4 dim: 24 } shape { dim: 4 dim: 3 } } }
layer { name: "h" type: "DummyData" top: "h0" top: "h1"
  dummy_data_param { shape { dim: 1 dim: 4 dim: 6 } shape { dim: 1 dim: 4 } } }
"""
FILE = "it opens its file first"
NEW = "younger than the Caffe that is asked"

PLAIN = (
    "AbsVal BNLL Dropout ELU Exp Log LRN MVN Power ReLU Sigmoid TanH Threshold Softmax Flatten ArgMax Reduction"
)
LOSSES = "SoftmaxWithLoss MultinomialLogisticLoss HingeLoss"
ROWS = (
    *(Row(kind, "d", 0) for kind in PLAIN.split()),
    *(Row(kind, "v n", 0) for kind in LOSSES.split()),
    *(Row(kind, "d e", 0) for kind in ("Concat", "Eltwise", "EuclideanLoss", "SigmoidCrossEntropyLoss")),
    Row("Swish", "d", 0, unasked=NEW),
    Row("Clip", "d", 0, "clip_param { min: 0 max: 6 }", unasked=NEW),
    Row("Accuracy", "v n", 0),
    Row("BatchNorm", "d", 3),
    Row("BatchReindex", "v n", 0),
    Row("Bias", "d", 1),
    Row("Bias", "d s", 0, "bias_param { axis: 0 }"),
    Row("ContrastiveLoss", "v v n", 0),
    Row("Convolution", "d", 2, "convolution_param { num_output: 4 kernel_size: 3 }"),
    Row("Convolution", "d", 1, "convolution_param { num_output: 4 kernel_size: 3 bias_term: false }"),
    Row("Crop", "d c", 0),
    Row("Data", "", 0, 'data_param { source: "lmdb" batch_size: 1 }', unasked=FILE),
    Row("Deconvolution", "d", 2, "convolution_param { num_output: 4 kernel_size: 3 }"),
    Row("Deconvolution", "d", 1, "convolution_param { num_output: 4 kernel_size: 3 bias_term: false }"),
    Row("DummyData", "", 0, "dummy_data_param { shape { dim: 1 } }"),
    Row("Embed", "n", 2, "embed_param { num_output: 5 input_dim: 7 }"),
    Row("Embed", "n", 1, "embed_param { num_output: 5 input_dim: 7 bias_term: false }"),
    Row("Filter", "v n", 0),
    Row("HDF5Data", "", 0, 'hdf5_data_param { source: "list" batch_size: 1 }', unasked=FILE),
    Row("HDF5Output", "d e", 0, 'hdf5_output_param { file_name: "out.h5" }', tops=""),
    Row("Im2col", "d", 0, "convolution_param { kernel_size: 3 }"),
    Row("ImageData", "", 0, 'image_data_param { source: "list" }', "t u", unasked=FILE),
    Row("InfogainLoss", "v n", 0, 'infogain_loss_param { source: "h" }', unasked=FILE),
    Row("InnerProduct", "d", 2, "inner_product_param { num_output: 4 }"),
    Row("InnerProduct", "d", 1, "inner_product_param { num_output: 4 bias_term: false }"),
    Row("Input", "", 0, "input_param { shape { dim: 1 } }"),
    Row("LSTM", "v3 m", 3, "recurrent_param { num_output: 6 }"),
    Row("LSTM", "v3 m st", 4, "recurrent_param { num_output: 6 }"),
    Row("LSTM", "v3 m h0 h0", 3, "recurrent_param { num_output: 6 expose_hidden: true }", "t u w"),
    Row("LSTMUnit", "h0 g h1", 0, tops="t u"),
    Row("MemoryData", "", 0, "memory_data_param { batch_size: 1 channels: 1 height: 2 width: 2 }", "t u"),
    Row("PReLU", "d", 1),
    Row("Parameter", "", 1, "parameter_param { shape { dim: 2 } }"),
    Row("Pooling", "d", 0, "pooling_param { kernel_size: 3 }"),
    Row("RNN", "v3 m", 5, "recurrent_param { num_output: 6 }"),
    Row("RNN", "v3 m st", 6, "recurrent_param { num_output: 6 }"),
    Row("Reshape", "d", 0, "reshape_param { shape { dim: 0 dim: -1 } }"),
    Row("SPP", "d", 0, "spp_param { pyramid_height: 2 }"),
    Row("Scale", "d", 1),
    Row("Scale", "d", 2, "scale_param { bias_term: true }"),
    Row("Scale", "d s", 0, "scale_param { axis: 0 }"),
    Row("Scale", "d s", 1, "scale_param { axis: 0 bias_term: true }"),
    Row("Silence", "d", 0, tops=""),
    Row("Slice", "d", 0, "slice_param { slice_point: 2 }", "t u"),
    Row("Split", "d", 0, tops="t u"),
    Row("Tile", "d", 0, "tile_param { tiles: 2 }"),
    Row("WindowData", "", 0, 'window_data_param { source: "list" }', "t u", unasked=FILE),
)


def test_every_type_of_bvlcs_caffe_is_counted() -> None:
    assert {row.type for row in ROWS} == BVLC_TYPES - {"Python"}  # whose class decides


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.type}-{row.bottoms}-{row.count}")
def test_the_number_of_blobs(row: Row) -> None:
    (layer,) = Net(parse(row.text(0)).root).layers
    assert blob_count(layer) == row.count


@pytest.mark.parametrize(
    "text",
    [
        'type: "Python" bottom: "d" python_param { module: "m" layer: "L" }',
        'type: "Convolution" bottom: "d"',
        'type: "InnerProduct" bottom: "d" inner_product_param { bias_term: false }',
        'type: "Normalize" bottom: "d"',
        'type: "BatchNorm" bottom: "d" batch_norm_param { scale_bias: true }',
        'type: "Scale"',
        'type: "LSTM" recurrent_param { num_output: 6 }',
    ],
)
def test_what_is_not_told_is_not_guessed(text: str) -> None:
    (layer,) = Net(parse(f"layer {{ {text} }}").root).layers
    assert blob_count(layer) is None


def test_a_piece_is_counted_where_its_place_does_not_matter() -> None:
    (layer,) = Net(parse('layer { type: "Convolution" convolution_param { num_output: 4 } }').root).layers
    assert blob_count(layer) == 2


@pytest.mark.caffe
@pytest.mark.slow
def test_real_caffe_counts_the_same(caffe_python: str) -> None:
    """It has that many blobs, takes that many params, and aborts on one more."""
    rows = [row for row in ROWS if not row.unasked]
    right = ask(caffe_python, [Job(row.type, SOURCES + row.text(row.count)) for row in rows])
    wrong = ask(caffe_python, [Job(row.type, SOURCES + row.text(row.count + 1)) for row in rows])
    for row, loaded, aborted in zip(rows, right, wrong, strict=True):
        assert loaded.abort is None, (row, loaded.abort)
        assert len(loaded.params.get("odd", [])) == row.count, row
        assert aborted.abort is not None, row
        assert "Too many params specified for layer odd" in aborted.abort, (row, aborted.abort)
