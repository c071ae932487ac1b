"""Shapes and fillers: against real Caffe, and by rules of their own."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from caffefix.caffe.dialect import judge
from caffefix.caffe.fillers import FillerSpec, Shape, fans, moments
from caffefix.caffe.graph import graph
from caffefix.caffe.layers.shapes.windows import pooled
from caffefix.caffe.net import Generation, Net, Phase
from caffefix.caffe.roles import Role, role
from caffefix.caffe.schema import load
from caffefix.caffe.shapes import Shapes, infer
from caffefix.syntax.parse import PrototxtError, parse
from tests.conftest import corpus_files
from tests.support.caffe_nets import Answer, Job, ask, with_dummy_data


def inferred(text: str, phase: Phase = Phase.TRAIN) -> dict[str, Shape]:
    net = Net(parse(text).root)
    found = graph(net, phase)
    shapes = infer(found, net, phase)
    return {blob.name: shapes.of(blob) for blob in found.blobs}


def problems(text: str) -> list[str]:
    net = Net(parse(text).root)
    return [p.message for p in infer(graph(net, Phase.TRAIN), net, Phase.TRAIN).problems]


# ---------------------------------------------------------------- against real Caffe

# One layer each, on d: 2 x 6 x 9 x 10, e like d, v: 4 x 6, n: 4.
LAYERS = """
Convolution | convolution_param { num_output: 4 kernel_size: 3 stride: 2 pad: 1 group: 2 }
Convolution | convolution_param { num_output: 4 kernel_h: 3 kernel_w: 1 stride_h: 2 stride_w: 3 pad_h: 1 pad_w: 0 }
Convolution | convolution_param { num_output: 4 kernel_size: 3 kernel_size: 2 dilation: 2 bias_term: false }
Convolution | convolution_param { num_output: 4 kernel_size: 3 axis: 2 }
Deconvolution | convolution_param { num_output: 6 kernel_size: 4 stride: 2 pad: 1 group: 6 }
Im2col | convolution_param { kernel_size: 3 stride: 2 }
Pooling | pooling_param { kernel_size: 3 stride: 2 }
Pooling | pooling_param { kernel_size: 2 stride: 2 pad: 1 pool: AVE }
Pooling | pooling_param { kernel_h: 3 kernel_w: 2 stride_h: 3 stride_w: 2 pad_h: 2 pad_w: 1 }
Pooling | pooling_param { global_pooling: true }
InnerProduct | inner_product_param { num_output: 5 }
InnerProduct | inner_product_param { num_output: 5 axis: 2 transpose: true bias_term: false }
InnerProduct | inner_product_param { num_output: 5 axis: -1 }
Flatten | flatten_param { axis: 1 end_axis: 2 }
Reshape | reshape_param { shape { dim: 0 dim: -1 } }
Reshape | reshape_param { shape { dim: 3 dim: 2 } axis: 1 num_axes: 1 }
Reshape | reshape_param { shape { dim: 1 } axis: 2 num_axes: 0 }
Reshape | reshape_param { shape { dim: -1 dim: 0 dim: 3 } axis: -3 }
Tile | tile_param { axis: 2 tiles: 3 }
Reduction | reduction_param { axis: 2 }
ArgMax | argmax_param { top_k: 2 }
ArgMax | argmax_param { top_k: 2 out_max_val: true }
ArgMax | argmax_param { axis: 1 top_k: 3 }
SPP | spp_param { pyramid_height: 3 }
SPP | spp_param { pyramid_height: 1 }
LRN | lrn_param { local_size: 3 norm_region: WITHIN_CHANNEL }
PReLU |
PReLU | prelu_param { channel_shared: true }
BatchNorm |
Scale | scale_param { axis: 1 num_axes: 2 bias_term: true }
Scale | scale_param { axis: 0 num_axes: -1 }
Scale | scale_param { num_axes: 0 }
Bias | bias_param { axis: 2 }
MVN |
Softmax | softmax_param { axis: -1 }
Permute | permute_param { order: 0 order: 2 order: 3 order: 1 }
""".strip().splitlines()
SEVERAL = {
    "concat": ("d e", "t", 'type: "Concat" concat_param { axis: 2 }'),
    "legacy concat": ("d e", "t", 'type: "Concat" concat_param { concat_dim: 0 }'),
    "slice": ("d", "t u v2", 'type: "Slice" slice_param { slice_point: 1 slice_point: 4 }'),
    "even slice": ("d", "t u", 'type: "Slice" slice_param { axis: -1 }'),
    "pooling mask": ("d", "t u", 'type: "Pooling" pooling_param { kernel_size: 2 }'),
    "crop": ("d c", "t", 'type: "Crop" crop_param { offset: 2 }'),
    "crop axes": ("d c", "t", 'type: "Crop" crop_param { axis: 1 offset: 0 offset: 1 offset: 2 }'),
    "embed": ("n", "t", 'type: "Embed" embed_param { num_output: 5 input_dim: 7 }'),
    "reindex": ("v n", "t", 'type: "BatchReindex"'),
    "scale by a blob": ("d s", "t", 'type: "Scale" scale_param { axis: 0 }'),
    "lstm": ("v3 m", "t", 'type: "LSTM" recurrent_param { num_output: 5 }'),
    "rnn": ("v3 m", "t", 'type: "RNN" recurrent_param { num_output: 5 }'),
    "accuracy": ("v n", "t u", 'type: "Accuracy"'),
    "softmax loss": ("v n", "t", 'type: "SoftmaxWithLoss"'),
    "two convolutions": ("d e", "t u", 'type: "Convolution" convolution_param { num_output: 2 kernel_size: 1 }'),
}
SOURCES = """
name: "probe"
layer { name: "in" type: "DummyData" top: "d" top: "e" top: "v" top: "n" top: "c" top: "s" top: "v3" top: "m"
  dummy_data_param {
    shape { dim: 2 dim: 6 dim: 9 dim: 10 } shape { dim: 2 dim: 6 dim: 9 dim: 10 } shape { dim: 4 dim: 6 }
    shape { dim: 4 } shape { dim: 2 dim: 6 dim: 5 dim: 4 } shape { dim: 2 dim: 6 } shape { dim: 3 dim: 4 dim: 6 }
    shape { dim: 3 dim: 4 } } }
