"""Logs beside the nets that were trained, and real logs: causes, differences, what the exact analysis says."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import pytest

from caffefix.caffe.layers.zeros import is_zero_filled
from caffefix.caffe.net import Phase, nets
from caffefix.commands.log.results import LogReport
from caffefix.commands.log.work import report
from caffefix.evidence.logs import decode
from caffefix.evidence.logs.diagnosis import first_dead
from caffefix.evidence.logs.nets import by_name, num_output, softmax_losses
from caffefix.evidence.logs.reader import read_log
from caffefix.findings import Subject
from caffefix.fixers.initialisation import missing_weight_filler
from caffefix.syntax.parse import parse
from caffefix.syntax.source import Source
from tests.support.logs import DEAD, bottom_diff, iteration, losses, param, param_diff, read, record, told, top

# ---------------------------------------------------------------- log and net

NET = """name: "n"
layer {
  name: "data"
  type: "Data"
  top: "data"
  top: "label"
  data_param { source: "x" batch_size: 30 }
}
layer {
  name: "conv1"
  type: "Convolution"
  bottom: "data"
  top: "conv1"
  param { lr_mult: 1 }
  param { lr_mult: 0 }
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } }
}
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer {
  name: "conv2"
  type: "Convolution"
  bottom: "conv1"
  top: "conv2"
  convolution_param { num_output: 4 kernel_size: 3 }
}
layer { name: "relu2" type: "ReLU" bottom: "conv2" top: "conv2" }
layer {
  name: "ip"
  type: "InnerProduct"
  bottom: "conv2"
  top: "ip"
  inner_product_param { num_output: 4 }
}
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
V1 = (
    NET.replace("layer {", "layers {")
    .replace('"Data"', "DATA").replace('"Convolution"', "CONVOLUTION").replace('"ReLU"', "RELU")
    .replace('"InnerProduct"', "INNER_PRODUCT").replace('"SoftmaxWithLoss"', "SOFTMAX_LOSS")
    .replace("param { lr_mult: 1 }", "blobs_lr: 1").replace("param { lr_mult: 0 }", "blobs_lr: 0")
)  # fmt: skip


@pytest.mark.parametrize("net", [NET, V1], ids=["V2", "V1"])
def test_the_finding_that_explains_a_dead_blob(net: str) -> None:
    (dead,) = (d for d in told(DEAD, net).observations if d.observation.name == "dead-blob")
    (cause,) = dead.causes
    assert (cause.name, cause.layer) == ("missing-weight-filler", "conv2")
    assert net.split("\n")[cause.line - 1].startswith("  convolution_param { num_output: 4 kernel_size: 3 }")
    assert cause.message.endswith("train.log shows its weights and its top at exactly 0")


def test_a_cause_upstream() -> None:
    text = DEAD.replace(top("conv2", 0), top("conv2", 0.2)).replace(param("conv2", 0, 0), param("conv2", 0, 0))
    (dead,) = (d for d in told(text, NET).observations if d.observation.name == "dead-blob")
    assert dead.observation.layer == "relu2"
    assert [c.layer for c in dead.causes] == ["conv2"]


@pytest.mark.parametrize("net", [NET, V1], ids=["V2", "V1"])
def test_disagreements(net: str) -> None:
    text = DEAD + param_diff("conv1", 1, 0.5) + top("conv9", 1)
    chance = top("loss", math.log(4), "loss") + bottom_diff("loss", "ip", 2 * 3 / 16 / 32)
    found = {d.layer: d for d in told(text.replace(top("loss", 1.38), chance), net).differences}
    assert "batches of 32 where the file says batch_size: 30" in found["data"].message
    assert "has a gradient in the log, but lr_mult 0 in the file" in found["conv1"].message
    assert "layers that the file does not have: conv9" in found[""].message
    assert len(found) == 3
    other = told(text.replace(top("loss", 1.38), top("loss", math.log(6), "loss")), net).differences
    assert any(
        "the log is of 6 classes, but the layer that feeds the loss has num_output: 4" in d.message for d in other
    )
    assert net.split("\n")[found["data"].net_line - 1].startswith("layer")


