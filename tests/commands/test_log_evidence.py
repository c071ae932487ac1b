"""``--log``: of which files a log is evidence, and what it says of a solver.

The lines of the logs are real Caffe's, of a training with the solver of the test.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golden import GOLDEN, Outcome, caffefix

FILLER = GOLDEN / "missing-weight-filler/log-confirms"
NET = """\
layer {
  name: "data"
  type: "DummyData"
  top: "data"
  top: "label"
  dummy_data_param { shape { dim: 4 dim: 8 } shape { dim: 4 } }
}
layer {
  name: "ip"
  type: "InnerProduct"
  bottom: "data"
  top: "ip"
  inner_product_param { num_output: 3 }
}
layer {
  name: "out"
  type: "InnerProduct"
  bottom: "ip"
  top: "out"
  inner_product_param { num_output: 3 }
}
layer {
  name: "loss"
  type: "SoftmaxWithLoss"
  bottom: "out"
  bottom: "label"
}
"""
SOLVER = 'net: "net.prototxt"\nmomentum: 0.9\nmax_iter: 6\nsnapshot_prefix: "x"\n'
RATE = "I1129 19:54:34.269831  5099 sgd_solver.cpp:112] Iteration {}, lr = {}\n"
DONE = "I1129 19:54:34.269845  5099 solver.cpp:332] Optimization Done.\n"
ZERO = "I1129 19:54:34.1 5099 net.cpp:591]     [Forward] Layer {}, param blob 0 data: 0\n"
ALIVE = "I1129 19:54:34.1 5099 net.cpp:591]     [Forward] Layer {}, param blob 0 data: 0.2\n"


def rates(*pairs: tuple[int, float]) -> str:
    return "".join(RATE.format(iteration, f"{rate:g}") for iteration, rate in pairs)


def judged(folder: Path, log: str, *, net: str = NET, **solvers: str) -> Outcome:
    """The check of a net and its solvers with a log; notes are shown."""
    (folder / "train.log").write_text(log)
    (folder / "net.prototxt").write_text(net)
    for name, text in solvers.items():
        (folder / f"{name}.prototxt").write_text(text)
    files = ["net.prototxt", *(f"{name}.prototxt" for name in solvers)]
    return caffefix("--check", "--notes", "--format", "concise", "--log", "train.log", *files, cwd=folder)


def test_a_log_is_evidence_for_a_net_and_its_solver(tmp_path: Path) -> None:
    """One layer is seen at zero: only this one, of two without fillers, is named with the log; and a rate of 0."""
    log = ZERO.format("ip") + rates((0, 0), (4, 0))
    out = judged(tmp_path, log, solver=SOLVER + 'lr_policy: "fixed"\n').out.decode()
    assert "train.log shows its weights at exactly 0" in out
    assert "solver.prototxt:5:1: zero-base-lr" in out
    assert "train.log shows lr = 0 from iteration 0 to 4" in out


def test_a_solver_alone(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text(rates((0, 0), (4, 0)))
    (tmp_path / "solver.prototxt").write_text(SOLVER + 'lr_policy: "fixed"\n')
    done = caffefix("--check", "--log", "train.log", "solver.prototxt", cwd=tmp_path)
    assert (done.status, b"zero-base-lr" in done.out) == (1, True)


def test_a_net_that_is_not_there_is_what_is_reported(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_text(rates((0, 0)))
    (tmp_path / "solver.prototxt").write_text(SOLVER)
    done = caffefix("--check", "--log", "train.log", "none.prototxt", "solver.prototxt", cwd=tmp_path)
    assert done.status == 2
    assert b"none.prototxt: cannot be read" in done.err + done.out


def test_several_solvers_of_the_net(tmp_path: Path) -> None:
    """The log is of one of them: the rates confirm nothing about the other."""
    one, two = SOLVER + 'lr_policy: "poly"\nbase_lr: 0.01\n', SOLVER + 'lr_policy: "poly"\nbase_lr: 0.5\n'
    done = judged(tmp_path, rates((0, 0.01), (4, 0.01)), one=one, two=two)
    told = {
        line.partition(":")[0]: line for line in done.out.decode().splitlines() if "constant-lr-policy" in line
    }
    assert "shows lr = 0.01" in told["one.prototxt"]
    assert "shows" not in told["two.prototxt"]


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["net.prototxt", "other.prototxt"], b"there are 2: net.prototxt, other.prototxt"),
        (["net.prototxt", "of_other.prototxt"], b"is not a solver of net.prototxt: it trains other.prototxt"),
        (["net.prototxt", "tests.prototxt"], b"is not a solver of net.prototxt: it trains other.prototxt"),
        (["net.prototxt", "inner.prototxt"], b"is not a solver of net.prototxt: it trains a net of its own"),
        (["solver.prototxt", "of_other.prototxt"], b"there is none, but several solvers"),
        (["."], b"not the folder ."),
        (["net.prototxt", "sub"], b"not the folder sub"),
    ],
)
def test_what_a_log_cannot_be_evidence_of(paths: list[str], words: bytes, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "train.log").write_text(rates((0, 0)))
    inner = NET.replace("layer {", "net_param { layer {").replace("\n}\n", "\n} }\n")
    for name, text in {
        "net": NET, "other": NET,
        "solver": SOLVER,
        "of_other": SOLVER.replace("net.", "other."),
        "tests": 'train_net: "other.prototxt"\ntest_net: "net.prototxt"\ntest_iter: 1\nbase_lr: 1\n',
        "inner": SOLVER.replace('net: "net.prototxt"', inner),
    }.items():  # fmt: skip
        (tmp_path / f"{name}.prototxt").write_text(text)
    done = caffefix("--check", "--log", "train.log", *paths, cwd=tmp_path)
    assert (done.status, done.out) == (2, b"")
    assert words in done.err.replace(b"\n", b" ")
    assert b"Traceback" not in done.err


@pytest.mark.parametrize(("name", "is_told"), [("net.prototxt", False), ("train.prototxt", True)])
def test_a_path_of_another_machine(name: str, is_told: bool, tmp_path: Path) -> None:
    """A net that is nowhere may be this one, under another name: the user says so, and is told."""
    solver = SOLVER.replace("net.prototxt", f"/home/nobody/caffe/{name}") + 'lr_policy: "fixed"\n'
    done = judged(tmp_path, rates((0, 0), (4, 0)), solver=solver)
    assert (done.status, b"shows lr = 0" in done.out) == (1, True)
    told = f"warning: solver.prototxt trains /home/nobody/caffe/{name}, and there is no such file"
    assert (told in done.err.decode()) is is_told


def test_a_net_of_another_log_keeps_its_layers(tmp_path: Path) -> None:
    """What a log says of a layer is said of the net's, and of nothing beside it."""
    (tmp_path / "beside.prototxt").write_text(NET)
    done = judged(tmp_path, ALIVE.format("ip") + ALIVE.format("out"), solver=SOLVER + 'lr_policy: "fixed"\n')
    assert b"missing-weight-filler" not in done.out
    assert b"missing-weight-filler" in caffefix("--check", tmp_path / "beside.prototxt").out