"""


def small_nets() -> list[Job]:
    jobs = []
    for line in LAYERS:
        kind, _, extra = line.partition("|")
        text = f'layer {{ name: "l" type: "{kind.strip()}" bottom: "d" top: "t" {extra} }}'
        jobs.append(Job(line.strip(), SOURCES + text))
    for name, (bottoms, tops, rest) in SEVERAL.items():
        blobs = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
        jobs.append(Job(name, SOURCES + f'layer {{ name: "l"{blobs} {rest} }}'))
    return jobs


def compare(job: Job, answer: Answer) -> tuple[int, int]:
    """Assert that nothing inferred differs; the numbers of axes in all, and of those decided."""
    net = Net(parse(job.text).root)
    found = graph(net, job.phase)
    shapes = infer(found, net, job.phase)
    assert not shapes.problems, (job.name, shapes.problems)
    axes = decided = 0
    for blob in found.blobs:
        real, shape = answer.blobs[blob.name], shapes.of(blob)
        axes += len(real)
        decided += fits(shape, real, f"{job.name}: {blob.name}")
    for step in found.steps:
        params = shapes.params[step.index]
        real_params = answer.params.get(step.layer.name, [])
        axes += sum(map(len, real_params))
        if params is None:
            continue
        assert len(params) == len(real_params), (job.name, step.layer.name)
        decided += sum(fits(p.shape, real, step.layer.name) for p, real in zip(params, real_params, strict=True))
    return axes, decided


def fits(shape: Shape, real: Sequence[int], what: str) -> int:
    """How many axes are decided; all of them rightly."""
    if shape is None:
        return 0
    assert len(shape) == len(real), (what, shape, real)
    assert all(a is None or a == b for a, b in zip(shape, real, strict=True)), (what, shape, real)
    return sum(a is not None for a in shape)


@pytest.mark.caffe
def test_each_layer_as_caffe_shapes_it(caffe_python: str) -> None:
    jobs = small_nets()
    for job, answer in zip(jobs, ask(caffe_python, jobs), strict=True):
        assert answer.abort is None, (job.name, answer.abort)
        axes, decided = compare(job, answer)
        assert decided == axes, job.name


def corpus_jobs(files: Sequence[Path]) -> list[Job]:
    """Nets of real files in both phases, sources replaced; those that BVLC's parser takes."""
    jobs = []
    for path in files:
        text = path.read_bytes().decode("latin-1")
        try:
            document = parse(text)
        except PrototxtError:
            continue
        net = Net(document.root)
        verdict = judge(document)
        if not net.layers or Generation.V0 in net.generations or verdict is None:
            continue
        if verdict.accepting & load().bit("bvlc"):
            deploys = role(document, net) in (Role.DEPLOY, Role.TEST, Role.SNIPPET)
            for phase in (Phase.TEST,) if deploys else Phase:
                if net.view(phase):
                    jobs.append(Job(f"{path.name} {phase.value}", with_dummy_data(text, phase), phase))
    return jobs


