"""Families: which files are read with a file, and what depends on them."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from caffefix.caffe.family import Family, Member
from caffefix.findings import Subject
from caffefix.fixers import fixers
from caffefix.fixers.family import deploy_drift
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.zoo.family import Families
from tests.conftest import corpus_files
from tests.support.golden import GOLDEN, caffefix

SOLVER = 'net: "%s"\nbase_lr: 0.01\nlr_policy: "fixed"\nmax_iter: 10\n'
DEPLOY = (GOLDEN / "deploy-drift/same-net-is-silent/before.prototxt").read_text()
TRAIN = (GOLDEN / "deploy-drift/same-net-is-silent/beside/before_train_val.prototxt").read_text()

TRAINED = (GOLDEN / "mirror-in-test/named-as-test-net/before.prototxt").read_text().replace("mirror: true", "")


def family(path: Path, *roots: Path) -> Family:
    return Families([str(root) for root in roots]).of(str(path), path.read_bytes())


def test_fixers_say_that_they_need_the_family() -> None:
    needing = {fixer.name for fixer in fixers() if fixer.needs_family}
    own = {"deploy-drift", "huge-weight-decay", "missing-deploy-scale", "missing-net-file", "train-source-in-test"}
    own |= {"legacy-v1-layers"}  # a net beside it may be for a Caffe that knows V1 alone
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


NAMED = 'base_lr: 0.01\nlr_policy: "fixed"\nmax_iter: 10\n'


def roles(folder: Path, *options: str) -> dict[str, str]:
    """The roles of the files in a folder, as the JSON report has them."""
    done = caffefix("--check", "--format", "json", *options, ".", cwd=folder)
    return {os.path.normpath(file["path"]): file["role"] for file in json.loads(done.out)["files"]}


@pytest.mark.parametrize(
    ("solvers", "role"),
    [
        (['train_net: "train.prototxt"', 'test_net: "val.prototxt"'], "test"),
        (['train_net: "train.prototxt"\ntest_net: "val.prototxt"'], "test"),
        (['net: "train.prototxt"\ntest_net: "up/val.prototxt"'], "train"),  # it is elsewhere
        (['train_net: "val.prototxt"\ntest_net: "val.prototxt"'], "train"),
        (['train_net: "val.prototxt"', 'test_net: "val.prototxt"'], "train"),
        (['net: "val.prototxt"'], "train"),
        ([], "train"),
    ],
)
@pytest.mark.parametrize("options", [(), ("--select", "mirror-in-test"), ("--jobs", "2")])
def test_a_net_that_solvers_only_test_with_is_a_test_net(
    tmp_path: Path, solvers: list[str], role: str, options: tuple[str, ...]
) -> None:
    for name in ("train", "val"):
        (tmp_path / f"{name}.prototxt").write_text(TRAINED)
    for number, text in enumerate(solvers):
        (tmp_path / f"solver{number}.prototxt").write_text(f"{text}\n{NAMED}")
    assert roles(tmp_path, *options)["val.prototxt"] == role
    assert roles(tmp_path, *options)["train.prototxt"] == "train"


def test_a_cache_knows_who_names_a_file(tmp_path: Path) -> None:
    """The same net beside the same solver, which trains files of one name and tests with those of the other."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.prototxt").write_text(TRAINED)
        (tmp_path / name / "solver.prototxt").write_text(
            'train_net: "a.prototxt"\ntest_net: "b.prototxt"\n' + NAMED
        )
    for options in ((), ("--select", "mirror-in-test")) * 2:
        found = roles(tmp_path, "--cache-dir", str(tmp_path / "cache"), *options)
        assert (found["a/a.prototxt"], found["b/b.prototxt"]) == ("train", "test")


def test_a_net_that_is_only_tested_may_drop_everything(tmp_path: Path) -> None:
    dropout = 'layer { name: "d" type: "Dropout" bottom: "data" top: "data" dropout_param { dropout_ratio: 1 } }\n'
    (tmp_path / "val.prototxt").write_text(TRAINED.replace("layer {", dropout + "layer {", 1))
    select = ("--check", "--select", "dropout-of-everything", "val.prototxt")
    assert b"dropout-of-everything" in caffefix(*select, cwd=tmp_path).out
    (tmp_path / "solver.prototxt").write_text('net: "train.prototxt"\ntest_net: "val.prototxt"\n' + NAMED)
    assert b"dropout-of-everything" not in caffefix(*select, cwd=tmp_path).out


def test_nets_inside_a_solver_are_known_by_their_field(tmp_path: Path) -> None:
    text = f"train_net_param {{ {TRAINED} }}\ntest_net_param {{ {TRAINED} }}\n{NAMED}"
    subject = Subject(parse(text))
    assert [subject.role(net).value for net in subject.nets] == ["train", "test"]


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


DRIFTED = DEPLOY.replace("num_output: 10\n", "num_output: 11\n")
TRAINS = 'net: "%s"\n' + NAMED


@pytest.mark.parametrize(
    ("deploy", "beside", "trained", "partner"),
    [
        ("deploy", ["train_val"], "", "train_val"),
        ("vgg_deploy", ["vgg_train"], "", "vgg_train"),
        ("deploy-VGG16", ["vgg_16_train_val"], "", "vgg_16_train_val"),
        ("lenet", ["lenet_train_test"], "", "lenet_train_test"),
        ("deploy", ["vgg_train"], "", "vgg_train"),  # the only one there is
        ("deploy", ["vgg_train", "alexnet_train"], "", ""),
        ("deploy", ["vgg_train", "alexnet_train"], "vgg_train", "vgg_train"),
        ("deploy", ["train", "alexnet_train"], "", "train"),
        ("vgg_deploy", ["train_val"], "", ""),
        ("vgg_voc_deploy", ["vgg_coco_train"], "", ""),
        ("vgg_voc_deploy", ["vgg_coco_train"], "vgg_coco_train", ""),
        ("vgg_voc_deploy", ["vgg_coco_train", "vgg_voc_train"], "vgg_coco_train", "vgg_voc_train"),
        ("deploy_fast", ["train", "train_fast"], "train", "train_fast"),
        ("deploy", ["train", "train_val"], "train_val", "train_val"),
        ("deploy", ["train", "train_val"], "train", "train"),
    ],
)
def test_solvers_and_names_decide_what_belongs_together(
    tmp_path: Path, deploy: str, beside: list[str], trained: str, partner: str
) -> None:
    for name in beside:
        (tmp_path / f"{name}.prototxt").write_text(TRAIN)
    if trained:
        (tmp_path / "solver.prototxt").write_text(TRAINS % f"{trained}.prototxt")
    (tmp_path / f"{deploy}.prototxt").write_text(DRIFTED)
    pair = family(tmp_path / f"{deploy}.prototxt").train_net(parse(DRIFTED))
    assert (pair[0].name if pair is not None else "") == (f"{partner}.prototxt" if partner else "")
    told = caffefix("--check", "--select", "deploy-drift", f"{deploy}.prototxt", cwd=tmp_path).out
    assert (b"deploy-drift" in told) == bool(partner)


def test_a_net_that_is_only_tested_is_no_train_net(tmp_path: Path) -> None:
    (tmp_path / "val.prototxt").write_text(TRAIN)
    (tmp_path / "deploy.prototxt").write_text(DRIFTED)
    assert family(tmp_path / "deploy.prototxt").train_net(parse(DRIFTED)) is not None
    (tmp_path / "solver.prototxt").write_text('train_net: "elsewhere"\ntest_net: "val.prototxt"\n' + NAMED)
    assert family(tmp_path / "deploy.prototxt").train_net(parse(DRIFTED)) is None


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
