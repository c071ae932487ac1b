"""``caffefix deploy``: what it makes, what it refuses, and what OpenCV and real Caffe say of it."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest

from caffefix.caffe.graph import graph
from caffefix.caffe.net import Net, Phase
from caffefix.caffe.roles import Role, file_role
from caffefix.caffe.shapes import infer
from caffefix.syntax.parse import parse
from caffefix.zoo.files import FileError, write
from tests.conftest import ROOT, corpus_files
from tests.support.caffe_nets import Job, ask
from tests.support.deploy_goldens import deploy_cases, deployed
from tests.support.deploying import Made, is_train_net, make, opencv
from tests.support.golden import caffefix

DATA = """layer {
  name: "data"
  type: "MemoryData"
  top: "data"
  top: "label"
  memory_data_param { batch_size: 4 channels: 3 height: 8 width: 8 }
}
"""
FC = 'layer { name: "fc" type: "InnerProduct" bottom: "data" top: "fc" inner_product_param { num_output: 5 } }\n'
LOSS = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "fc" bottom: "label" top: "loss" }\n'


@pytest.mark.parametrize("case", deploy_cases(), ids=lambda case: case.name)
def test_golden(case: Path) -> None:
    done = deployed(case)
    assert done.status == 0
    assert done.out == (case / "deploy.prototxt").read_bytes()
    assert done.err == (case / "report.txt").read_bytes()


@pytest.mark.parametrize("case", deploy_cases(), ids=lambda case: case.name)
def test_a_deploy_net_is_one_and_fits(case: Path) -> None:
    """No data, no loss, no rules; each bottom is made, and the shapes fit."""
    document = parse((case / "deploy.prototxt").read_text())
    net = Net(document.root)
    assert file_role(document) is Role.DEPLOY
    for phase in Phase:
        made = graph(net, phase)
        assert len(made.steps) == len(net.layers)
        assert not made.undefined
        assert not made.redefined
        assert not infer(made, net, phase).problems


@pytest.mark.parametrize("case", deploy_cases(), ids=lambda case: case.name)
def test_comments_survive(case: Path) -> None:
    before, after = ((case / name).read_text() for name in ("train_val.prototxt", "deploy.prototxt"))
    for line in before.splitlines():
        if "#" in line:
            assert line[line.index("#") :].rstrip() in after


def refusal(tmp_path: Path, text: str, *args: str) -> str:
    net = tmp_path / "net.prototxt"
    net.write_text(text)
    done = caffefix("deploy", net.name, *args, cwd=tmp_path)
    assert done.status == 2
    assert done.out == b""
    assert net.read_text() == text
    return done.err.decode()


REFUSALS = {
    "no-loss": (DATA + FC, [], "net.prototxt: no-loss: there is no loss, so this is not a train net"),
    "no-data-layer": (
        FC + LOSS,
        [],
        "net.prototxt: no-data-layer: there is no data layer, so the inputs are unknown",
    ),
    "no-data-above": (
        DATA + 'layer { name: "w" type: "Parameter" top: "w" parameter_param { shape { dim: 2 dim: 3 } } }\n'
        + FC.replace('bottom: "data"', 'bottom: "w"') + LOSS,
        [],
        "no-data-layer: the predictions depend on no data layer",
    ),
    "solver": ("base_lr: 0.1\nnet: 'x'\n", [], "not-a-train-net: its role is 'solver', not train"),
    "not-migrated": (
        'layers { name: "d" type: DATA top: "data" top: "label" data_param { source: "x" batch_size: 1 } }\n'
        'layers { name: "f" type: FANCY bottom: "data" top: "fc" }\n'
        'layers { name: "l" type: SOFTMAX_LOSS bottom: "fc" bottom: "label" }\n',
        [],
        "not-migrated: its layers cannot be migrated to the current format: 2: ",
    ),
    "not-migrated-loss": (
        'layers { name: "d" type: DATA top: "data" top: "label" data_param { source: "x" batch_size: 1 } }\n'
        'layers { name: "f" type: INNER_PRODUCT bottom: "data" top: "fc" inner_product_param { num_output: 2 } }\n'
        'layers { name: "l" type: FANCY bottom: "fc" bottom: "label" top: "l" loss_weight: 1 }\n',
        [],
        "not-migrated: its layers cannot be migrated to the current format: 3: ",
    ),
    "input-fields": (
        'input: "data"\ninput_dim: 1\ninput_dim: 3\ninput_dim: 2\ninput_dim: 2\n' + FC + LOSS
        + 'layer { name: "p" type: "Permute" bottom: "fc" top: "p" permute_param { order: 0 } }\n',
        [],
        "not-migrated: its layers cannot be migrated to the current format: input fields are kept because the "
        "forks that accept the file may have no Input layer",
    ),
    "unknown-input-shape": (
        DATA.replace("MemoryData", "Data")
        .replace("memory_data_param", "transform_param { crop_size: 8 } data_param")
        .replace(" channels: 3 height: 8 width: 8", "") + FC + LOSS,
        [],
        'net.prototxt:1:1: unknown-input-shape: layer "data" of type Data does not define the whole shape of '
        "'data' (1,?,8,8); give it with --input-shape N,C,H,W",
    ),
    "python-data": (
        'layer { name: "p" type: "Python" top: "data" top: "label" python_param { module: "m" layer: "L" } }\n'
        + FC + LOSS,
        [],
        'layer "p" of type Python does not define the whole shape of \'data\' (not known)',
    ),
    "several-inputs": (
        DATA + DATA.replace('"data"', '"more"').replace('"label"', '"_"')
        + 'layer { name: "sum" type: "Eltwise" bottom: "data" bottom: "more" top: "sum" }\n'
        + FC.replace('bottom: "data"', 'bottom: "sum"') + LOSS,
        ["--input-shape", "1,3,4,4"],
        "several-inputs: there are 2 inputs; give --input-shape data=… and more=…",
    ),
    "unknown-input": (
        DATA + FC + LOSS,
        ["--input-shape", "image=1,3,4,4"],
        "unknown-input: --input-shape names 'image', but the inputs are data",
    ),
    "unknown-output": (
        DATA + FC + LOSS, ["--output", "loss"],
        "unknown-output: no layer of phase TEST produces a blob 'loss'; losses read 'fc'",
    ),
    "unknown-stage": (
        DATA + FC + LOSS, ["--stage", "deploy"], "unknown-stage: the net has no stage 'deploy'; it has no stages",
    ),
    "unknown-bottom": (
        DATA + FC.replace('bottom: "data"', 'bottom: "x"').replace('name: "fc"', 'name: "fc" param { lr_mult: 1 }')
        + LOSS + 'layer { name: "s" type: "Split" bottom: "data" top: "x" include { stage: "a" } }\n',
        [],
        "net.prototxt:8:1: unknown-bottom: layer \"fc\" reads 'x', which no layer produces in phase TEST "
        "(the net has stages: --stage a)",
    ),
    "unknown-loss": (
        DATA + FC + 'layer { name: "sum" type: "Reduction" bottom: "fc" top: "sum" loss_weight: 1 }\n',
        [],
        'net.prototxt:9:1: unknown-loss: layer "sum" of type Reduction is a loss because of its loss_weight: '
        "nothing shows which of its bottoms is the prediction; name the blobs to keep with --output",
    ),
    "nothing-learned": (
        DATA + 'layer { name: "fc" type: "Flatten" bottom: "data" top: "fc" }\n' + LOSS,
        [],
        "nothing-learned: no loss reads a blob that depends on a layer with weights; give --output BLOB",
    ),
    "targets-inside": (
        DATA + 'layer { name: "pick" type: "Python" bottom: "data" bottom: "label" top: "roi" top: "target" }\n'
        + FC.replace('bottom: "data"', 'bottom: "roi"') + LOSS.replace('"label"', '"target"'),
        [],
        "net.prototxt:8:1: targets-inside: layer \"pick\" produces 'target', the target of a loss, and also a "
        "blob that the predictions need: it cannot run without labels; replace it with what deployment uses "
        "instead",
    ),
    "scales-differ": (
        DATA.replace("memory", "include { phase: TRAIN } transform_param { scale: 0.5 } memory")
        + DATA.replace("memory", "include { phase: TEST } memory") + FC + LOSS,
        [],
        "net.prototxt:6:46: scales-differ: layer \"data\" scales 'data' by 0.5, another phase by 1: nothing shows "
        "which one the weights are for",
    ),
    "does-not-load": (
        DATA + FC.replace("num_output: 5", "axis: 7 num_output: 5") + LOSS,
        [],
        'does-not-load: Caffe would refuse the result: layer "fc": ',
    ),
    "missing-num-output": (
        DATA + FC.replace("num_output: 5", "bias_term: false") + LOSS,
        [],
        'net.prototxt:8:1: missing-num-output: layer "fc" does not say how many outputs it has: '
        "set its num_output",
    ),
    "does-not-parse": ("layer {\n", [], "net.prototxt:"),
    "not-proved": (
        "layer [" + ", ".join(part.split("layer", 1)[1].strip() for part in (DATA, FC, LOSS)) + "]\n",
        [],
        "not-proved: an element of the list layer cannot be deleted alone",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_are_named(name: str, tmp_path: Path) -> None:
    text, args, message = REFUSALS[name]
    said = refusal(tmp_path, text, *args)
    assert said.startswith("error: ")
    assert message in said


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--input-shape", "3x"], "'3x' is not a shape; write 1,3,224,224 or BLOB=1,3,224,224"),
        (["--input-shape", "1,3", "--input-shape", "a=1,3"], "give one shape per input, as BLOB=N,C,H,W"),
        (["--force"], "--force allows FILE to be replaced: give -o FILE as well"),
    ],
)
def test_wrong_usage(args: list[str], message: str, tmp_path: Path) -> None:
    assert message in " ".join(refusal(tmp_path, DATA + FC + LOSS, *args).split())


def test_a_named_output_alone_is_kept(tmp_path: Path) -> None:
    net = tmp_path / "net"
    net.write_text(DATA + FC + 'layer { name: "sum" type: "Reduction" bottom: "fc" top: "s" loss_weight: 1 }\n')
    done = caffefix("deploy", "net", "--output", "fc", cwd=tmp_path)
    assert done.status == 0
    assert Net(parse(done.out.decode()).root).layers[-1].name == "fc"


def test_a_deploy_stage_says_itself_that_it_does_not_scale(tmp_path: Path) -> None:
    """The Input layer of a stage for deployment is its author's: no Power layer is added."""
    stage = 'include { stage: "deploy" }'
    data = DATA.replace("memory", 'transform_param { scale: 0.5 } exclude { stage: "deploy" } memory')
    own = 'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } ' + stage + " }\n"
    soft = 'layer { name: "soft" type: "Softmax" bottom: "fc" top: "soft" ' + stage + " }\n"
    (tmp_path / "net").write_text(data + own + FC + LOSS.replace(" }", ' exclude { stage: "deploy" } }') + soft)
    done = caffefix("deploy", "net", "--stage", "deploy", cwd=tmp_path)
    assert done.status == 0, done.err
    assert [layer.type for layer in Net(parse(done.out.decode()).root).layers] == [
        "Input",
        "InnerProduct",
        "Softmax",
    ]


