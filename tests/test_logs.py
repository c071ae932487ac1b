"""Logs as wholes: what is read, in what memory, and what is made of it."""

from __future__ import annotations

import codecs
import csv
import math
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caffefix.caffe.net import Phase, nets
from caffefix.engine.log_report import report
from caffefix.evidence.liveness import is_zero_filled
from caffefix.evidence.logs import decode
from caffefix.evidence.logs.diagnosis import first_dead
from caffefix.evidence.logs.evidence import evidence_of
from caffefix.evidence.logs.forks import ERAS, fingerprint
from caffefix.evidence.logs.nets import by_name, num_output, softmax_losses
from caffefix.evidence.logs.reader import NotALogError, read_log
from caffefix.evidence.logs.stream import LIMIT
from caffefix.findings import Subject
from caffefix.fixers import missing_weight_filler
from caffefix.log_results import LogReport
from caffefix.syntax.parse import parse
from caffefix.syntax.source import Source
from tests import logs
from tests.logs import bottom_diff, iteration, losses, param, param_diff, read, record, top, totals

# ---------------------------------------------------------------- reading


def test_encodings_line_ends_and_colours_make_no_difference() -> None:
    text = iteration(0, 2.5) + top("conv1", 3.25) + iteration(20, 1.5)
    expected = read(text)
    colours = text.replace("Iteration", "\x1b[1;31mIter\x1b[0mation")
    assert read(text.replace("\n", "\r\n")) == expected
    assert read(colours) == expected
    assert read(codecs.BOM_UTF8 + text.encode()) == expected
    for name in ("utf-16", "utf-16-le", "utf-16-be"):
        bom = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(name, b"")
        assert read(bom + text.encode(name)) == expected


def test_a_progress_bar_does_not_hide_a_line() -> None:
    log = read("\r 1%|#    |\r 2%|##   |" + iteration(20, 1.5).rstrip("\n") + "\r 3%|\n" + iteration(40, 1.25))
    assert log.loss is not None
    assert (log.loss.first, log.loss.last) == (1.5, 1.25)


def test_the_dump_of_the_net_is_kept_apart_from_what_others_print() -> None:
    net = 'name: "n"\nlayer {\n  name: "Iteration 5"\n  type: "ReLU"\n}\n'
    text = record("Initializing net from parameters: ", line=51) + net + record("Creating Layer Iteration 5")
    log = read(text + "ImportError: nothing to do with it\n")
    (dump,) = log.dumps
    assert (dump.text, dump.is_complete, dump.phase, dump.line) == (net, True, "TRAIN", 1)


def test_a_dump_that_glog_cut_keeps_its_whole_layers() -> None:
    layer = 'layer {\n  name: "relu"\n  type: "ReLU"\n}\n'
    text = (layer * 1000)[:29_970]
    log = read(record("Initializing net from parameters: ") + text + "\n" + record("Creating Layer relu"))
    (dump,) = log.dumps
    assert not dump.is_complete
    assert dump.text == layer * (29_970 // len(layer))


def test_a_number_that_is_cut_off_is_not_believed() -> None:
    whole = top("conv1", 0.0094)
    cut = whole[: whole.index(".0094")]  # reads as 0
    assert read(whole + cut).tracks[0].count == 1
    assert read(whole + cut + whole).tracks[0].zeros == 0  # another thread cut in
    end = totals(2, 1).rstrip("\n")
    assert len(read(whole + end).totals) == 1  # a parenthesis shows that it is whole


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the log is empty"),
        (b"\n \n", "the log is empty"),
        (b"\x1f\x8b\x08\0\0", "compressed"),
        (bytes(range(256)) * 100, "binary"),
        (b"epoch 1: loss 0.3\n", "no line of it was written by Caffe"),
        (b'layer { name: "Iteration" }\n', "no line of it was written by Caffe"),
    ],
)
def test_what_is_no_log_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(NotALogError, match=message):
        read(data)


@given(st.binary())
def test_no_bytes_are_too_strange(data: bytes) -> None:
    text = iteration(0, 2.5).encode()
    log = read(text + data + b"\n" + text)
    assert log.loss is not None
    assert log.loss.count >= 2