CONFIRMED = {
    "zero-base-lr": ('lr_policy: "fixed"', rates((0, 0), (4, 0)), "error", "lr = 0 from iteration 0 to 4"),
    "constant-lr-policy": (
        'lr_policy: "poly"\nbase_lr: 0.01', rates((0, 0.01), (4, 0.01)), "warning",
        "lr = 0.01 from iteration 0 to 4",
    ),
    "vanishing-lr": (
        'lr_policy: "step"\ngamma: 0.01\nstepsize: 1\nbase_lr: 0.01', rates((0, 0.01), (4, 1e-10)), "warning",
        "lr = 1e-10 at iteration 4",
    ),
    "unreached-lr-step": (
        'lr_policy: "step"\ngamma: 0.1\nstepsize: 100\nbase_lr: 0.01', rates((0, 0.01), (4, 0.01)) + DONE,
        "warning", "lr = 0.01 from iteration 0 to 4",
    ),
    "missing-test-interval": (
        'lr_policy: "fixed"\nbase_lr: 0.01\ntest_iter: 0',
        "F1129 19:54:39.873067  5184 solver.cpp:150] Check failed: param_.test_interval() > 0 (0 vs. 0) \n",
        "error", "train.log ends with it",
    ),
    "unknown-lr-policy": (
        "base_lr: 0.01", "F1129 19:54:40.912787  5189 sgd_solver.cpp:67] Unknown learning rate policy: \n",
        "error", "train.log ends with it",
    ),
    "unusable-solver-value": (
        'lr_policy: "fixed"\nbase_lr: 0.01\niter_size: 0',
        "I1129 19:54:38.721565  5179 solver.cpp:327] Iteration 2, loss = -nan\n",
        "error", "not a finite number at iteration 2",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIRMED)
def test_a_log_confirms_a_finding_in_a_solver(name: str, tmp_path: Path) -> None:
    fields, log, severity, words = CONFIRMED[name]
    out = judged(
        tmp_path, log, net=NET.replace("3 }", '3 weight_filler { type: "xavier" } }'), solver=SOLVER + fields
    )
    told = [line for line in out.out.decode().splitlines() if name in line]
    assert len(told) == 1
    assert words in told[0]
    # Of the errors and warnings, each is a failure at its own level.
    args = ("--check", "--log", "train.log", "--select", name, "--fail-on")
    at = {level: caffefix(*args, level, "solver.prototxt", cwd=tmp_path).status for level in ("error", "warning")}
    assert at == ({"error": 1, "warning": 1} if severity == "error" else {"error": 0, "warning": 1})


@pytest.mark.parametrize("name", CONFIRMED)
def test_another_log_confirms_nothing(name: str, tmp_path: Path) -> None:
    """Other rates than the solver's, another abort: the finding is what it is without a log."""
    fields, _, _, _ = CONFIRMED[name]
    log = (
        rates((0, 0.3), (4, 0.2))
        + "F1129 19:54:40.9 5189 sgd_solver.cpp:67] Unknown learning rate policy: stairs\n"
    )
    with_log = judged(tmp_path, log, solver=SOLVER + fields).out.decode().splitlines()
    without = caffefix("--check", "--notes", "--format", "concise", "solver.prototxt", cwd=tmp_path).out.decode()
    assert [line for line in with_log if name in line] == [line for line in without.splitlines() if name in line]


def test_a_log_of_loaded_weights_silences_predictions(tmp_path: Path) -> None:
    """Initial signals do not matter to a net whose weights come from a file."""
    case = GOLDEN / "exploding-signal/example"
    log = tmp_path / "train.log"
    log.write_text("I1129 19:54:34.1 5099 caffe.cpp:155] Finetuning from vgg.caffemodel\n")
    select = ("--check", "--select", "exploding-signal", case / "before.prototxt")
    assert b"exploding-signal" in caffefix(*select).out
    assert b"exploding-signal" not in caffefix(*select, "--log", log).out
