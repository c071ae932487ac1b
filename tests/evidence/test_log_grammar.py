"""Lines of logs: what is rendered is read again, whatever stands around it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caffefix.evidence.logs import grammar
from caffefix.evidence.logs.grammar import (
    Batch,
    BlobValue,
    Iteration,
    Output,
    Rate,
    Setting,
    Shape,
    Totals,
    event,
    records,
)

HEADER = "I0123 23:19:12.688591 15230 net.cpp:608] "


def blob(text: str, value: float) -> BlobValue:
    return BlobValue(*text.split("|"), value)


EXAMPLES = [
    ("    [Forward] Layer conv1_1, top blob conv1_1 data: 0", blob("Forward|conv1_1|top|conv1_1|data", 0.0)),
    ("[Forward] Layer prob, top blob (automatic) data: 1.5", blob("Forward|prob|top|(automatic)|data", 1.5)),
    ("    [Forward] Layer conv, top blob conv data: inf", blob("Forward|conv|top|conv|data", math.inf)),
    ("    [Forward] Layer ip, param blob shared w data: 2e-05", blob("Forward|ip|param|shared w|data", 2e-5)),
    ("    [Backward] Layer a, bottom blob b/c, d_1 diff: 0.5", blob("Backward|a|bottom|b/c, d_1|diff", 0.5)),
    ("    [Update] Layer ip, param 0 data: 0.3; diff: 0.001", blob("Update|ip|param|0|diff", 0.001)),
    (
        "    [Update] Layer b, param blob 0 (owned by layer a, param w) diff: 0.25",
        blob("Update|b|param|0|diff", 0.25),
    ),
    (
        "    [debug_info] [Forward] Layer mnist, top blob data data: 7065.09 (0.140806)",
        blob("Forward|mnist|top|data|data", 0.140806),
    ),
    (
        "    [Backward] All net params (data, diff): L1 norm = (111.9, 0.125203); L2 norm = (1.18, 0.0578)",
        Totals(111.9, 0.125203, 1.18, 0.0578),
    ),
    ("Iteration 50, loss = 105465", Iteration(50, 105465.0)),
    ("Iteration 0 (-4.2e-45 iter/s, 0.345767s/10 iters), loss = 1.79176", Iteration(0, 1.79176)),
    ("Iteration 20 (9.1 iter/s, 2.2s/20 iter), 0.1/12.5ep, loss = 6.9", Iteration(20, 6.9)),
    ("Iteration 50, lr = 1e-11", Rate(50, 1e-11)),
    ("Iteration 50, lr = 0.01, m = 0.9, wd = 0.0005, gs = 1", Rate(50, 0.01)),
    ("Iteration 500, Testing net (#1)", grammar.Testing(500, 1)),
    ("    Train net output #1: loss = 105446 (* 1 = 105446 loss)", Output("train", 1, "loss", 105446.0, 1.0)),
    ("    Test net output #0: loss: 50%-fire-rate = 0.5", Output("test", 0, "loss: 50%-fire-rate", 0.5, None)),
    ("Batch 998, accuracy_top1 = 0.6", Batch(998, "accuracy_top1", 0.6)),
    ("Top shape: 32 3 227 227 (4946784)", Shape((32, 3, 227, 227))),
    ("Top shape: (1)", Shape(())),
    ("Creating Layer conv1", Setting("creating-layer", "conv1")),
    ("Finetuning from a b.caffemodel", Setting("finetuning", "a b.caffemodel")),
    ("conv1 does not need backward computation.", Setting("no-backward", "conv1")),
    ("Iteration needs backward computation.", Setting("needs-backward", "Iteration")),
    ("relu1 -> conv1 (in-place)", Setting("in-place")),
]  # fmt: skip


@pytest.mark.parametrize(("body", "expected"), EXAMPLES, ids=lambda x: x if isinstance(x, str) else "")
def test_examples(body: str, expected: object) -> None:
    (record,) = records(HEADER + body)
    assert record.header == grammar.Header("I", "net.cpp", 608)
    assert event(record.body) == expected


@pytest.mark.parametrize(
    "line",
    [
        "2018-06-24 13:45:30 PSTI0624 20:45:30.842751 22 solver.cpp:218] Iteration 7, loss = 1.5",
        "I20261122 03:52:14.919134 19777 solver.cpp:218] Iteration 7, loss = 1.5",
        "   [0] I0624 20:45:30.84 22 solver.cpp:218] Iteration 7, loss = 1.5",
        "I0624 20:45:30.842751 0x7fff75a1 solver.cpp:218] Iteration 7, loss = 1.5",
        "1508138445  INFO: src/caffe/solver.cpp : line 218 : Iteration 7, loss = 1.5",
    ],
)
def test_headers(line: str) -> None:
    (record,) = records(line)
    assert record.header == grammar.Header("I", "solver.cpp", 218)
    assert event(record.body) == Iteration(7, 1.5)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("...] Iteration 7, loss = 1.5", Iteration(7, 1.5)),
        ("> [Forward] Layer a, top blob b data: 3", blob("Forward|a|top|b|data", 3.0)),
        ("Creating Layer conv1", None),  # may be anybody's prose
        ('name: "Iteration"', None),
        ("Iteration of the net", None),
    ],
)
def test_lines_that_lost_their_header(line: str, expected: object) -> None:
    (record,) = records(line)
    assert record.header is None
    assert event(record.body, has_header=False) == expected


def test_two_threads_on_one_line() -> None:
    first, second = records(f"{HEADER}[Forward] Layer a, top blob a data: 0{HEADER}Iteration 7, loss = 1.5")
    assert first.is_cut
    assert not second.is_cut
    assert event(second.body) == Iteration(7, 1.5)


@pytest.mark.parametrize("number", ["", "-", "1.2.3", "0x10", "1e", "NaN?", "nano"])
def test_what_is_no_number_is_no_value(number: str) -> None:
    assert event(f"[Forward] Layer a, top blob b data: {number}") is None
    assert event(f"Iteration 7, loss = {number}") is None


# Names as files give them; what ends a name in these messages cannot be part of one.
NAMES = st.text(
    st.characters(codec="latin-1", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=20
)
NUMBERS = st.floats(allow_nan=False).map(lambda x: float(f"{x:g}"))


@given(NAMES, NAMES, st.sampled_from([("Forward", "top", "data"), ("Backward", "bottom", "diff")]), NUMBERS)
def test_blob_values_are_read_as_rendered(layer: str, blob: str, kind: tuple[str, str, str], value: float) -> None:
    direction, role, quantity = kind
    body = f"    [{direction}] Layer {layer}, {role} blob {blob} {quantity}: {value:g}"
    assert event(body) == BlobValue(direction, layer, role, blob, quantity, value)


@given(st.integers(0, 10**9), NUMBERS, NAMES, NUMBERS)
def test_iterations_and_outputs_are_read_as_rendered(number: int, loss: float, name: str, weight: float) -> None:
    assert event(f"Iteration {number} (1.5 iter/s, 2s/3 iters), loss = {loss:g}") == Iteration(number, loss)
    text = f"    Train net output #{number}: {name} = {loss:g} (* {weight:g} = {loss:g} loss)"
    assert event(text) == Output("train", number, name, loss, weight)


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    for record in records(text):
        for has_header in (True, False):
            event(record.body, has_header=has_header)
            event("[Forward] Layer " + record.body, has_header=has_header)


def test_long_lines_cost_no_time() -> None:
    """A body that would have the expressions look at each pair of places is not looked at."""
    assert event("[Forward] Layer " + ", top blob x" * 100_000) is None
    assert event("[Update] Layer a, param blob " + "(owned by layer " * 200 + "x" * 500) is None
