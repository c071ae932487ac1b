"""Predicted signals: against real Caffe on generated nets, against the oracle, and by themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from math import log, pi, sqrt
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.signal_table import Table, build_table, judge, measured
from caffefix.caffe.fillers import FillerSpec
from caffefix.caffe.layers.moments import gauss
from caffefix.caffe.layers.moments.signal import images
from caffefix.caffe.layers.moments.weights import share_inside
from caffefix.caffe.net import Generation, Net, Phase
from caffefix.evidence.prediction import Prediction
from caffefix.evidence.signal import predict
from caffefix.syntax.parse import PrototxtError, parse
from tests.conftest import corpus_files
from tests.support.caffe_nets import Job, ask
from tests.support.golden import caffefix

DATA = """
layer { name: "data" type: "DummyData" top: "data" top: "label" dummy_data_param {
  shape { dim: 8 dim: 3 dim: 12 dim: 12 } shape { dim: 8 }
  data_filler { type: "gaussian" std: 2 } data_filler { type: "uniform" min: 0 max: 4.9 } } }
"""
ZERO, FILLED = "", 'weight_filler { type: "gaussian" std: 0.2 } '


def layer(name: str, kind: str, bottoms: str, tops: str, extra: str = "") -> str:
    blobs = "".join(f' bottom: "{b}"' for b in bottoms.split()) + "".join(f' top: "{t}"' for t in tops.split())
    return f'layer {{ name: "{name}" type: "{kind}"{blobs} {extra} }}\n'


def conv(bottom: str, top: str, filler: str = FILLED, more: str = "") -> str:
    return layer(
        top, "Convolution", bottom, top, f"convolution_param {{ num_output: 16 kernel_size: 3 {filler}{more} }}"
    )


def end(bottom: str) -> str:
    score = 'inner_product_param { num_output: 5 weight_filler { type: "xavier" } }'
    return layer("score", "InnerProduct", bottom, "score", score) + layer(
        "loss", "SoftmaxWithLoss", "score label", "loss"
    )


# Layers from blob x to blob y.
ONE = (
    """