def check_corpus(python: str, files: Sequence[Path]) -> tuple[int, int, int]:
    """Compare all nets that Caffe loads; numbers of nets, of axes, and of axes decided."""
    nets = axes = decided = 0
    jobs = corpus_jobs(files)
    for job, answer in zip(jobs, ask(python, jobs), strict=True):
        if answer.abort is None:
            seen, right = compare(job, answer)
            nets, axes, decided = nets + 1, axes + seen, decided + right
    return nets, axes, decided


@pytest.mark.caffe
def test_real_nets(caffe_python: str, shared: Path) -> None:
    small = [path for path in corpus_files(24) if path.stat().st_size < 3000]
    nets, axes, decided = check_corpus(caffe_python, small)
    assert nets > 3
    assert decided >= 0.99 * axes


@pytest.mark.caffe
@pytest.mark.slow
def test_all_real_nets(caffe_python: str, shared: Path) -> None:
    nets, axes, decided = check_corpus(caffe_python, corpus_files())
    assert nets > 350
    assert decided >= 0.99 * axes


# ---------------------------------------------------------------- rules of their own


@given(st.integers(1, 60), st.integers(1, 9), st.integers(1, 5), st.integers(0, 4))
def test_pooling_windows_start_inside(size: int, kernel: int, stride: int, pad: int) -> None:
    """Every window starts inside the map or its leading padding; one more would not."""
    assume(pad < kernel <= size + 2 * pad)
    out = pooled(size, kernel, stride, pad, clip=pad > 0)
    assert out is not None
    assert out >= 1
    if pad:
        assert (out - 1) * stride < size + pad
    assert (out - 1) * stride + kernel < size + 2 * pad + stride


def test_unknown_sizes_stay_unknown() -> None:
    data = 'layer { name: "d" type: "Data" top: "d" top: "l" data_param { batch_size: 8 } %s }'
    param = "convolution_param { num_output: 4 kernel_size: 3 }"
    conv = f'layer {{ name: "c" type: "Convolution" bottom: "d" top: "c" {param} }}'
    python = 'layer { name: "p" type: "Python" bottom: "c" top: "p" }'
    found = inferred(data % "" + conv + python)
    assert found == {"d": (8, None, None, None), "l": (8,), "c": (8, 4, None, None), "p": None}
    found = inferred(data % "transform_param { crop_size: 20 mean_value: 1 mean_value: 2 mean_value: 3 }" + conv)
    assert found["d"] == (8, 3, 20, 20)
    assert found["c"] == (8, 4, 18, 18)


def test_unknown_axes_cancel_in_reshape() -> None:
    head = 'layer { name: "d" type: "Data" top: "d" data_param { batch_size: 8 } }'
    param = "reshape_param { shape { dim: -1 dim: 0 dim: 0 dim: 0 } }"
    tail = f'layer {{ name: "r" type: "Reshape" bottom: "d" top: "r" {param} }}'
    assert inferred(head + tail)["r"] == (8, None, None, None)


