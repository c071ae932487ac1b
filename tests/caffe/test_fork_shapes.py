"""Shapes of layers that forks have, after the C++ that their rules name; and of BVLC's that make nothing."""

from __future__ import annotations

import pytest

from caffefix.caffe.fillers import Shape
from caffefix.caffe.graph import graph
from caffefix.caffe.layers.book import BOOK
from caffefix.caffe.net import Net, Phase
from caffefix.caffe.shapes import infer
from caffefix.syntax.parse import parse
from tests.caffe.test_shapes import inferred, problems

# name of a blob -> its shape
SOURCES: dict[str, tuple[int, ...]] = {
    "d": (2, 8, 9, 12), "e": (2, 8, 5, 7), "v": (4, 6), "n": (4,), "rois": (3, 5), "vol": (2, 3, 8, 9, 9),
    "box": (1, 1, 3, 7), "gt": (1, 1, 4, 8), "scores": (4, 5), "w": (4, 6), "loss": (4,),
    "cell": (1, 4, 6), "gates": (1, 4, 24), "cont": (1, 4), "a": (2, 8, 1, 1), "flat": (2, 1014), "lab": (2, 150),
}  # fmt: skip


def net(kind: str, bottoms: str, tops: str, fields: str) -> str:
    text = "".join(
        f'layer {{ name: "{name}" type: "Input" top: "{name}" input_param {{ shape {{ '
        f"{' '.join(f'dim: {dim}' for dim in shape)} }} }} }}\n"
        for name, shape in SOURCES.items()
    )
    blobs = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
    return f'{text}layer {{ name: "l" type: "{kind}"{blobs} {fields} }}'


CONVOLUTION = "convolution_param { num_output: 4 kernel_size: 3 stride: 2 pad: 1 }"
STRIDES = "stride_shape { dim: 6 dim: 2 dim: 1 }"
ND = "num_output: 4 kernel_shape { dim: 3 dim: 3 dim: 3 }"

CASES: list[tuple[str, str, str, list[Shape]]] = [
    # ends
    ("HDF5Data", "", "hdf5_data_param { batch_size: 4 }", [None, None]),
    ("LSTMUnit", "cell gates cont", "", [(1, 4, 6), (1, 4, 6)]),
    # convolutions
    ("BinaryConvolution", "d", CONVOLUTION, [(2, 4, 5, 6)]),
    ("BinaryConvolution", "d", "", [None]),
    ("ConvolutionReLU", "d", CONVOLUTION, [(2, 4, 5, 6)]),
    ("BinaryInnerProduct", "d", "inner_product_param { num_output: 5 transpose: true }", [(2, 5)]),
    ("Quant", "d", 'quant_param { forward_func: "hwgq" centers: 1 }', [(2, 8, 9, 12)]),
    ("Quant", "d", "quant_param { bits: 8 }", [None]),
    ("CCCP", "d", "cccp_param { num_output: 6 group: 2 }", [(2, 6, 9, 12)]),
    ("NdConvolution", "vol", f"convolution_param {{ {ND} }}", [(2, 4, 6, 7, 7)]),
    (
        "NdConvolution",
        "vol",
        f"convolution_param {{ {ND} stride_shape {{ dim: 6 dim: 2 dim: 1 }} }}",
        [(2, 4, 4, 7)],
    ),
    ("NdConvolution", "d", f"convolution_param {{ {ND} }}", [None]),
    ("NdPooling", "vol", "pooling_param { kernel_shape { dim: 2 dim: 2 dim: 2 } }", [(2, 3, 7, 8, 8)]),
    ("NdPooling", "vol", "pooling_param { kernel_shape { dim: 1 } global_pooling: true }", [(2, 3)]),
    # detection
    ("SoftmaxWithLossOHEM", "scores n", "", [(), (4, 5), (4,)]),
    ("SmoothL1LossOHEM", "v w", "", [(), (4, 1, 1, 1)]),
    ("BoxAnnotatorOHEM", "rois loss loss v", "", [(3, 1, 1, 1), (3, 6, 1, 1)]),
    ("DetectionEvaluate", "box gt", "detection_evaluate_param { num_classes: 3 }", [(1, 1, None, 5)]),
    ("DetectionEvaluate", "box gt v", "detection_evaluate_param { num_classes: 3 }", [None]),
    ("RegionLoss", "d lab", "region_loss_param { num: 5 }", [()]),
    ("RegionLoss", "d", "region_loss_param { num: 5 }", [None]),
    ("Yolov3", "d lab", "", [()]),
    ("Yolov3DetectionOutput", "d e", "", [(1, 1, None, 7)]),
    ("Reorg", "d", "reorg_param { stride: 2 }", [(2, 32, 4, 6)]),
    ("Reorg", "d", "reorg_param { stride: 2 reverse: true }", [(2, 2, 18, 24)]),
    ("Reorg", "d", "reorg_param { stride: 2 sample_type: UP }", [None]),
    ("ROIWarping", "d rois", "roi_warping_param { pooled_h: 7 pooled_w: 5 }", [(3, 8, 7, 5)]),
    ("ROIAlign", "d rois", "roi_align_param { pooled_h: 7 pooled_w: 5 }", [(3, 8, 7, 5)]),
    ("ROIAlign", "d rois", "roi_pooling_param { pooled_h: 7 pooled_w: 5 }", [(3, 8, 7, 5)]),
    ("ROIAlign", "d rois", "roi_align_param { pooled_h: 7 pooled_w: 5 topk: 9 }", [None]),
    ("PSROIPooling", "d rois", "psroi_pooling_param { output_dim: 2 group_size: 2 }", [(3, 2, 2, 2)]),
    ("L1Loss", "v w", "", [()]),
    ("L1Loss", "v", "", [()]),
    # resizing
    ("BilinearInterpolation", "d e", "", [(2, 8, 5, 7)]),
    ("BilinearInterpolation", "d", "bilinear_interpolation_param { interpolation_factor: 3 }", [(2, 8, 27, 36)]),
    ("Upsample", "d e", "upsample_param { scale_h: 3 scale_w: 2 }", [(2, 8, 27, 24)]),
    ("Upsample", "d d", "upsample_param { scale: 2 pad_out_h: true }", [(2, 8, 17, 24)]),
]