ReLU |
ReLU | relu_param { negative_slope: 0.1 }
PReLU |
ELU |
Sigmoid |
TanH |
BNLL |
AbsVal |
Swish |
Power | power_param { scale: 2 }
Power | power_param { scale: 0.5 shift: 3 }
Power | power_param { power: 2 }
Exp | exp_param { scale: 0.3 }
Exp | exp_param { base: 2 scale: 0.5 shift: -1 }
Dropout |
LRN | lrn_param { local_size: 3 }
LRN | lrn_param { local_size: 5 alpha: 0.0001 norm_region: WITHIN_CHANNEL }
MVN |
BatchNorm |
Scale | scale_param { filler { value: 3 } bias_term: true }
Scale | scale_param { filler { value: 2 } bias_term: true bias_filler { value: 1 } }
Bias | bias_param { filler { value: 0.5 } }
Pooling | pooling_param { kernel_size: 3 stride: 2 }
Pooling | pooling_param { kernel_size: 2 stride: 2 pool: AVE }
Pooling | pooling_param { pool: AVE global_pooling: true }
Pooling | pooling_param { global_pooling: true }
Flatten |
Reshape | reshape_param { shape { dim: 0 dim: -1 } }
Tile | tile_param { tiles: 2 }
Softmax |
Deconvolution | convolution_param { num_output: 8 kernel_size: 4 stride: 2 weight_filler { type: "msra" } }
Convolution | convolution_param { num_output: 12 kernel_size: 3 pad: 1 group: 1 weight_filler { type: "msra" } }
Convolution | convolution_param { num_output: 12 kernel_size: 1 weight_filler { type: "uniform" min: -0.2 } }
Convolution | convolution_param { num_output: 9 kernel_size: 2 bias_filler { value: -1 } %s}
InnerProduct | inner_product_param { num_output: 64 weight_filler { type: "xavier" } bias_filler { value: 0.1 } }
""".strip()
    .replace("%s", FILLED)
    .splitlines()
)
POOL = "pooling_param { kernel_size: 2 stride: 2 }"
TWO = conv("x", "s") + conv("x", "t")
SEVERAL = {
    "concat": layer("s", "Sigmoid", "x", "s") + layer("y", "Concat", "x s", "y"),
    "sum": TWO + layer("y", "Eltwise", "s t", "y"),
    "difference": TWO + layer("y", "Eltwise", "s t", "y", "eltwise_param { coeff: 1 coeff: -2 }"),
    "product": TWO + layer("y", "Eltwise", "s t", "y", "eltwise_param { operation: PROD }"),
    "largest": TWO + layer("y", "Eltwise", "s t", "y", "eltwise_param { operation: MAX }"),
    "bn, scale, relu": layer("b", "BatchNorm", "x", "b")
    + layer("c", "Scale", "b", "b", "scale_param { bias_term: true }")
    + layer("y", "ReLU", "b", "y"),
    "relu, bn": layer("b", "ReLU", "x", "b") + layer("y", "BatchNorm", "b", "y"),
    "relu, pool": layer("b", "ReLU", "x", "b") + layer("y", "Pooling", "b", "y", POOL),
    "pool, relu": layer("b", "Pooling", "x", "b", POOL) + layer("y", "ReLU", "b", "y"),
    "lrn, pool": layer("b", "LRN", "x", "b") + layer("y", "Pooling", "b", "y", POOL),
    "residual": layer("r", "ReLU", "x", "r")
    + conv("r", "s", FILLED, "pad: 1")
    + layer("y", "Eltwise", "s r", "y"),
    "slice": layer("s", "Slice", "x", "y z") + layer("q", "Silence", "z", ""),
    "scaled by zero": layer("y", "Power", "x", "y", "power_param { scale: 0 }"),
    "gamma zero": layer("s", "Scale", "x", "s", "scale_param { filler { value: 0 } }")
    + layer("y", "ReLU", "s", "y"),
    "frozen": layer("s", "InnerProduct", "x", "y", "param { lr_mult: 0 } inner_product_param { num_output: 6 }"),
}  # fmt: skip


def middles() -> Iterator[tuple[str, str]]:
    for line in ONE:
        kind, _, extra = line.partition("|")
        yield line.strip(), layer("y", kind.strip(), "x", "y", extra)
    yield from SEVERAL.items()


def generated() -> list[Job]:
    """Each layer behind a dead and a live convolution, and between the data and one; both phases."""
    jobs = []
    for name, middle in middles():
        for filler in (ZERO, FILLED):
            text = DATA + conv("data", "x", filler) + middle + end("y")
            jobs += [Job(f"{name}, {'live' if filler else 'dead'}, {p.value}", text, p, run=True) for p in Phase]
        if name not in ("residual", "slice"):  # these need 16 channels
            first = middle.replace('"x"', '"data"')
            text = DATA + first + layer("r", "ReLU", "y", "y") + end("y")
            jobs.append(Job(f"{name}, first", text, run=True))
    return [Job(j.name, "debug_info: true\n" + j.text, j.phase, run=True) for j in jobs]


def judged(python: str, jobs: Sequence[Job]) -> Table:
    """All verdicts right, nearly all decided, nearly all sizes in their brackets."""
    table, aside = Table(), Table()
    for job, answer in zip(jobs, ask(python, jobs), strict=True):
        assert answer.abort is None, (job.name, answer.abort)
        net = Net(parse(job.text).root)
        # Not every build of Caffe normalises by the batch before a step was made: sizes behind BatchNorm
        # in TRAIN are compared on the oracle.
        normalised = "BatchNorm" in job.text and job.phase is Phase.TRAIN
        judge(job.name, net, predict(net, job.phase), measured(answer.log), aside if normalised else table)
    assert not table.wrong + aside.wrong
    decided = sum(number for (verdict, _), number in table.zeros.items() if verdict is not None)
    assert decided >= 0.9 * sum(table.zeros.values())
    assert inside(table) >= 0.9
    return table


@pytest.mark.caffe
def test_generated_nets(caffe_python: str) -> None:
    table = judged(caffe_python, generated()[::6])
    assert table.zeros[True, True] > 30
    assert table.gradients[True, True] > 5


@pytest.mark.caffe
@pytest.mark.slow
def test_all_generated_nets(caffe_python: str) -> None:
    table = judged(caffe_python, generated())
    assert table.zeros[True, True] > 200
    assert table.gradients[True, True] > 60


def inside(table: Table) -> float:
    return sum(low <= real <= high for _, _, low, high, real in table.rows) / len(table.rows)


@pytest.mark.slow
def test_goals_on_the_oracle(shared: Path) -> None:
    table = build_table(shared)
    assert table.nets > 70
    assert not table.wrong
    tops = sum(table.zeros.values())
    assert len(table.rows) + table.zeros[True, True] >= 0.9 * tops
    assert sum(table.gradients[v, z] for v in (True, False) for z in (True, False)) >= 0.95 * sum(
        table.gradients.values()
    )
    assert median(high / low for _, _, low, high, _ in table.rows) <= 4
    assert inside(table) >= 0.9


# ---------------------------------------------------------------- by itself


def of(text: str, phase: Phase = Phase.TRAIN, **given: Any) -> Prediction:
    return predict(Net(parse(text).root), phase, **given)


IMAGES = """
layer { name: "d" type: "Data" top: "data" top: "label"
  transform_param { crop_size: 32 mean_value: 100 %s } data_param { batch_size: 16 } }
