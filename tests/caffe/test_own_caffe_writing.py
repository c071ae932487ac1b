"""Nothing is written that a repository's own Caffe cannot read."""

from __future__ import annotations

from pathlib import Path

import pytest

from caffefix.caffe.caffes import Caffes
from caffefix.caffe.dialect import judge, root_type
from caffefix.caffe.family import Family
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.results import Status
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source
from caffefix.zoo.own_caffe import OwnCaffes
from tests.conftest import corpus_files
from tests.support import patches
from tests.support.golden import caffefix

pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install 'caffefix[test]'")

from tests.support.own_caffes import EPOCHS, USUAL, classes, make, trouble
from tests.support.own_repositories import PROTO, TRAIN, write

V1 = """name: "net"
layers {
  name: "data" type: DATA top: "data" top: "label"
  data_param { source: "train" batch_size: 1 scale: 0.00390625 }
}
layers {
  name: "conv" type: CONVOLUTION bottom: "data" top: "conv" blobs_lr: 1 blobs_lr: 2
  convolution_param { num_output: 3 kernel_size: 1 weight_filler { type: "xavier" } }
}
layers { name: "ip" type: INNER_PRODUCT bottom: "conv" top: "ip" inner_product_param { num_output: 2 } }
layers { name: "loss" type: SOFTMAX_LOSS bottom: "ip" bottom: "label" }
"""
V2_INPUT = """name: "net"
input: "data"
input_dim: 1
input_dim: 3
input_dim: 4
input_dim: 4
layer {
  name: "conv"
  type: "Convolution"
  bottom: "data"
  top: "conv"
  convolution_param { num_output: 3 kernel_size: 1 weight_filler { type: "xavier" } }
}
"""


def repaired(root: Path, text: str) -> str:
    path = write(root / "models/net.prototxt", text)
    assert caffefix("--unsafe", path.name, cwd=path.parent).status in (0, 1)
    return path.read_text()


def test_a_caffe_of_2014_keeps_its_layers(tmp_path: Path) -> None:
    """Its weights are filled all the same."""
    new = repaired(make(tmp_path / "own", EPOCHS["2014"]), V1)
    assert "layers {" in new
    assert "layer {" not in new
    assert 'weight_filler {\n      type: "xavier"' in new.replace("weight_filler { ", "weight_filler {\n      ")
    assert "layer {" in repaired(make(tmp_path / "today", EPOCHS["today"]), V1)


def test_a_caffe_of_2015_keeps_its_input_fields(tmp_path: Path) -> None:
    assert repaired(make(tmp_path / "own", EPOCHS["2015"]), V2_INPUT) == V2_INPUT
    assert 'type: "Input"' in repaired(make(tmp_path / "today", EPOCHS["today"]), V2_INPUT)


def test_a_caffe_of_2015_keeps_its_solver_type(tmp_path: Path) -> None:
    solver = 'net: "net.prototxt"\nbase_lr: 0.1\nlr_policy: "fixed"\nmax_iter: 10\nsolver_type: ADAGRAD\n'
    assert "solver_type: ADAGRAD" in repaired(make(tmp_path / "own", EPOCHS["2015"]), solver)
    assert 'type: "AdaGrad"' in repaired(make(tmp_path / "today", EPOCHS["today"]), solver)


def test_what_is_held_back_says_why(tmp_path: Path) -> None:
    """A patch of the user's writes what this Caffe has not; nothing else is held back for it."""
    root = make(tmp_path / "own", EPOCHS["2015"])
    net = write(root / "models/net.prototxt", V2_INPUT)
    body = (
        '  layer {\n    convolution_param {\n      weight_filler {\n-       type: "xavier"\n+       type: "msra"\n'
    )
    patch = patches.write(tmp_path, "to-msra", "", f"{body}      }}\n      ...\n    }}\n    ...\n  }}\n")
    done = caffefix("--patch", patch, "--unsafe", "--notes", net.name, cwd=net.parent)
    assert net.read_text() == V2_INPUT
    said = " ".join(done.out.decode().split())
    assert 'not written, because this repository\'s Caffe could not read it: "Unknown filler name: msra"' in said
    caffefix("--patch", patch, "--unsafe", "--dialect", "bvlc", net.name, cwd=net.parent)
    assert net.read_text() == V2_INPUT.replace("xavier", "msra")


