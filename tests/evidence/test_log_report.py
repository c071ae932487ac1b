"""What is made of a log by itself: who wrote it, what its numbers come from, what went wrong, evidence."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from caffefix.evidence.logs import decode
from caffefix.evidence.logs.evidence import evidence_of
from caffefix.evidence.logs.forks import ERAS, fingerprint
from tests.support import logs
from tests.support.logs import (
    DEAD,
    bottom_diff,
    iteration,
    losses,
    param,
    param_diff,
    read,
    record,
    told,
    top,
    totals,
)

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


def names(text: str, net: str = "") -> set[str]:
    return {d.observation.name for d in told(text, net).observations}


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