# ---------------------------------------------------------------- memory


def peak_of(chunks: Iterator[bytes]) -> tuple[int, int]:
    """Bytes at the peak while such a log is read, and its length."""
    stream = logs.Stream(chunks)
    tracemalloc.start()
    try:
        read_log("x", stream)
        return tracemalloc.get_traced_memory()[1], stream.size
    finally:
        tracemalloc.stop()


def a_training(megabytes: int) -> Iterator[bytes]:
    """A log with debug_info of so many megabytes, made as it is read."""
    block = "".join(top(f"conv{i}", 1.5) + param(f"conv{i}", 0, 0.25) for i in range(50))
    made = step = 0
    while made < megabytes << 20:
        chunk = "".join(block + iteration(step + i, 1 / (step + i + 1)) for i in range(40)).encode()
        step += 40
        made += len(chunk)
        yield chunk


def test_memory_does_not_grow_with_length() -> None:
    short, _ = peak_of(a_training(1))
    long, size = peak_of(a_training(4))
    assert size > 4 << 20
    assert long < short + (1 << 18)


@pytest.mark.slow
def test_a_gigabyte() -> None:
    """Most of it is what other programs write into the log in long lines, to spare the time."""

    def chunks() -> Iterator[bytes]:
        noise = (b"x" * 10_000 + b"\n") * 200
        for chunk in a_training(170):
            yield chunk
            yield noise

    peak, size = peak_of(chunks())
    assert size > 1 << 30
    assert peak < 16 << 20


def test_one_line_of_fifty_megabytes() -> None:
    def chunks() -> Iterator[bytes]:
        yield iteration(0, 2.5).encode()
        for _ in range(50):
            yield b"x" * (1 << 20)
        yield b"\n" + iteration(20, 1.5).encode()

    peak, size = peak_of(chunks())
    assert size > 50 << 20
    assert peak < 8 << 20
    log = read_log("x", logs.Stream(chunks()))
    assert log.loss is not None
    assert (log.loss.count, log.lines) == (2, 3)


def test_a_record_at_the_end_of_what_is_kept_of_a_long_line() -> None:
    line = iteration(20, 1.5)
    log = read(iteration(0, 2.5) + " " * (LIMIT - len(line) + 3) + line)
    assert log.loss is not None
    assert log.loss.count == 1  # "loss = 1.5" would be cut to "loss ="


def test_the_number_of_blobs_is_bounded() -> None:
    def chunks() -> Iterator[bytes]:
        for start in range(0, 80_000, 1000):
            yield "".join(top(f"layer{i}", 1) for i in range(start, start + 1000)).encode()

    stream = logs.Stream(chunks())
    log = read_log("x", stream)
    assert 0 < len(log.tracks) < 80_000
    assert len(log.tracks) + log.dropped == 80_000


@pytest.mark.slow
def test_a_million_blobs_and_everything_else_that_could_be_kept() -> None:
    def chunks() -> Iterator[bytes]:
        for start in range(0, 1_000_000, 1000):
            numbers = range(start, start + 1000)
            yield "".join(
                top(f"layer{i}", 1)
                + record(f"Creating Layer layer{i}")
                + record(f"Ignoring source layer layer{i}")
                + record(f"Finetuning from layer{i}", f"file{i}.cpp", i)
                + record(f"Train net output #{i}: x{i} = 1")
                + record("Top shape: 1 2 (2)")
                for i in numbers
            ).encode()

    peak, _ = peak_of(chunks())
    assert peak < 128 << 20


# ---------------------------------------------------------------- forks


