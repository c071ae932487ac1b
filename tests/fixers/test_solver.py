"""Solver files: the view, and what real Caffe does with what the findings foretell."""

from __future__ import annotations

import math
import re
import subprocess
from pathlib import Path

import pytest

from caffefix.caffe.roles import Role, file_role
from caffefix.caffe.solver import METHODS, Solver, solver_of
from caffefix.engine.select import registered
from caffefix.findings import Severity, Subject
from caffefix.syntax.parse import PrototxtError, parse
from tests.conftest import ROOT, corpus_files

PROBE = ROOT / "tests" / "support" / "caffe_solver_probe.py"

NET = """
layer { name: "d" type: "DummyData" top: "data" top: "label" dummy_data_param {
  shape { dim: 4 dim: 3 } shape { dim: 4 } data_filler { type: "gaussian" std: 1 }
  data_filler { type: "constant" value: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""
WHOLE = {
    "net": '"net.prototxt"', "base_lr": "0.1", "lr_policy": '"fixed"', "max_iter": "10",
    "display": "1", "snapshot_after_train": "false", "solver_mode": "CPU",
}  # fmt: skip


def text(**fields: str | None) -> str:
    given = {**WHOLE, **fields}
    return "".join(f"{name}: {value}\n" for name, value in given.items() if value is not None)


def solver(source: str) -> Solver:
    found = solver_of(parse(source))
    assert found is not None
    return found


def names(source: str) -> set[str]:
    subject = Subject(parse(source))
    loud = (Severity.ERROR, Severity.WARNING)
    return {finding.name for fixer in registered() for finding in fixer.find(subject) if finding.severity in loud}


# ---------------------------------------------------------------- the view


@pytest.mark.parametrize(
    ("written", "method"),
    [("", "SGD"), ("solver_type: ADAGRAD", "AdaGrad"), ("solver_type: 5", "Adam"), ("type: 'RMSProp'", "RMSProp"),
     ("type: 'adam'", "adam"), ("solver_type: FROBNICATE", "FROBNICATE")],
)  # fmt: skip
def test_method(written: str, method: str) -> None:
    assert solver(f"base_lr: 1 {written}").method == method


def test_rates() -> None:
    multistep = solver('base_lr: 1 lr_policy: "multistep" gamma: 0.5 stepvalue: 4 stepvalue: [2, 9]')
    assert [multistep.rate(i) for i in (0, 3, 4, 5, 8, 9)] == [1, 1, 0.5, 0.25, 0.25, 0.125]
    assert math.isnan(solver('base_lr: 1 lr_policy: "poly" power: 1').rate(0))
    assert solver('base_lr: 1 lr_policy: "step" stepsize: 5').rate(5) == 0
    with pytest.raises(ValueError, match="stepsize"):
        solver('base_lr: 1 lr_policy: "step" gamma: 1').rate(0)
    with pytest.raises(ValueError, match="plateau"):
        solver('base_lr: 1 lr_policy: "plateau"').rate(0)


def test_a_field_that_only_scores_tests_is_not_foreign() -> None:
    assert solver('base_lr: 1 eval_type: "detection" ap_version: "11point"').is_plain
    assert solver("base_lr: 1 min_lr: 0.1 no_such_field: 1").foreign == {"min_lr", "no_such_field"}


@pytest.mark.parametrize(
    "source",
    ['lr_policy: "step" stepsize: 7', 'lr_policy: "multistep" stepvalue: [9, 3, 20]'],
)
def test_steps_are_taken_where_the_rate_falls(source: str) -> None:
    given = solver(f"base_lr: 1 gamma: 0.5 {source}")
    fallen = [i for i in range(1, 25) if given.rate(i) < given.rate(i - 1)]
    assert [given.step_at(count) for count in range(1, 4)] == fallen[:3]


def test_steps_that_are_never_taken() -> None:
    assert solver('base_lr: 1 lr_policy: "multistep" stepvalue: 3').step_at(2) is None
    assert solver('base_lr: 1 lr_policy: "step"').step_at(1) is None
    assert solver('base_lr: 1 lr_policy: "fixed" stepvalue: 3').step_at(1) is None


SOLVER_FINDINGS = {
    "adam-without-momentum", "constant-lr-policy", "huge-weight-decay", "missing-policy-field",
    "missing-test-interval", "several-train-nets", "unequal-test-fields", "unknown-lr-policy",
    "unknown-solver-type", "unsupported-momentum", "unusable-solver-value", "vanishing-lr", "zero-clip-gradients",
}  # fmt: skip
# Solvers that are known to work: nothing may be said of them, but notes.
KNOWN_GOOD = (
    "bvlc_alexnet/solver", "bvlc_googlenet/solver", "bvlc_googlenet/quick_solver", "fcn.*solver",
    "bvlc_reference_caffenet/solver", "lenet_.*solver", "cifar10_(full|quick)_.*solver", "SSD_.*/solver",
    "faster_rcnn_end2end/solver",
)  # fmt: skip


@pytest.mark.slow
def test_solvers_that_work_are_silent(shared: Path) -> None:
    seen = set()
    for path in corpus_files():
        known = next((name for name in KNOWN_GOOD if re.search(name + r".*\.(prototxt|pt)", str(path))), None)
        if known is None:
            continue
        try:
            document = parse(path.read_bytes().decode("latin-1"))
        except PrototxtError:
            continue
        if file_role(document) is Role.SOLVER and "lenet_consolidated" not in path.name:
            seen.add(known)
            assert not names(document.text) & SOLVER_FINDINGS, path
    assert seen == set(KNOWN_GOOD)


# ---------------------------------------------------------------- real Caffe


def run(python: str, folder: Path, source: str) -> subprocess.CompletedProcess[str]:
    (folder / "net.prototxt").write_text(NET)
    (folder / "solver.prototxt").write_text(source)
    return subprocess.run(
        [python, str(PROBE), "solver.prototxt"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def moves(done: subprocess.CompletedProcess[str]) -> list[bool | None]:
    """For each of four steps, whether the weights change; None where they are NaN."""
    assert done.returncode == 0, done.stderr[-2000:]
    return [None if math.isnan(step) else step > 0 for step in map(float, done.stdout.split())]


@pytest.mark.caffe
@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        ("missing-policy-field", {"lr_policy": '"step"', "stepsize": "2"}, [True, True, False, False]),
        ("missing-policy-field", {"lr_policy": '"exp"'}, [True, False, False, False]),
        ("missing-policy-field", {"lr_policy": '"poly"', "power": "1", "max_iter": None}, [None] * 4),
        ("zero-clip-gradients", {"clip_gradients": "0"}, [False] * 4),
        ("unusable-solver-value", {"iter_size": "0"}, [None] * 4),
    ],
    ids=lambda value: str(value)[:24],
)
def test_caffe_learns_nothing_as_foretold(
    caffe_python: str, tmp_path: Path, name: str, fields: dict[str, str | None], expected: list[bool | None]
) -> None:
    assert name in names(text(**fields))
    assert moves(run(caffe_python, tmp_path, text(**fields))) == expected


@pytest.mark.caffe
@pytest.mark.parametrize(
    "fields",
    [
        {"lr_policy": '"step"', "gamma": "0.5", "stepsize": "2"},
        {"lr_policy": '"exp"', "gamma": "0.9"},
        {"lr_policy": '"inv"', "gamma": "0.1", "power": "0.75"},
        {"lr_policy": '"inv"', "gamma": "0.1"},
        {"lr_policy": '"multistep"', "gamma": "0.5", "stepvalue": "[3, 1]"},
        {"lr_policy": '"poly"', "power": "2"},
        {"lr_policy": '"poly"'},
        {"lr_policy": '"sigmoid"', "gamma": "0.5", "stepsize": "2"},
    ],
    ids=lambda fields: "-".join(fields),
)
def test_rates_are_those_of_caffe(caffe_python: str, tmp_path: Path, fields: dict[str, str | None]) -> None:
    source = text(**fields)
    done = run(caffe_python, tmp_path, source)
    assert done.returncode == 0, done.stderr[-2000:]
    rates = [float(rate) for rate in re.findall(r"Iteration \d+, lr = (\S+)", done.stderr)]
    assert rates == pytest.approx([solver(source).rate(i) for i in range(4)], rel=1e-5)


@pytest.mark.caffe
def test_caffe_has_these_methods(caffe_python: str, tmp_path: Path) -> None:
    done = run(caffe_python, tmp_path, text(type='"none"'))
    known = re.search(r"known types: ([^)]*)", done.stderr)
    assert known is not None
    assert set(known[1].split(", ")) == set(METHODS)