@pytest.mark.parametrize(("kind", "bottoms", "fields", "tops"), CASES)
def test_tops(kind: str, bottoms: str, fields: str, tops: list[Shape]) -> None:
    names = [f"t{i}" for i in range(len(tops))]
    shapes = inferred(net(kind, bottoms, " ".join(names), fields))
    assert [shapes[name] for name in names] == tops


@pytest.mark.parametrize(
    ("kind", "fields", "blobs"),
    [
        ("CCCP", "cccp_param { num_output: 6 group: 2 }", [(6, 4, 1, 1), (1, 6, 1, 1)]),
        ("BinaryInnerProduct", "inner_product_param { num_output: 5 transpose: true }", [(5, 864), (5,)]),
        (
            "NdConvolution",
            "convolution_param { num_output: 4 kernel_shape { dim: 3 dim: 2 } }",
            [(4, 8, 3, 2), (4,)],
        ),
        ("BinaryConvolution", CONVOLUTION, None),  # of this name there are several, with blobs of their own
    ],
)
def test_parameters(kind: str, fields: str, blobs: list[Shape] | None) -> None:
    found = Net(parse(net(kind, "d", "t", fields)).root)
    shapes = infer(graph(found, Phase.TRAIN), found, Phase.TRAIN).params[-1]
    assert (None if shapes is None else [blob.shape for blob in shapes]) == blobs


@pytest.mark.parametrize(
    ("kind", "bottoms", "fields", "words"),
    [
        ("CCCP", "d", "cccp_param { num_output: 6 group: 3 }", "channels_ % group_ == 0 (2 vs. 0)"),
        ("CCCP", "d", "cccp_param { }", "num_output_ > 0 (0 vs. 0)"),
        ("BoxAnnotatorOHEM", "v n n v", "", "5 == bottom[0]->channels() (5 vs. 6)"),
        ("SmoothL1LossOHEM", "v scores", "", "bottom[0]->channels() == bottom[1]->channels() (6 vs. 5)"),
        ("SoftmaxWithLossOHEM", "scores v", "", "outer_num_ * inner_num_ == bottom[1]->count() (4 vs. 24)"),
        ("LSTMUnit", "cell cell cont", "", "4 * hidden_dim_ == bottom[1]->shape(2) (24 vs. 6)"),
        ("LSTMUnit", "cell gates cell", "", "2 == bottom[i]->num_axes() (2 vs. 3)"),
        ("LSTMUnit", "v gates cont", "", "3 == bottom[i]->num_axes() (3 vs. 2)"),
        (
            "PSROIPooling",
            "d rois",
            "psroi_pooling_param { output_dim: 3 group_size: 2 }",
            "channels_ == output_dim_*group_size_*group_size_ (8 vs. 12)",
        ),
        ("L1Loss", "v scores", "", "bottom[0]->count(1) == bottom[1]->count(1) (6 vs. 5)"),
    ],
)
def test_what_caffe_aborts_on(kind: str, bottoms: str, fields: str, words: str) -> None:
    (problem,) = problems(net(kind, bottoms, "t", fields))
    assert words in problem


@pytest.mark.parametrize("kind", BOOK)
@pytest.mark.parametrize("bottoms", ["", "d", "n", "d rois", "v n n v", "vol vol"])
def test_no_rule_fails_on_odd_layers(kind: str, bottoms: str) -> None:
    """Whatever stands before it, and without any of its fields."""
    inferred(net(kind, bottoms, "t u", ""))