@pytest.mark.parametrize("era", ERAS, ids=lambda era: era.label)
def test_each_fingerprint_tells_its_own(era) -> None:  # type: ignore[no-untyped-def]
    bodies = {
        "forward-top": "[Forward] Layer a, top blob a data: 1",
        "forward-param": "[Forward] Layer a, param blob 0 data: 1",
        "net-parameters": "Initializing net from parameters: ",
        "creating-layer": "Creating Layer a",
    }
    lines = [(key, line) for key, line in era.lines.items() if key[1] in bodies]
    assert len(lines) >= 2
    text = "".join(record(bodies[kind], file, line) for (file, kind), line in lines)
    assert fingerprint(read(text)).label.startswith(era.label)
    # One line elsewhere, or one message alone, tells nothing.
    (file, kind), line = lines[0]
    assert fingerprint(read(text.replace(f"{file}:{line}]", f"{file}:{line + 4}]"))).label == "unknown"
    assert fingerprint(read(record(bodies[kind], file, line))).label == "unknown"


@pytest.mark.parametrize(
    ("body", "file", "fork", "label", "certain"),
    [
        ("Iteration 0, lr = 1, m = 0.9, wd = 0, gs = 1", "sgd_solver.cpp", "nvidia", "NVCaffe since 0.16", True),
        ("Processor speed [MHz]: 0", "cpu_info.cpp", "intel", "Intel Caffe, version unknown", True),
        ("[debug_info] [Forward] Layer a, top blob a data: 7 (0.5)", "net.cpp", "", "mid-2014", False),
        ("[Update] Layer a, param 0 data: 0.3; diff: 0.001", "net.cpp", "", "July 2014 to July 2015", False),
        ("Iteration 0, lr = 0.1", "sgd_solver.cpp", "", "unknown", False),
    ],
)  # fmt: skip
def test_wordings(body: str, file: str, fork: str, label: str, certain: bool) -> None:
    found = fingerprint(read(record(body, file, 9999)))
    assert (found.fork, found.is_certain) == (fork, certain)
    assert label in found.label


# ---------------------------------------------------------------- numbers behind the numbers


@given(st.integers(2, 64), st.floats(-0.5, 0.5))
@example(6, -0.20067178783849732)  # the loss happens to be ln 12
def test_near_chance_the_batch_is_right_or_unsaid(size: int, tilt: float) -> None:
    """One logit tilted against the others: loss and gradient are what they are then, not chance."""
    classes = 10
    right = math.exp(tilt) / (math.exp(tilt) + classes - 1)
    text = top("loss", -math.log(right), "loss") + bottom_diff("loss", "ip", 2 * (1 - right) / classes / size)
    found = [d.value for d in decode.decode(read(text), classes) if d.name == "batch size"]
    assert found in ([], [size])


@given(st.integers(2, 1000))
def test_the_loss_at_chance_gives_the_classes(classes: int) -> None:
    assert decode.chance_classes(float(f"{math.log(classes):.6g}")) == classes


@given(st.floats(0.1, 7))
def test_classes_are_not_seen_where_there_are_none(loss: float) -> None:
    printed = float(f"{loss:.6g}")
    found = decode.chance_classes(printed)
    assert found is None or f"{math.log(found):.6g}" == f"{printed:.6g}"


@given(st.integers(1, 3000))
def test_batch_norm_counts_its_passes(count: int) -> None:
    printed = float(f"{logs.passes(count):.6g}")
    assert decode.passes_of(printed) == count


def test_passes_that_six_digits_cannot_tell_are_not_told() -> None:
    assert decode.passes_of(float(f"{logs.passes(9000):.6g}")) is None
    for odd in (0.0, -1.0, 0.5, 96.2, 1000.0, 5000.0, math.inf, math.nan):
        assert decode.passes_of(odd) is None


@given(st.integers(2, 100), st.integers(2, 512))
def test_the_gradient_at_chance_gives_the_batch(classes: int, size: int) -> None:
    text = top("loss", math.log(classes), "loss") + bottom_diff(
        "loss", "ip", 2 * (classes - 1) / classes**2 / size
    )
    found = {d.name: d.value for d in decode.decode(read(text))}
    assert found == {"classes": classes, "batch size": size}


def test_a_gradient_away_from_chance_gives_no_batch() -> None:
    text = top("loss", 0.4, "loss") + bottom_diff("loss", "ip", 0.0123)
    assert decode.decode(read(text)) == ()
    assert [d.name for d in decode.decode(read(text), 10)] == []