def test_the_net_that_the_log_prints() -> None:
    start = record("Initializing net from parameters: ", line=51)
    assert told(start + NET + iteration(0, 1), NET).differences == ()
    assert told(start + NET + iteration(0, 1), V1).differences == ()
    other = (
        NET.replace("batch_size: 30", "batch_size: 64").replace("lr_mult: 0", "lr_mult: 2")
        .replace('type: "xavier"', 'type: "gaussian" std: 0.01')
        .replace('"ReLU" bottom: "conv2"', '"TanH" bottom: "conv2"')
        .replace("kernel_size: 3 }", "kernel_size: 5 }").replace('name: "n"', 'name: "m"')
    )  # fmt: skip
    messages = [f"{d.layer}: {d.message}" for d in told(start + other + iteration(0, 1), NET).differences]
    ours = " in the net that the log prints, "
    assert messages == [
        ": the net that the log prints is called m, the file's n",
        f"data: batch_size is 64{ours}30 in the file",
        f"conv1: lr_mult of param 1 is 2{ours}0 in the file",
        f"conv1: weight_filler is gaussian std 0.01{ours}xavier in the file",
        f"conv2: kernel_size is 5{ours}3 in the file",
        f"relu2: type is TanH{ours}ReLU in the file",
    ]


@pytest.mark.parametrize("number", ["inf", "nan", "-5", "0", "1e99", "0x10", '"ten"', "99999999999999999999"])
def test_numbers_that_no_net_has(number: str) -> None:
    net = NET.replace("num_output: 4", f"num_output: {number}").replace("batch_size: 30", f"batch_size: {number}")
    start = record("Initializing net from parameters: ", line=51)
    text = start + net + losses([1.386294] * 30) + DEAD + bottom_diff("loss", "ip", 0.01)
    assert any(d.observation.name == "dead-blob" for d in told(text, net).observations)
    assert any(d.observation.name == "dead-blob" for d in told(text).observations)


def test_a_net_that_cannot_be_used() -> None:
    assert "never closed" in told(DEAD, "layer {").net_error
    assert "contains no net" in told(DEAD, 'net: "x.prototxt" base_lr: 0.1').net_error


# ---------------------------------------------------------------- real logs


@pytest.fixture
def seeds(shared: Path) -> Path:
    return shared / "seeds"


def seed(seeds: Path, log: str, net: str = "") -> LogReport:
    with (seeds / log).open("rb") as stream:
        summary = read_log(log, stream)
    return report(summary, Source(net, (seeds / net).read_bytes()) if net else None)


def decoded(told: LogReport) -> dict[str, int]:
    return {d.name: d.value for d in told.decoded}


def test_seed_000(seeds: Path) -> None:
    found = seed(seeds, "s000_train.log", "s000_train.prototxt")
    assert found.fork.label.startswith("BVLC 1.0, February 2017 to July 2018")
    assert decoded(found) == {"classes": 6, "batch size": 32}
    by_name = {d.observation.name: d for d in found.observations}
    assert by_name["dead-blob"].observation.layer == "conv2"
    assert [(c.name, c.layer) for c in by_name["dead-blob"].causes] == [("missing-weight-filler", "conv2")]
    assert by_name["sole-learner"].observation.message.startswith("only param 1 of fc8_cat (6 values)")
    (batch,) = found.differences
    assert "batches of 32 where the file says batch_size: 30" in batch.message


def test_seed_002(seeds: Path) -> None:
    found = seed(seeds, "s002_with_batchnorm.log")
    assert (found.fork.label, found.fork.is_certain) == ("NVCaffe 0.15", True)
    (dead,) = (d.observation for d in found.observations if d.observation.is_wrong)
    assert (dead.layer, dead.name) == ("bnorm1", "dead-blob")
    assert "gamma" in dead.message
    assert not seed(seeds, "s002_without_batchnorm.log").is_wrong


def test_seed_003(seeds: Path) -> None:
    found = seed(seeds, "s003_train.log", "s003_fragment_b.prototxt")
    assert found.fork.label.startswith("BVLC, June to August 2016")
    assert decoded(found) == {"classes": 5, "loss divisor": 1, "BatchNorm passes": 101}
    by_name = {d.observation.name: d for d in found.observations}
    assert by_name["dead-blob"].observation.layer == "conv1_1"
    assert [c.name for c in by_name["dead-blob"].causes] == ["missing-weight-filler"]
    assert by_name["sole-learner"].observation.message.startswith("only param 1 of score_fr (5 values)")


