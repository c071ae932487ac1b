"""Families: which files are read with a file, and what depends on them."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caffefix.caffe.family import Family, Member
from caffefix.findings import Subject
from caffefix.fixers import deploy_drift, fixers
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.zoo.family import Families
from tests.conftest import corpus_files
from tests.golden import GOLDEN, caffefix

SOLVER = 'net: "%s"\nbase_lr: 0.01\nlr_policy: "fixed"\nmax_iter: 10\n'
DEPLOY = (GOLDEN / "deploy-drift/same-net-is-silent/before.prototxt").read_text()
TRAIN = (GOLDEN / "deploy-drift/same-net-is-silent/beside/train_val.prototxt").read_text()


def family(path: Path, *roots: Path) -> Family:
    return Families([str(root) for root in roots]).of(str(path), path.read_bytes())


def test_fixers_say_that_they_need_the_family() -> None:
    needing = {fixer.name for fixer in fixers() if fixer.needs_family}
    own = {"deploy-drift", "huge-weight-decay", "missing-deploy-scale", "missing-net-file", "train-source-in-test"}
    # Whether weights are loaded, a solver beside the net may say.
    starting = {"missing-weight-filler", "batch-norm-zero-gamma", "bilinear-without-groups", "default-std"}
    starting |= {"exploding-signal", "filler-on-vector-blob", "frozen-random-layer", "identical-units"}
    starting |= {"missing-input-scale", "vanishing-signal"}
    assert needing == own | starting


def test_a_solvers_net_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    solver = tmp_path / "repository/models/a/solver.prototxt"
    solver.parent.mkdir(parents=True)
    for folder in ("cwd", "root", "elsewhere"):
        (tmp_path / folder / "nets").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "cwd")
    solver.write_text(SOLVER % "nets/n.prototxt")
    for place in (solver.parent, tmp_path / "cwd", tmp_path / "root", tmp_path / "repository"):
        assert family(solver, tmp_path / "root").lost == {"nets/n.prototxt"}
        net = place / "nets/n.prototxt"
        net.parent.mkdir(exist_ok=True)
        net.write_text(TRAIN)
        assert not family(solver, tmp_path / "root").lost, place
        net.unlink()


def test_odd_paths_are_no_trouble(tmp_path: Path) -> None:
    solver = tmp_path / "solver.prototxt"
    for path in ("", "\\000", "\\377\\376", "a/" * 3000, "~", "..", "/"):
        solver.write_text(SOLVER % path)
        family(solver)
    assert caffefix("--check", "--root", str(tmp_path / "no"), solver).status == 2


def test_weights_belong_to_the_net_that_the_solver_names(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.prototxt").write_text(TRAIN)
    (tmp_path / "solver.prototxt").write_text(SOLVER % "a.prototxt" + 'weights: "vgg.caffemodel"\n')
    assert family(tmp_path / "a.prototxt").loads_weights
    assert not family(tmp_path / "b.prototxt").loads_weights


def test_only_the_folder_itself_is_read(tmp_path: Path) -> None:
    folder, other = tmp_path / "folder", tmp_path / "other"
    for place in (folder, other, folder / "below"):
        place.mkdir()
    (folder / "deploy.prototxt").write_text(DEPLOY)
    for net in (other / "net.prototxt", folder / "below/net.prototxt", folder / "net.txt"):
        net.write_text(TRAIN)
    (folder / "link.prototxt").symlink_to(other / "net.prototxt")
    os.mkfifo(folder / "pipe.prototxt")
    (folder / "large.prototxt").write_text(TRAIN + "#" * (1 << 21))
    assert not family(folder / "deploy.prototxt").siblings
    (folder / "net.prototxt").write_text(TRAIN)
    (folder / "broken.prototxt").write_text("layer {")
    found = family(folder / "deploy.prototxt")
    assert [member.name for member in found.siblings] == ["broken.prototxt", "net.prototxt"]
    pair = found.train_net(parse(DEPLOY))
    assert pair is not None
    assert pair[0].name == "net.prototxt"
    for number in range(20):
        (folder / f"n{number}.prototxt").write_text(TRAIN)
    assert not family(folder / "deploy.prototxt").siblings, "a heap of models"


def test_a_family_is_found_beside_standard_input(tmp_path: Path) -> None:
    (tmp_path / "net.prototxt").write_text(TRAIN)
    drifted = DEPLOY.replace("num_output: 10\n", "num_output: 11\n").encode()
    place = ["--stdin-filename", str(tmp_path / "deploy.prototxt")]
    assert b"deploy-drift" in caffefix("--check", *place, "-", stdin=drifted).out
    assert b"deploy-drift" not in caffefix("--check", "-", stdin=drifted).out


@given(st.data())
def test_what_is_reported_does_not_depend_on_the_order_of_siblings(data: st.DataObject) -> None:
    members = [
        Member(name, text) for name, text in (("a", TRAIN), ("b", DEPLOY), ("c", SOLVER % "a"), ("d", "x {"))
    ]
    drifted = parse(DEPLOY.replace("num_output: 10\n", "num_output: 11\n"))
    beside = data.draw(st.permutations([member for member in members if member.name != "b"]))
    found = list(deploy_drift.find(Subject(drifted, family=Family(tuple(beside)))))
    assert [finding.layer for finding in found] == ["fc"]
    # With the right deploy net beside it, the drifted one is another model's.
    beside = data.draw(st.permutations(members))
    assert not list(deploy_drift.find(Subject(drifted, family=Family(tuple(beside)))))


LOAD = """
import sys, caffe
caffe.Net("same.prototxt", caffe.TEST).save("w.caffemodel")
caffe.Net("drifted.prototxt", caffe.TEST).copy_from("w.caffemodel")
"""


@pytest.mark.caffe
@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("fires", "Cannot copy param 0 weights from layer 'fc'; shape mismatch"),
        ("stride-and-bias", "Incompatible number of blobs for layer conv2"),
        ("renamed", ""),
        ("lost-relu", ""),
        ("lost-layer", "Cannot copy param 0 weights from layer 'fc'; shape mismatch"),  # smaller by two
    ],
)
def test_weights_fit_or_not_as_foretold(caffe_python: str, tmp_path: Path, case: str, words: str) -> None:
    """Where shapes drift Caffe aborts; all else it loads without a word."""
    (tmp_path / "same.prototxt").write_text(DEPLOY)
    (tmp_path / "drifted.prototxt").write_text((GOLDEN / "deploy-drift" / case / "before.prototxt").read_text())
    command = [caffe_python, "-c", LOAD]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode != 0) == bool(words), done.stderr[-2000:]
    assert words in done.stderr


@pytest.mark.slow
def test_drift_is_found_in_real_pairs(shared: Path) -> None:
    """A deploy net of the corpus with another number of outputs, or a layer renamed, drifts."""
    families, pairs, found = Families(), 0, 0
    for path in corpus_files():
        text = path.read_bytes().decode("latin-1")
        try:
            document = parse(text)
        except PrototxtError:
            continue
        kin = families.of(str(path), path.read_bytes())
        if kin.train_net(document) is None or list(deploy_drift.find(Subject(document, family=kin))):
            continue
        outputs = list(re.finditer(r"num_output: *(\d+)", text))
        for match in outputs[:1] + outputs[-1:]:
            changed = text[: match.start(1)] + "7" + text[match.end(1) :]
            pairs += 1
            found += bool(list(deploy_drift.find(Subject(parse(changed), family=kin))))
    assert pairs > 100
    assert found > 0.85 * pairs