def test_a_sole_learner_is_proved_by_the_totals() -> None:
    shown = param_diff("ip", 0, 0) + param_diff("ip", 1, 0.25)
    learner = decode.sole_learner(read(shown + totals(10, 1.5)))
    assert learner == decode.SoleLearner("ip", "1", 6)
    assert decode.sole_learner(read(shown + totals(10, 1.6))) is None  # something else learns, too
    assert decode.sole_learner(read(shown + param_diff("conv", 0, 0.125) + totals(10, 1.5))) is None
    assert decode.sole_learner(read(shown)) is None


# ---------------------------------------------------------------- what went wrong


def told(text: str, net: str = "") -> LogReport:
    return report(read(text), Source("net.prototxt", net.encode()) if net else None)


def names(text: str, net: str = "") -> set[str]:
    return {d.observation.name for d in told(text, net).observations}


DEAD = (
    top("data", 0.4, "data") + top("data", 0, "label")
    + top("conv1", 3) + param("conv1", 0, 0.1) + param("conv1", 1, 0) + top("relu1", 1.5, "conv1")
    + top("conv2", 0) + param("conv2", 0, 0) + param("conv2", 1, 0) + top("relu2", 0, "conv2")
    + top("ip", 0.01) + param("ip", 0, 0) + param("ip", 1, 0.01) + top("loss", 1.38)
)  # fmt: skip


def test_the_first_dead_blob_is_not_a_label_and_not_what_it_feeds() -> None:
    (dead,) = (d.observation for d in told(DEAD).observations if d.observation.name == "dead-blob")
    assert (dead.layer, dead.line) == ("conv2", 7)
    assert "its weights are exactly 0; so is 1 top after it" in dead.message


def test_a_relu_that_lets_nothing_through_is_dead() -> None:
    text = top("data", 2) + top("conv1", 3) + param("conv1", 0, 0.1) + top("relu1", 0, "conv1")
    (dead,) = (d.observation for d in told(text).observations if d.observation.is_wrong)
    assert (dead.name, dead.layer) == ("dead-blob", "relu1")


def test_zero_labels_and_scores_are_no_fault() -> None:
    net = (
        'layer { name: "d" type: "Data" top: "data" top: "label" data_param { batch_size: 2 } }\n'
        'layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2\n'
        ' weight_filler { type: "xavier" } } }\n'
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }\n'
        'layer { name: "acc" type: "Accuracy" bottom: "ip" bottom: "label" top: "acc" }\n'
    )
    text = top("d", 1, "data") + top("d", 0, "label") + top("ip", 1) + param("ip", 0, 0.1)
    text += top("loss", 0) + top("acc", 0)
    assert names(text) == names(text, net) == set()


def test_a_blob_that_dies() -> None:
    alive = top("conv1", 3) + param("conv1", 0, 0.1) + top("relu1", 1, "conv1")
    text = (
        alive + alive + alive.replace("Layer relu1, top blob conv1 data: 1", "Layer relu1, top blob conv1 data: 0")
    )
    (died,) = (d.observation for d in told(text).observations if d.observation.is_wrong)
    assert (died.name, died.layer, died.line) == ("dying-blob", "relu1", 9)
    assert names(text + alive) == set()  # it came back


def test_the_first_value_that_is_no_number() -> None:
    text = (
        top("conv1", 3) + param("conv1", 0, 0.1) + top("conv2", "inf") + top("conv3", "-nan") + iteration(0, "nan")
    )
    wrong = [d.observation for d in told(text).observations if d.observation.is_wrong]
    assert [o.name for o in wrong] == ["nonfinite-blob", "loss-not-finite"]
    assert (wrong[0].layer, wrong[0].line) == ("conv2", 3)