def test_no_deploy_net_is_made_that_it_cannot_read(tmp_path: Path) -> None:
    """Caffe of 2015 has no Input layer."""
    for epoch, status in (("2015", 2), ("today", 0)):
        root = make(tmp_path / epoch, EPOCHS[epoch])
        net = write(root / "models/train.prototxt", TRAIN)
        done = caffefix(
            "deploy", "--input-shape", "data=1,3,8,8", net.name, "-o", "deploy.prototxt", cwd=net.parent
        )
        assert done.status == status, done.err
        assert (b"does-not-load: this repository's Caffe could not read the result" in done.err) == bool(status)
        assert (net.parent / "deploy.prototxt").exists() != bool(status)


def test_no_net_is_rescaled_to_what_it_cannot_read(repository: Path) -> None:
    fields = (
        "message TransformationParameter { optional float scale = 1; } message DataParameter { optional string "
    )
    fields += "source = 1; optional uint32 batch_size = 4; }"
    layer = "message LayerParameter {\n optional DataParameter data_param = 107; "
    layer += "optional TransformationParameter transform_param = 100;"
    write(repository / USUAL, PROTO.replace("message LayerParameter {", layer) + fields)
    text = TRAIN.replace(" mean_value: 104", "").replace('layer { name: "loss"', 'layer { name: "loss" #')
    net = write(repository / "models/train.prototxt", text.partition("layer { name")[0])
    done = caffefix("rescale-input", "--stored", "0..1", net.name, cwd=net.parent)
    assert (done.status, net.read_text() != text) == (0, True), done.err
    write(net, text.partition("layer { name")[0])
    done = caffefix("rescale-input", "--stored=-1..1", net.name, cwd=net.parent)
    assert done.status == 2
    assert b"does-not-load: this repository's Caffe could not read the result" in done.err


def epoch_files(every: int, part: int) -> list[Path]:
    files = [path for path in corpus_files() if path.suffix in (".prototxt", ".pt", ".prototext")]
    return files[part::every]


def check_epoch(epoch: str, every: int, part: int, folder: Path) -> None:
    """Our verdict is that of a class compiled from the proto; and what the class reads, it reads repaired."""

    root = make(folder / epoch, EPOCHS[epoch])
    proto = root / USUAL
    assert set(classes(proto)) == {"NetParameter", "SolverParameter"}
    caffes = OwnCaffes().of(str(root)).caffes
    assert caffes is not None
    request = Request(Selection(unsafe=True))
    read = changed = 0
    for path in epoch_files(every, part):
        data = path.read_bytes()
        try:
            document = parse(data.decode("latin-1"))
        except PrototxtError:
            continue
        kind = root_type(document)
        if kind is None:
            continue
        before = trouble(proto, kind, data)
        verdict = judge(document, caffes=caffes)
        assert verdict is not None
        assert bool(verdict.accepting & caffes.own) == (not before), (path, before)
        result = repair(Source(str(path), data), request, family=Family(caffes=caffes))
        assert result.status is not Status.REFUSED, (path, result.reason)
        if not before:
            read += 1
        if result.new is not None and not before:
            changed += 1
            assert not trouble(proto, kind, result.new), path
            assert _lacking(caffes, result.new) <= _lacking(caffes, data), path
    if every == 4 and epoch != "2013":  # of a quarter of the corpus
        assert read > 4
        assert changed > 0


def _lacking(caffes: Caffes, data: bytes) -> int:
    """How many names of a file this Caffe does not register."""
    from caffefix.caffe.needs import uses

    return sum(bool(use.lacking & caffes.own) for use in uses(parse(data.decode("latin-1")), caffes))


@pytest.mark.parametrize("epoch", EPOCHS)
def test_what_is_written_can_be_read_sample(epoch: str, shared: Path, tmp_path: Path) -> None:
    check_epoch(epoch, 40, 0, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("epoch", EPOCHS)
@pytest.mark.parametrize("part", range(4))
def test_what_is_written_can_be_read(epoch: str, part: int, shared: Path, tmp_path: Path) -> None:
    """All files of the corpus, in four parts, so that several processes share them."""
    check_epoch(epoch, 4, part, tmp_path)