def test_public_logs_show_no_fault(shared: Path) -> None:
    """All of them are of nets that learnt, or of benchmarks."""
    paths = sorted(p for p in (shared / "logs").rglob("*") if p.is_file())
    assert paths
    for path in paths:
        with path.open("rb") as stream:
            found = report(read_log(path.name, stream))
        assert not found.is_wrong, path
        assert not found.decoded, path


def oracle_logs(shared: Path) -> list[tuple[Path, Path]]:
    """Logs that real Caffe wrote of corpus nets, with batches of 2 where the data is images, and the nets."""
    with (shared / "oracle/signal.tsv").open(encoding="utf-8") as table:
        rows = [row for row in csv.DictReader(table, delimiter="\t") if row["log"]]
    return [(shared / "oracle/signal" / row["log"], shared / "corpus" / row["file"]) for row in rows]


def test_logs_of_corpus_nets_and_the_exact_analysis_agree(shared: Path) -> None:
    """A dead blob is of a layer that the file fills with zeros, and a net that can never learn shows one."""
    dead = 0
    for log_path, net_path in oracle_logs(shared):
        subject = Subject(parse(net_path.read_bytes().decode("latin-1")))
        if not subject.nets:
            continue  # V0: not judged before it is migrated
        (net,) = subject.nets
        layers = by_name(net.view(Phase.TRAIN))
        with log_path.open("rb") as stream:
            log = read_log(log_path.name, stream)
        found = first_dead(log, layers)
        without_net = first_dead(log, {})
        assert (found and found.layer) == (without_net and without_net.layer), net_path
        assert found is None or is_zero_filled(layers[found.layer]), net_path
        if any(True for _ in missing_weight_filler.find(subject)):
            assert found is not None, net_path
        dead += found is not None
    assert dead


def test_batches_of_corpus_nets(shared: Path) -> None:
    """Where a log at chance tells a batch size, it is that of the data that Caffe was given."""
    told = []
    for log_path, net_path in oracle_logs(shared):
        net = next(nets(parse(net_path.read_bytes().decode("latin-1"))))
        view = net.view(Phase.TRAIN)
        if any(layer.type == "DummyData" for layer in view) or not any(layer.type == "Data" for layer in view):
            continue
        with log_path.open("rb") as stream:
            found = decode.decode(read_log(log_path.name, stream), num_output(view), softmax_losses(view))
        told += [d.value for d in found if d.name == "batch size"]
    assert len(told) > 10
    assert set(told) == {2}


@pytest.mark.caffe
def test_a_log_that_real_caffe_writes(caffe_python: str, tmp_path: Path) -> None:
    """By net.cpp and solver.cpp of BVLC's last version: fork, classes, batch and the dead layer are read off."""
    import subprocess

    shapes = "shape { dim: 12 dim: 3 dim: 9 dim: 9 } shape { dim: 12 }"
    fillers = 'data_filler { type: "gaussian" } data_filler { type: "constant" }'
    net = NET.replace('type: "Data"', 'type: "DummyData"').replace("param { lr_mult: 0 }", "param { lr_mult: 2 }")
    net = net.replace(
        'data_param { source: "x" batch_size: 30 }', f"dummy_data_param {{\n    {shapes}\n    {fillers}\n  }}"
    )
    (tmp_path / "net.prototxt").write_text(net)
    solver = 'base_lr: 0.1 lr_policy: "fixed" max_iter: 7 display: 3 debug_info: true snapshot_after_train: false'
    (tmp_path / "solver.prototxt").write_text(
        f'net: "net.prototxt" {solver} solver_mode: CPU snapshot_prefix: "x"'
    )
    script = "import caffe; caffe.get_solver('solver.prototxt').solve()"
    done = subprocess.run([caffe_python, "-c", script], cwd=tmp_path, capture_output=True, check=True)
    found = report(read(done.stderr), Source("net.prototxt", net.encode()))
    assert found.fork.label.startswith("BVLC, summer of 2018 to 2020")
    assert decoded(found) == {"classes": 4, "batch size": 12}
    by_name = {d.observation.name: d for d in found.observations}
    assert [c.layer for c in by_name["dead-blob"].causes] == ["conv2"]
    assert by_name["sole-learner"].observation.layer == "ip"
    assert found.differences == ()