def test_an_exploding_blob_but_not_a_large_loss() -> None:
    start = top("data", 100) + top("conv1", 90) + param("conv1", 0, 0.1) + top("loss", 105320)
    assert names(start) == set()
    assert "exploding-blob" in names(start + top("conv2", 2e5) + param("conv2", 0, 0.1))
    grown = start + start.replace("conv1 data: 90", "conv1 data: 9500")
    assert names(grown) == set()
    small = start.replace("conv1 data: 90", "conv1 data: 0.9")
    assert "exploding-blob" in names(small + start.replace("conv1 data: 90", "conv1 data: 950"))


def wave(level: float, size: float, count: int = 60) -> list[float]:
    return [level + size * math.sin(i) for i in range(count)]


@pytest.mark.parametrize(
    ("values", "expected", "wrong"),
    [
        ([2.302585, *wave(2.303, 0.01)], "loss-stuck-at-chance", True),
        ([9.7, *wave(2.303, 0.01)], "loss-stuck-at-chance", True),  # exploded, and is dead since
        ([2.302585, 2.31, 2.29], "loss-at-chance", False),
        ([2.302585, *[2.3 - 0.03 * i for i in range(60)]], "loss-falls", False),
        ([2.302585, *wave(87.3365, 0)], "loss-saturated", True),
        ([2.302585, *wave(87.3365, 0), *wave(0.5, 0.1)], "loss-falls", False),
        ([2.302585, 2.2, "nan", "nan"], "loss-not-finite", True),
        ([2.302585, *wave(30, 4)], "loss-rises", True),
        ([0.5, *wave(0.49, 0.05)], "loss-does-not-fall", False),
        ([2.302585], "loss-at-chance", False),
        ([0.7], "loss", False),
    ],
)
def test_courses_of_the_loss(values: list[float], expected: str, wrong: bool) -> None:
    net = (
        'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 10 } }\n'
        'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" }\n'
    )
    (found,) = (d.observation for d in told(losses(values), net).observations)
    assert (found.name, found.is_wrong) == (expected, wrong), found.message


def test_a_dead_net_that_learns_the_shares_of_the_labels() -> None:
    course = losses([1.386294, *[1.2 - 0.01 * i for i in range(5)], *wave(1.15, 0.01)])
    assert "loss-stuck-at-prior" in names(course + DEAD)
    assert "loss-stuck-at-prior" not in names(course)  # nothing says that it is dead


def test_what_ends_a_run() -> None:
    text = iteration(0, 1.5) + record(
        "Check failed: error == cudaSuccess (2 vs. 0) out of memory", "syncedmem.cpp", 71, "F"
    )
    (found,) = (d.observation for d in told(text).observations if d.observation.is_wrong)
    assert (found.name, found.line) == ("aborted", 2)
    assert "syncedmem.cpp:71: Check failed" in found.message
    assert "rate-zero" in names(record("Iteration 0, lr = 0", "sgd_solver.cpp", 105))


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
    assert "layers that the file has not: conv9" in found[""].message
    assert len(found) == 3
    other = told(text.replace(top("loss", 1.38), top("loss", math.log(6), "loss")), net).differences
    assert any("the log is of 6 classes, but what feeds the loss has num_output: 4" in d.message for d in other)
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
    assert "holds no net" in told(DEAD, 'net: "x.prototxt" base_lr: 0.1').net_error


# ---------------------------------------------------------------- evidence


def test_evidence() -> None:
    seen = evidence_of(read(DEAD, "folder/train.log"))
    assert seen.name == "train.log"
    assert seen.zero_weights == {"conv2", "ip"}
    assert seen.other_weights == {"conv1"}
    assert "conv2" in seen.zero_tops
    assert (seen.fork, seen.loads_weights, seen.starts_gamma_at_zero) == (
        "",
        False,
        False,
    )  # BVLC, or a fork of it


def test_zero_gamma_is_seen_without_knowing_the_fork() -> None:
    five = "".join(param("bn", i, 0) for i in range(5))
    assert evidence_of(read(top("conv", 2) + top("bn", 0, "conv") + five)).zero_gamma == {"bn"}
    three = "".join(param("bn", i, 0) for i in range(3))
    assert not evidence_of(read(top("conv", 2) + top("bn", 0, "conv") + three)).zero_gamma


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
