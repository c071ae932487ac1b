"""``caffefix log`` and ``--log`` from outside: output, exit status, files."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.golden import GOLDEN, Outcome
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


def _next(done: Outcome) -> str:
    """The last line of a report, without its title; empty if it names no command."""
    title, _, command = done.out.decode().splitlines()[-1].partition(": ")
    return command if title == "next" else ""


ALIVE = """\
name: "alive"
layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 4 dim: 8 } shape { dim: 4 } data_filler { type: "gaussian" } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" }
"""
RATE = "I1122 10:00:01 77 sgd_solver.cpp:112] Iteration 0, lr = 0\n"
AT_CHANCE = "".join(START.format(1, 100 * step, 1.0986) for step in range(30))
FALLS = "".join(START.format(1, 100 * step, 2 / (1 + step)) for step in range(30))


@pytest.mark.parametrize(
    ("log", "command"),
    [
        (START.format(1, 0, "nan"), "caffefix signal net.prototxt"),
        (top("data", 1) + param("ip", 0, 1) + top("ip", 1e9), "caffefix signal net.prototxt"),
        (AT_CHANCE, "caffefix prove net.prototxt"),
        (RATE, "caffefix --log train.log net.prototxt SOLVER --notes --dry-run"),
        (
            "F1122 10:00:01.873067    77 net.cpp:150] Check failed: 1 == 2 (1 vs. 2) \n",
            "caffefix --log train.log net.prototxt --notes --dry-run",
        ),
        (FALLS, ""),
    ],
)
def test_the_next_command_follows_from_the_log(log: str, command: str, tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(ALIVE)
    (tmp_path / "train.log").write_text(log)
    assert _next(caffefix("log", "train.log", "net.prototxt", cwd=tmp_path)) == command
    alone = "caffefix log train.log NET" if command else ""
    assert _next(caffefix("log", "train.log", cwd=tmp_path)) == alone
    report = caffefix("log", "train.log", "net.prototxt", "--format", "json", cwd=tmp_path).out
    assert b"next" not in report


NAMES = ["net.prototxt", "a b.prototxt", "$(touch gone)'\"\\.prototxt", "-n.prototxt", "a\nb\x1b[1m"]


@pytest.mark.parametrize("net", NAMES)
def test_the_next_command_can_be_pasted(net: str, tmp_path: Path) -> None:
    """The shell gives caffefix the very files, and it shows the diff; nothing in a name is run."""
    (tmp_path / net).write_bytes((FILLER / "before.prototxt").read_bytes())
    (tmp_path / "my train.log").write_bytes((FILLER / "train.log").read_bytes())
    told = caffefix("log", "--", "my train.log", net, cwd=tmp_path)
    command = _next(told)
    assert command.endswith(" --dry-run")
    assert b"\x1b" not in told.out
    ours = f"{shlex.quote(sys.executable)} -m caffefix"
    line = command.replace("caffefix", ours, 1)
    done = subprocess.run(
        ["bash", "-c", line], cwd=tmp_path, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(GOLDEN.parent), "PYTHONUTF8": "1"},
    )  # fmt: skip
    assert b"+    weight_filler {" in done.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([net, "my train.log"])


def test_the_next_command_for_a_log_from_standard_input(tmp_path: Path) -> None:
    log = (FILLER / "train.log").read_bytes()
    assert _next(caffefix("log", "-", stdin=log)) == "caffefix log TRAIN.LOG NET"
    assert _next(
        caffefix("log", "-", "missing-weight-filler/log-confirms/before.prototxt", stdin=log, cwd=GOLDEN)
    ) == ("caffefix --log TRAIN.LOG missing-weight-filler/log-confirms/before.prototxt --dry-run")