def test_v1_layers_and_net_inputs() -> None:
    text = """
    input: "d" input_dim: 1 input_dim: 3 input_dim: 10 input_dim: 10
    layers { name: "c" type: CONVOLUTION bottom: "d" top: "c" convolution_param { num_output: 8 kernel_size: 3 } }
    layers { name: "i" type: INNER_PRODUCT bottom: "c" top: "i" inner_product_param { num_output: 5 } }
    """
    assert inferred(text) == {"d": (1, 3, 10, 10), "c": (1, 8, 8, 8), "i": (1, 5)}


def test_what_follows_a_mismatch_is_told_once() -> None:
    text = """
    layer { name: "d" type: "Input" top: "a" top: "b"
      input_param { shape { dim: 1 dim: 2 } shape { dim: 1 dim: 3 } } }
    layer { name: "s" type: "Eltwise" bottom: "a" bottom: "b" top: "s" }
    layer { name: "t" type: "Eltwise" bottom: "s" bottom: "b" top: "t" }
    """
    assert len(problems(text)) == 1


def test_ssd_priors() -> None:
    text = """
    layer { name: "d" type: "Input" top: "m" top: "d"
      input_param { shape { dim: 1 dim: 512 dim: 38 dim: 37 } shape { dim: 1 dim: 3 dim: 300 dim: 300 } } }
    layer { name: "p" type: "PriorBox" bottom: "m" bottom: "d" top: "p"
      prior_box_param { min_size: 30 max_size: 60 aspect_ratio: 2 aspect_ratio: 3 flip: true } }
    """
    assert inferred(text)["p"] == (1, 2, 38 * 37 * 6 * 4)


# ---------------------------------------------------------------- fillers


def test_fans() -> None:
    assert fans((64, 3, 7, 7)) == (147, 64 * 49)
    assert fans((10,)) == (1, 10)
    assert fans((64, None, 3, 3)) == (None, 64 * 9)


@pytest.mark.parametrize(
    ("spec", "shape", "mean", "square", "mean_abs"),
    [
        (FillerSpec(), (4, 4), 0, 0, 0),
        (FillerSpec(value=-2), (4,), -2, 4, 2),
        (FillerSpec("uniform"), (4,), 0.5, 1 / 3, 0.5),
        (FillerSpec("uniform", min=-3, max=1), (4,), -1, 28 / 12, 10 / 8),
        (FillerSpec("gaussian", std=0.01), (4, 4), 0, 1e-4, 0.0079788),
        (FillerSpec("gaussian", mean=5, std=0.001), (4, 4), 5, 25, 5),
        (FillerSpec("gaussian", std=1, sparse=2), (8, 4), 0, 0.25, 0.199471),
        (FillerSpec("xavier"), (8, 3, 2, 2), 0, 1 / 12, sqrt(3 / 12) / 2),
        (FillerSpec("msra", variance_norm="FAN_OUT"), (8, 3, 2, 2), 0, 2 / 32, sqrt(2 / 32) * 0.797885),
        (FillerSpec("xavier", variance_norm="AVERAGE"), (8, 4), 0, 1 / 6, sqrt(3 / 6) / 2),
        (FillerSpec("bilinear"), (2, 1, 4, 4), 0.25, (2 * (0.0625 + 0.5625) / 4) ** 2, 0.25),
    ],
)
def test_moments(spec: FillerSpec, shape: Shape, mean: float, square: float, mean_abs: float) -> None:
    found = moments(spec, shape)
    assert found is not None
    assert (found.mean, found.square, found.mean_abs) == pytest.approx((mean, square, mean_abs), rel=1e-4)


def test_unknown_fans_are_not_guessed() -> None:
    assert moments(FillerSpec("xavier"), (64, None, 3, 3)) is None
    assert moments(FillerSpec("gabor"), (64, 3, 3, 3)) is None


def test_shapes_know_where_they_stop() -> None:
    net = Net(parse('layer { name: "x" type: "Warp" top: "x" }').root)
    shapes: Shapes = infer(graph(net, Phase.TEST), net, Phase.TEST)
    assert shapes.unruled == (0,)
