"""``caffefix log`` and ``--log`` from outside: output, exit status, files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.golden import GOLDEN
from tests.support.golden import caffefix_process as caffefix
from tests.support.logs import bottom_diff, iteration, losses, param, record, top

GAMMA = GOLDEN / "batch-norm-zero-gamma/fires"
FILLER = GOLDEN / "missing-weight-filler/log-confirms"


def test_text() -> None:
    done = caffefix("log", GAMMA / "train.log", GAMMA / "before.prototxt")
    text = done.out.decode()
    assert (done.status, done.err) == (0, b"")
    assert "Caffe: NVCaffe 0.15 [from net.cpp:650, net.cpp:638]" in text
    assert "train.log:6: dead-blob top conv1 of bn1 is the first that is exactly 0" in text
    assert "  because of" in text
    assert "before.prototxt:29:1: batch-norm-zero-gamma bn1: no scale_filler" in text
    assert b"\x1b[" not in done.out


def test_json() -> None:
    done = caffefix("log", "--format", "json", FILLER / "train.log", FILLER / "before.prototxt")
    data = json.loads(done.out)
    assert done.status == 0
    assert data["version"] == 1
    assert set(data) == set("version log net fork series decoded observations differences".split())
    (dead,) = [o for o in data["observations"] if o["name"] == "dead-blob"]
    assert (dead["wrong"], dead["line"], dead["layer"], dead["causes_certain"]) == (True, 2, "conv1", True)
    (cause,) = dead["causes"]
    assert (cause["name"], cause["layer"], cause["line"]) == ("missing-weight-filler", "conv1", 14)


def test_json_has_no_nan() -> None:
    log = (
        iteration(0, 2.5)
        + iteration(20, "nan")
        + top("conv", "inf")
        + record("Iteration 20, lr = -nan", "sgd_solver.cpp")
    )
    done = caffefix("log", "--format", "json", "-", stdin=log.encode())
    data = json.loads(done.out, parse_constant=lambda name: pytest.fail(name))
    (loss,) = data["series"]
    assert (loss["first"], loss["last"], loss["count"]) == (2.5, "nan", 2)
    assert {o["name"] for o in data["observations"]} == {"nonfinite-blob", "loss-not-finite", "rate-not-finite"}


def test_standard_input_and_a_log_without_a_fault() -> None:
    done = caffefix("log", "-", stdin=losses([2.5 - 0.1 * i for i in range(20)]).encode())
    assert (done.status, done.err) == (0, b"")
    assert "<stdin>: loss-falls loss: 2.5 at iteration 0, 0.6 at 380" in done.out.decode()
    assert done.out.endswith(b"nothing wrong found in the log\n")


def test_names_of_any_bytes(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_bytes((top("\xe9\x01\xff", 3) + param("\xe9\x01\xff", 0, 0)).encode("latin-1") + b"\xff\xfe\x00\n")
    assert caffefix("log", log).status == 0
    log.write_bytes((param("\xff\x1b[31m", 0, 0) + top("\xff\x1b[31m", 0)).encode("latin-1"))
    assert b"\x1b" not in caffefix("log", log).out


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", b"empty"),
        (b"\x1f\x8b\0", b"zcat"),
        (bytes(range(256)), b"binary"),
        (b"hello\n" * 9, b"no line in it"),
    ],
)
def test_what_is_no_log(data: bytes, message: bytes, tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(data)
    for done in (
        caffefix("log", log),
        caffefix("log", "-", stdin=data),
        caffefix("--check", "--log", log, FILLER / "before.prototxt"),
    ):
        assert (done.status, done.out) == (2, b"")
        assert done.err.startswith(b"error: ")
        assert message in done.err
        assert done.err.count(b"\n") == 1


def test_what_cannot_be_read(tmp_path: Path) -> None:
    for args in (["log", "none.log"], ["log", "."], ["--log", "none.log", FILLER / "before.prototxt"]):
        done = caffefix(*args, cwd=tmp_path)
        assert done.status == 2
        assert (b"this is a folder, but a file is needed" if "." in args else b"cannot be read") in done.err
    done = caffefix("log", FILLER / "train.log", "none.prototxt", cwd=tmp_path)
    assert (done.status, done.out) == (2, b"")
    assert b"none.prototxt: cannot be read" in done.err


def test_a_net_that_does_not_parse_does_not_hide_the_log(tmp_path: Path) -> None:
    net = tmp_path / "net.prototxt"
    net.write_text("layer {")
    done = caffefix("log", FILLER / "train.log", net)
    assert done.status == 2
    assert b"dead-blob" in done.out
    assert b"never closed" in done.err


def test_a_log_is_evidence_for_one_net(tmp_path: Path) -> None:
    for paths in ([GOLDEN], [FILLER / "before.prototxt", GAMMA / "before.prototxt"]):
        done = caffefix("--check", "--log", FILLER / "train.log", *paths)
        assert done.status == 2
        assert b"--log is evidence for one net" in done.err
    done = caffefix("--log", "-", "-", stdin=b"")
    assert done.status == 2
    assert b"both the log and the file" in done.err


def test_the_log_tells_the_fork() -> None:
    """With NVIDIA's log, what BVLC's Caffe wants of BatchNorm is not asked for; without, it is."""
    with_log = caffefix("--check", "--log", GAMMA / "train.log", GAMMA / "after.prototxt")
    assert (with_log.status, b"nothing to fix" in with_log.out) == (0, True)
    without = caffefix("--check", "-", stdin=(GAMMA / "before.prototxt").read_bytes())
    assert b"batch-norm-lr-mult" in without.out
    assert b"gamma" not in without.out


def test_seed_002(shared: Path, tmp_path: Path) -> None:
    """Its last layer was cut off; closed, and with its log, BatchNorm's gamma gets its filler."""
    net = tmp_path / "net.prototxt"
    before = (shared / "seeds/s002_fragment.prototxt").read_bytes() + b"}\n"
    net.write_bytes(before)
    log = shared / "seeds/s002_with_batchnorm.log"
    assert b"gamma" not in caffefix("--check", net).out
    assert caffefix("--log", log, net).status == 0
    filler = b'scale_filler {\n  type: "constant"\n  value: 1\n}\n'
    assert net.read_bytes() == before.replace(b"use_global_stats: false\n", b"use_global_stats: false\n" + filler)
    assert b"nothing to fix" in caffefix("--log", log, net).out