def test_an_input_of_phase_test_is_no_word_on_scale(tmp_path: Path) -> None:
    """TRAIN scales, and who feeds TEST is not told: nothing says what the deploy net should do."""
    data = DATA.replace("memory", "transform_param { scale: 0.5 } include { phase: TRAIN } memory")
    own = 'layer { name: "in" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 } } '
    text = data + own + "include { phase: TEST } }\n" + FC + LOSS
    assert "scales-differ: layer \"data\" scales 'data' by 0.5, another phase by 1" in refusal(tmp_path, text)


def test_what_python_does_to_pixels_is_told(tmp_path: Path) -> None:
    data = 'layer { name: "p" type: "Python" top: "data" top: "label" python_param { module: "m" layer: "L" } }\n'
    (tmp_path / "net").write_text(data + FC + LOSS)
    done = caffefix("deploy", "net", "--input-shape", "1,3,4,4", cwd=tmp_path)
    assert done.status == 0
    assert 'data layer "p" was Python: only its code shows what it did to pixels' in done.err.decode()


def test_what_is_evaluated_with_labels_stays(tmp_path: Path) -> None:
    """An output that only an evaluation reads is what the net is for."""
    more = (
        'layer { name: "out" type: "DetectionOutput" bottom: "fc" top: "out" include { phase: TEST } }\n'
        'layer { name: "eval" type: "DetectionEvaluate" bottom: "out" bottom: "label" top: "eval" '
        "include { phase: TEST } }\n"
    )
    (tmp_path / "net").write_text(DATA + FC + LOSS.replace(" }", " include { phase: TRAIN } }") + more)
    done = caffefix("deploy", "net", cwd=tmp_path)
    assert [layer.name for layer in Net(parse(done.out.decode()).root).layers][-1] == "out"
    assert b"dropped eval (not needed)" in done.err