"""


def test_xavier_keeps_the_size_of_a_linear_net_and_msra_of_a_rectified_one() -> None:
    """Glorot and Bengio 2010; He et al. 2015."""
    deep = IMAGES % ""
    for i in range(20):
        relu = layer(f"r{i}", "ReLU", f"x{i}", f"x{i}")
        param = 'inner_product_param { num_output: 512 weight_filler { type: "msra" } }'
        deep += layer(f"x{i}", "InnerProduct", f"x{i - 1}" if i else "data", f"x{i}", param) + relu
    ends = [deep, deep.replace('"msra"', '"xavier"').replace("ReLU", "Split"), deep.replace('"msra"', '"xavier"')]
    rectified, linear, dying = (of(text).blobs[-1].mean_abs for text in ends)
    # E|x| of centred images is spread over √(π/2); half of it passes the last ReLU
    assert linear == pytest.approx(45, rel=0.05)
    assert rectified == pytest.approx(45 / sqrt(2), rel=0.1)
    assert dying == pytest.approx(45 / sqrt(2) / sqrt(2) ** 20, rel=0.1)


def test_fillers_can_be_assumed() -> None:
    net = Net(parse(IMAGES % "" + conv("data", "x", ZERO) + layer("r", "ReLU", "x", "y") + end("y")).root)
    dead = predict(net)
    x = next(one for one in net.layers if one.name == "x")
    alive = predict(net, filled={x: FillerSpec("xavier")})
    assert [b.zero for b in dead.blobs if b.layer in "xr"] == [True, True]
    assert [b.zero for b in alive.blobs if b.layer in "xr"] == [False, False]
    assert [p.gradient_zero for p in dead.params] == [True, True, True, False]
    assert [p.gradient_zero for p in alive.params] == [False, False, False, False]
    assert dead.loss == pytest.approx(log(5))


def test_the_size_of_the_input() -> None:
    text = IMAGES % "scale: 0.00390625" + conv("data", "x") + end("x")
    assert of(text).blobs[0].mean_abs == pytest.approx(45 / 256)
    told = of(text, input_mean_abs=3.0)
    assert told.blobs[0].mean_abs == pytest.approx(3)
    ratio = told.blobs[2].mean_abs / of(text).blobs[2].mean_abs  # type: ignore[operator]
    assert ratio == pytest.approx(3 / (45 / 256), rel=1e-6)


def test_inputs_of_unknown_size_are_not_guessed() -> None:
    text = 'input: "data" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 9 ' + conv("data", "x")
    text += layer("b", "BatchNorm", "x", "b") + conv("b", "z")
    found = of(text)
    assert [(b.mean_abs, b.zero) for b in found.blobs[:1]] == [(None, False)]
    assert found.blobs[1].mean_abs is not None  # BatchNorm forgets: a normal's E|x|, or 1 for two values
    assert sqrt(2 / pi) < found.blobs[1].mean_abs < 1
    assert of(text, input_mean_abs=1.0).blobs[0].mean_abs is not None


def test_unknown_layers_stop_it_and_say_why() -> None:
    text = IMAGES % "" + layer("w", "Warp", "data", "w") + conv("w", "x") + end("x")
    found = of(text)
    assert [(s.layer, s.type) for s in found.stopped] == [("w", "Warp")]
    assert {b.zero for b in found.blobs if b.layer in ("w", "x", "score")} == {None}
    assert found.loss is None
    params = {(p.layer, p.index): p for p in found.params}
    assert params["score", 0].zero is False
    assert params["x", 0].mean_abs == pytest.approx(0.2 * sqrt(2 / pi))


@pytest.mark.slow
def test_any_net_is_predicted_without_an_error(shared: Path) -> None:
    """Whatever is in a net, each phase gets an answer, and no number contradicts its bracket."""
    for path in corpus_files():
        try:
            net = Net(parse(path.read_bytes().decode("latin-1")).root)
        except PrototxtError:
            continue
        if Generation.V0 in net.generations:
            continue
        for phase in Phase:
            for row in predict(net, phase).blobs:
                if row.mean_abs is not None and row.low is not None and row.high is not None:
                    assert row.low <= row.mean_abs * 1.000001 <= row.high * 1.000002, (path.name, row)


def test_brackets_hold_the_prediction() -> None:
    text = IMAGES % "" + conv("data", "x") + layer("r", "ReLU", "x", "y") + layer("p", "LRN", "y", "z") + end("z")
    for row in of(text).blobs:
        if row.mean_abs is not None and row.low is not None and row.high is not None:
            assert row.low <= row.mean_abs <= row.high
    for smooth in (1.0, 12.0):
        assert images(3.0, centred=False, length=smooth).mean_abs == pytest.approx(3)


@pytest.mark.parametrize(("mean", "var"), [(0, 1), (1, 4), (-2, 1), (3, 0.5)])
def test_rectified_moments(mean: float, var: float) -> None:
    """Closed forms against sums."""
    forms = {
        gauss.rectified_mean: lambda z: max(z, 0.0),
        gauss.rectified_square: lambda z: max(z, 0.0) ** 2,
        gauss.mean_abs: abs,
    }
    for form, function in forms.items():
        assert form(mean, var) == pytest.approx(gauss.expect(function, mean, var), rel=0.02)


# ---------------------------------------------------------------- the command


@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(1, 9),
    st.integers(1, 4),
    st.integers(0, 6),
    st.integers(1, 3),
)
def test_the_taps_that_meet_padding(
    size: int, out: int, kernel: int, stride: int, pad: int, dilation: int
) -> None:
    met = [0 <= i * stride - pad + j * dilation < size for i in range(out) for j in range(kernel)]
    assert share_inside(size, out, kernel, stride, pad, dilation) == sum(met) / len(met)


@given(st.floats(0.01, 100), st.floats(0, 1))
def test_the_product_of_rectified_neighbours(var: float, alike: float) -> None:
    def inside(a: float) -> float:
        return gauss.rectified_mean(a, var - var * alike) ** 2

    assert gauss.rectified_product(0, var, var * alike) == pytest.approx(
        gauss.expect(inside, 0, var * alike), rel=1e-3
    )


def test_command(tmp_path: Path) -> None:
    file = tmp_path / "net.prototxt"
    file.write_text(IMAGES % "" + conv("data", "x", ZERO) + layer("r", "ReLU", "x", "y") + end("y"))
    done = caffefix("signal", file, "--format", "json", "--input-mean-abs", "30")
    assert done.status == 0
    report = json.loads(done.out)
    assert [set(report[key][0]) for key in ("blobs", "params")] == [
        {"layer", "blob", "mean_abs", "low", "high", "zero"},
        {"layer", "index", "mean_abs", "low", "high", "zero", "gradient_zero"},
    ]
    blobs = {row["blob"]: row for row in report["blobs"]}
    assert blobs["x"]["zero"] is True
    assert blobs["data"]["mean_abs"] == pytest.approx(30)
    after = {row["blob"]: row for row in report["after"]["blobs"]}
    assert after["x"]["zero"] is False
    assert after["x"]["low"] < after["x"]["mean_abs"] < after["x"]["high"]
    text = caffefix("signal", file).out.decode()
    assert "exactly zero, no gradient" in text
    assert "after repair" in text
    assert caffefix("signal", file, "--phase", "TEST").status == 0


def test_command_refuses_what_is_no_net(tmp_path: Path) -> None:
    file = tmp_path / "solver.prototxt"
    file.write_text("base_lr: 0.1")
    for path in (file, tmp_path / "none.prototxt", tmp_path):
        done = caffefix("signal", path)
        assert done.status == 2
        assert done.err.startswith(b"error: ")
        assert b"Traceback" not in done.err


ALONE = """
layer {{ name: "d" type: "Input" top: "d" input_param {{ shape {{ dim: 1 dim: 3 dim: 8 dim: 8 }} }} }}
layer {{ name: "l" type: "{}" bottom: "d" {} }}
"""


@pytest.mark.parametrize(
    ("kind", "rest", "why"),
    [
        ("Convolution", "convolution_param { num_output: 2 kernel_size: 3 }", "do not fit its type"),
        (
            "Convolution",
            'top: "t" convolution_param { num_output: 2 kernel_size: 30 }',
            "shape[i] >= 0 (-21 vs. 0)",
        ),
        (
            "Convolution",
            'top: "t" convolution_param { num_output: 2 kernel_size: 3 stride: 0 }',
            "must be nonzero",
        ),
        ("InnerProduct", 'top: "t" inner_product_param { num_output: 2 axis: 9 }', "axis 9 out of range"),
        ("Pooling", 'top: "t" pooling_param { kernel_size: 2147483648 }', "shape[i] >= 0"),
        ("Pooling", 'top: "t" pooling_param { kernel_size: 10 stride: 2 }', "a blob without values"),
    ],
)
def test_prediction_ends_where_caffe_would_abort(tmp_path: Path, kind: str, rest: str, why: str) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text(ALONE.format(kind, rest))
    done = caffefix("signal", "--phase", "TEST", net)
    assert done.status == 0, done.err
    assert why in done.out.decode()