def test_batch_and_classes_are_told() -> None:
    log = top("loss", 1.38629, "loss") + bottom_diff("loss", "ip", 2 * 3 / 16 / 24)
    text = caffefix("log", "-", stdin=log.encode()).out.decode()
    assert "  classes: 4 [the top of loss is ln 4 = 1.38629]" in text
    assert "  batch size: 24 [gradient 0.015625 of loss's input is 2(C-1)/(C² N) at chance" in text


START = "I1122 10:00:0{} 77 solver.cpp:228] Iteration {}, loss = {}\n"


def test_a_crash_is_no_fine_log(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text(
        START.format(1, 0, 2.5) + "*** Aborted at 1479808801 ***\n*** SIGSEGV (@0x0) received by PID 77 ***\n"
    )
    done = caffefix("log", log)
    assert b"aborted Caffe aborted: SIGSEGV (@0x0) received by PID 77" in done.out
    assert b"nothing wrong" not in done.out


@pytest.mark.parametrize("text", ["1.#QNAN", "-1.#IND"])
def test_what_visual_studio_prints_is_not_a_number(tmp_path: Path, text: str) -> None:
    log = tmp_path / "train.log"
    log.write_text(START.format(1, 0, 2.3) + START.format(2, 20, text))
    assert b"loss-not-finite" in caffefix("log", log).out


def test_a_loss_that_grows_without_bound_is_wrong_before_many_readings(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    log.write_text("".join(START.format(i, i * 20, 2.5 * 6**i) for i in range(9)))
    done = caffefix("log", log)
    assert b"loss-rises" in done.out
    assert b"nothing wrong" not in done.out