def test_batch_norm_of_its_own_batch_is_told(tmp_path: Path) -> None:
    norm = (
        'layer { name: "bn" type: "BatchNorm" bottom: "fc" top: "fc" batch_norm_param { use_global_stats: X } }\n'
    )
    for value, told in (("false", True), ("true", False)):
        (tmp_path / "net").write_text(DATA + FC + norm.replace("X", value) + LOSS)
        done = caffefix("deploy", "net", cwd=tmp_path)
        said = '1 BatchNorm layers ("bn" first) have use_global_stats: false: they normalise by the batch'
        assert (said in done.err.decode()) is told


def test_python_in_the_net_is_told(tmp_path: Path) -> None:
    layer = 'layer { name: "py" type: "Python" bottom: "data" top: "p" python_param { module: "m" layer: "L" } }\n'
    (tmp_path / "net").write_text(DATA + layer + FC.replace('bottom: "data"', 'bottom: "p"') + LOSS)
    done = caffefix("deploy", "net", cwd=tmp_path)
    assert 'note    layer "py" is Python: its module is needed to run the net' in done.err.decode()


TRUNK = DATA + FC.replace('"fc"', '"trunk"')
SIDE = FC.replace('"fc"', '"side"').replace('bottom: "data"', 'bottom: "trunk"')
SIDE_LOSS = 'layer { name: "loss1" type: "SoftmaxWithLoss" bottom: "side" bottom: "label" loss_weight: 0.3 }\n'
MAIN = FC.replace('bottom: "data"', 'bottom: "trunk"')
MEAN = 'layer { name: "all" type: "Eltwise" bottom: "side" bottom: "fc" top: "all" }\n'
HEADS = {
    "helper": (TRUNK + SIDE + SIDE_LOSS + MAIN + LOSS, ["prob"]),
    "helper after the main loss": (TRUNK + MAIN + LOSS + SIDE + SIDE_LOSS, ["prob"]),
    "equal weight": (TRUNK + SIDE + SIDE_LOSS.replace("0.3", "1") + MAIN + LOSS, ["loss1_prob", "prob"]),
    "combined": (TRUNK + SIDE + SIDE_LOSS + MAIN + LOSS + MEAN, ["loss1_prob", "prob", "all"]),
    "of the trunk": (
        TRUNK + SIDE + SIDE_LOSS + MAIN.replace('"trunk"', '"side"') + LOSS, ["loss1_prob", "prob"],
    ),
    "of other labels": (
        TRUNK.replace('top: "label"', 'top: "label" top: "more"') + SIDE + SIDE_LOSS.replace('"label"', '"more"')
        + MAIN + LOSS,
        ["loss1_prob", "prob"],
    ),
    "of another kind": (
        TRUNK + SIDE + SIDE_LOSS.replace("SoftmaxWithLoss", "HingeLoss") + MAIN + LOSS, ["side", "prob"],
    ),
    "of another trunk": (
        TRUNK + SIDE.replace('"trunk"', '"data"') + SIDE_LOSS + MAIN + LOSS, ["loss1_prob", "prob"],
    ),
    "with a loss of its own": (
        TRUNK + SIDE + SIDE_LOSS + MAIN + LOSS
        + 'layer { name: "l2" type: "EuclideanLoss" bottom: "side" bottom: "label" }\n',
        ["loss1_prob", "prob"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("which", HEADS)
def test_auxiliary_heads(which: str, tmp_path: Path) -> None:
    """Only a head that another one of the same trunk and labels outweighs, and that nothing else needs."""
    text, outputs = HEADS[which]
    (tmp_path / "net").write_text(text)
    done = caffefix("deploy", "net", cwd=tmp_path)
    assert done.status == 0, done.err
    told = [line.split()[1] for line in done.err.decode().splitlines() if line.startswith("output")]
    assert sorted(told) == sorted(outputs)
    assert (b"auxiliary" in done.err) == (len(outputs) == 1)
    kept = caffefix("deploy", "net", "--keep-auxiliary", cwd=tmp_path)
    assert b"auxiliary" not in kept.err
    assert (kept.out == done.out) == (len(outputs) > 1)
    layers = []
    for document in (parse(found.out.decode()) for found in (done, kept)):
        nodes = [layer.node for layer in Net(document.root).layers]
        layers.append({node.string("name"): document.text[node.offset : node.end].strip() for node in nodes})
    assert layers[0].items() <= layers[1].items()


def test_a_named_output_is_kept_whatever_it_is(tmp_path: Path) -> None:
    (tmp_path / "net").write_text(HEADS["helper"][0])
    done = caffefix("deploy", "net", "--output", "side", cwd=tmp_path)
    assert (done.status, b"output  prob" in done.err, b"auxiliary" in done.err) == (0, True, False)
    assert b'bottom: "side"' in done.out


def test_very_many_heads_take_no_longer(tmp_path: Path) -> None:
    """Each would have to be compared with the whole net: so many are no helpers of one trunk."""
    heads = "".join(
        (SIDE + SIDE_LOSS).replace("side", f"side{i}").replace("loss1", f"aux{i}") for i in range(2000)
    )
    (tmp_path / "net").write_text(TRUNK + heads + MAIN + LOSS)
    begun = time.monotonic()
    done = caffefix("deploy", "net", cwd=tmp_path)
    assert (done.status, done.err.count(b"\noutput ")) == (0, 2001)
    assert time.monotonic() - begun < 30


LMDB = DATA.replace("MemoryData", "Data").replace("memory_data_param", "data_param")
LMDB = LMDB.replace(" channels: 3 height: 8 width: 8", "")
PAIR = (
    LMDB + LMDB.replace('"data"', '"my data"').replace('"label"', '"_"').replace("data_param", "transform_param {"
    " crop_size: 9 mean_value: 1 mean_value: 2 mean_value: 3 } data_param")
    + 'layer { name: "sum" type: "Concat" bottom: "data" bottom: "my data" top: "sum" concat_param { axis: 2 } }\n'
    + FC.replace('bottom: "data"', 'bottom: "sum"') + LOSS
)  # fmt: skip
COMMANDS = {
    "nothing known": (LMDB + FC + LOSS, [], "--input-shape 1,C,H,W"),
    "size known": (
        LMDB.replace("data_param", "transform_param { crop_size: 8 } data_param") + FC + LOSS,
        ["--strip", "-o", "my deploy.prototxt"],
        "-o 'my deploy.prototxt' --strip --input-shape 1,C,8,8",
    ),
    "several": (PAIR, ["--input-shape", "data=1,3,9,9"], ""),
    "none of several": (PAIR, ["--output", "fc"], "--output fc --input-shape data=1,C,H,W"),
    "one for several": (PAIR, ["--input-shape", "1,3,9,9"], "--input-shape data=1,C,H,W"),
    "another name": (LMDB + FC + LOSS, ["--input-shape", "image=1,3,9,9"], "--input-shape 1,C,H,W"),
    "some given": (
        PAIR.replace("crop_size: 9", ""), ["--input-shape", "data=1,3,9,9"],
        "--input-shape data=1,3,9,9 --input-shape 'my data=1,3,H,W'",
    ),
}  # fmt: skip


@pytest.mark.parametrize("which", COMMANDS)
def test_the_command_to_paste(which: str, tmp_path: Path) -> None:
    """It has what is known; with the capitals replaced, the shell runs it, and there is a net."""
    text, args, words = COMMANDS[which]
    (tmp_path / "a $net").write_text(text)
    done = caffefix("deploy", "a $net", *args, cwd=tmp_path)
    if not words:
        assert done.status == 0
        return
    (line,) = [line for line in done.err.decode().splitlines() if line.startswith("next: ")]
    assert line == f"next: caffefix deploy 'a $net' {words}"
    filled = line.removeprefix("next: caffefix ").replace("C,", "3,").replace("H,W", "9,9")
    again = caffefix(*shlex.split(filled), cwd=tmp_path)
    assert again.status == 0, again.err
    assert b'"Input"' in (again.out or (tmp_path / "my deploy.prototxt").read_bytes())


def test_a_file_that_appears_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new"
    path.write_text("theirs")
    with pytest.raises(FileError, match="not written: the file already exists"):
        write(str(path), None, b"mine")
    assert path.read_text() == "theirs"
    assert [p.name for p in tmp_path.iterdir()] == ["new"]


def test_standard_input_and_output_file(tmp_path: Path) -> None:
    """A file that is there is replaced only with --force; the train net is never touched."""
    text = (DATA + FC + LOSS).encode()
    done = caffefix("deploy", "-", cwd=tmp_path, stdin=text)
    assert done.status == 0
    out = tmp_path / "deploy.prototxt"
    assert caffefix("deploy", "-", "-o", "deploy.prototxt", cwd=tmp_path, stdin=text).out == b""
    assert out.read_bytes() == done.out
    out.write_text("mine")
    again = caffefix("deploy", "-", "-o", "deploy.prototxt", cwd=tmp_path, stdin=text)
    assert again.status == 2
    assert b"not written: the file already exists; --force replaces it" in again.err
    assert out.read_text() == "mine"
    assert caffefix("deploy", "-", "-o", "deploy.prototxt", "--force", cwd=tmp_path, stdin=text).status == 0
    assert out.read_bytes() == done.out
    assert [path.name for path in tmp_path.iterdir()] == ["deploy.prototxt"]
    nowhere = caffefix("deploy", "-", "-o", "no/such/folder", cwd=tmp_path, stdin=text)
    assert nowhere.status == 2
    assert b"cannot be written" in nowhere.err
    assert caffefix("deploy", "missing", cwd=tmp_path).status == 2


# ---------------------------------------------------------------- what others say


def test_opencv_reads_the_goldens() -> None:
    pytest.importorskip("cv2")
    nets = [Made(case.name, (case / "deploy.prototxt").read_text(), False) for case in deploy_cases()]
    assert {name: reason for name, reason in opencv(nets).items() if reason} == {}


@pytest.mark.caffe
def test_real_caffe_loads_the_goldens(caffe_python: str) -> None:
    """All but SSD's, whose layers are not BVLC's."""
    jobs = [
        Job(case.name, (case / "deploy.prototxt").read_text(), phase)
        for case in deploy_cases()
        if case.name != "ssd-like"
        for phase in Phase
    ]
    assert [(answer.name, answer.abort) for answer in ask(caffe_python, jobs) if answer.abort] == []


_INPUTS = (
    'layer {{ name: "in" type: "Input" top: "data" top: "{label}" input_param {{ shape {{ {data} }} {rest} }} }}\n'
)
SIDES = {
    "lenet": ("Softmax", "ip", 33, 0.00390625),
    "googlenet-like": ("Softmax", "fc", 110, 1),
    "auxiliary-heads": ("Softmax", "fc", 110, 1),
    "sigmoid": ("Sigmoid", "prob", 0, 1),
}


@pytest.mark.caffe
@pytest.mark.parametrize("name", SIDES)
def test_the_same_weights_give_the_same_outputs(name: str, caffe_python: str) -> None:
    """Phase TEST of the train net against the deploy net, in real Caffe."""
    kind, blob, mean, scale = SIDES[name]
    case = next(case for case in deploy_cases() if case.name == name)
    deploy_text = (case / "deploy.prototxt").read_text()
    fed = Net(parse(deploy_text).root).layers[0]
    dims = " ".join(f"dim: {dim}" for dim in fed.node.message("input_param", "shape").scalars("dim"))  # type: ignore[union-attr]
    document = parse((case / "train_val.prototxt").read_text())
    net = Net(document.root)
    kept = [la.node for la in net.layers if la.is_in(Phase.TEST) and la.bottoms]
    label = net.layers[0].tops[1]
    target = "shape { dim: 1 dim: 5 }" if kind == "Sigmoid" else "shape { dim: 1 }"
    head = _INPUTS.format(label=label, data=dims, rest=target)
    train = head + "".join(document.text[node.offset : node.end].rstrip() + "\n" for node in kept)
    output = Net(parse(deploy_text).root).layers[-1].tops[0]
    job = {
        "train": _filled(train), "deploy": deploy_text, "mean": mean, "scale": scale, "kind": kind,
        "activations": {output: blob},
    }  # fmt: skip
    done = subprocess.run(
        [caffe_python, str(ROOT / "tests" / "support" / "deploy_outputs.py")],
        input=json.dumps(job), capture_output=True, text=True, check=True,
    )  # fmt: skip
    differences = json.loads(done.stdout)
    assert blob in differences
    assert output in differences
    assert max(differences.values()) <= 1e-5, differences


def _filled(text: str) -> str:
    """Weights that are not zero, so that outputs depend on the input."""
    if "weight_filler" in text and text.count("weight_filler") == text.count("num_output"):
        return text
    text = text.replace(' weight_filler { type: "xavier" }', "")
    return text.replace("num_output", 'weight_filler { type: "gaussian" std: 0.01 } num_output')


# ---------------------------------------------------------------- real train nets


def _made(every: int) -> list[Made]:
    return [make(path, strip=True) for path in corpus_files() if is_train_net(path)][::every]


@pytest.mark.slow
def test_all_real_train_nets(shared: Path) -> None:
    """Each is made or refused by name; more than half are made, and OpenCV reads nine in ten of these."""
    nets = _made(1)
    made = [net for net in nets if not net.refused]
    assert all(net.message for net in nets if net.refused)
    assert len(made) > len(nets) / 2
    pytest.importorskip("cv2")
    assert sum(reason is None for reason in opencv(made).values()) >= 0.9 * len(made)


@pytest.mark.slow
@pytest.mark.caffe
def test_real_caffe_loads_all_that_bvlc_has_words_for(shared: Path, caffe_python: str) -> None:
    """It refuses fields, values and layers of forks, layers that take no fifth axis, and nets whose shape was
    not the one given.
    """
    made = [net for net in _made(1) if not net.refused]
    answers = ask(caffe_python, [Job(net.name, net.text, Phase.TEST) for net in made])
    foreign = (
        "has no field named|Unknown enumeration value|Unknown layer type|Expected integer, got|Blobs with > 4 axes"
    )
    given = {net.name for net in made if net.given}
    for answer in answers:
        named = answer.abort is None or re.search(foreign, answer.abort)
        assert named or (answer.name in given and "Cannot share param" in str(answer.abort)), answer
    assert sum(answer.abort is None for answer in answers) > 0.6 * len(made)


def test_a_sample_of_real_train_nets(shared: Path) -> None:
    """Each is made or refused by name, and what is made is a deploy net."""
    sample = [path for path in corpus_files(25) if is_train_net(path)]
    assert len(sample) > 10
    nets = [make(path) for path in sample]
    assert any(not net.refused for net in nets)
    for net in nets:
        if net.refused:
            assert f": {net.refused}: " in net.message
        else:
            document = parse(net.text)
            assert file_role(document) is Role.DEPLOY
            assert not graph(Net(document.root), Phase.TEST).undefined
