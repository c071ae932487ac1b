"""The Caffe that lies in a file's repository is the dialect of the file, and reads what is written."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from caffefix.caffe.caffes import Caffes
from caffefix.caffe.dialect import judge, root_type
from caffefix.caffe.family import Family
from caffefix.caffe.registry import Form, Kind
from caffefix.engine.repair import Request, repair
from caffefix.engine.select import Selection
from caffefix.results import Status
from caffefix.syntax.parse import PrototxtError, parse
from caffefix.syntax.source import Source
from caffefix.zoo import own_caffe
from caffefix.zoo.own_caffe import OwnCaffes
from tests.conftest import corpus_files
from tests.support import patches
from tests.support.golden import caffefix

pytest.importorskip("grpc_tools", reason="grpcio-tools is not installed: pip install 'caffefix[test]'")

from tests.support.own_caffes import EPOCHS, USUAL, classes, make, trouble

PROTO = """
syntax = "proto2";
package caffe;
message NetParameter {
  optional string name = 1;
  repeated LayerParameter layer = 100;
  repeated string input = 3;
  repeated int32 input_dim = 4;
}
message LayerParameter {
  optional string name = 1; optional string type = 2; repeated string bottom = 3; repeated string top = 4;
  optional FancyParameter fancy_param = 200;
  optional InnerProductParameter inner_product_param = 117;
}
message FancyParameter { enum Mode { WARM = 0; COLD = 1; } optional Mode mode = 1; optional float heat = 2; }
message InnerProductParameter { optional uint32 num_output = 1; optional FillerParameter weight_filler = 3; }
message FillerParameter { optional string type = 1 [default = "constant"]; }
"""
SOURCES = """
REGISTER_LAYER_CLASS(FancyAttention);  // REGISTER_LAYER_CLASS(Commented);
REGISTER_LAYER_CREATOR(InnerProduct, GetInnerProduct);
Filler<Dtype>* GetFiller(const FillerParameter& param) {
  if (type == "constant") { } else if (type == "xavier") { } else if (type == "fancy") { }
}
"""
NET = """name: "net"
input: "data"
input_dim: 1
input_dim: 3
input_dim: 4
input_dim: 4
layer {
  name: "fancy"
  type: "FancyAttention"
  bottom: "data"
  top: "fancy"
  fancy_param { heat: 0.5 mode: COLD }
}
layer {
  name: "ip"
  type: "InnerProduct"
  bottom: "fancy"
  top: "ip"
  inner_product_param { num_output: 3 weight_filler { type: "fancy" } }
}
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    write(root / USUAL, PROTO)
    write(root / "src/caffe/layers.cpp", SOURCES)
    write(root / "models/net.prototxt", NET)
    (root / ".git").mkdir()
    return root


def told(root: Path, *args: str) -> list[tuple[str, str, str]]:
    """Name, severity and message of what is found in the repository's net."""
    done = caffefix("--dry-run", "--notes", "--format", "json", *args, "models/net.prototxt", cwd=root)
    assert done.status in (0, 1), done.err
    (file,) = json.loads(done.out)["files"]
    return [(f["name"], f["severity"], f["message"]) for f in file["findings"]]


def names(root: Path, *args: str) -> set[str]:
    return {name for name, _, _ in told(root, *args)}


FOREIGN = {"unknown-field", "unknown-layer-type", "unknown-filler-type", "legacy-input-fields"}


# ---------------------------------------------------------------- what is found


def test_a_net_for_its_own_caffe_has_nothing_unknown(repository: Path) -> None:
    assert names(repository) == set()
    assert names(repository, "--dialect", "bvlc") == FOREIGN


def test_a_bare_proto_says_nothing_of_types(repository: Path) -> None:
    """Sources that are not there register everything."""
    (repository / "src/caffe/layers.cpp").unlink()
    write(repository / "models/net.prototxt", NET.replace("FancyAttention", "Other"))
    assert names(repository) == set()


def test_slips_are_measured_by_the_own_caffe(repository: Path) -> None:
    text = NET.replace("FancyAttention", "FancyAtention").replace("heat:", "heta:").replace("COLD", "COLDD")
    write(repository / "models/net.prototxt", text.replace('type: "fancy"', 'type: "fancyy"'))
    found = {name: (severity, message) for name, severity, message in told(repository)}
    assert set(found) == {"unknown-field", "unknown-enum-value", "unknown-layer-type", "unknown-filler-type"}
    severity, message = found["unknown-layer-type"]
    assert severity == "error"
    assert 'this repository\'s Caffe aborts with "Unknown layer type: FancyAtention"; the nearest is' in message
    assert 'no known fork of Caffe has a field "heta", nor has this repository\'s' in found["unknown-field"][1]
    assert found["unknown-enum-value"][1].endswith("the parser stops here; known values: WARM, COLD")
    assert 'this repository\'s Caffe aborts with "Unknown filler name: fancyy"' in found["unknown-filler-type"][1]


def test_respellings_are_safe_where_the_own_caffe_reads_the_file_then(repository: Path) -> None:
    write(repository / "models/net.prototxt", NET.replace("heat:", "haet:"))
    done = caffefix("models/net.prototxt", cwd=repository)
    assert done.status == 0
    assert (repository / "models/net.prototxt").read_text() == NET


def test_what_others_have_is_told(repository: Path) -> None:
    write(repository / "models/net.prototxt", NET.replace("mode: COLD", "dilation: 2"))
    ((name, severity, message),) = told(repository)
    assert (name, severity) == ("misplaced-field", "error")
    assert "where this repository's Caffe has no such field" in message


def test_a_solver_is_for_the_known_forks_if_the_own_caffe_has_none(repository: Path) -> None:
    write(repository / "models/net.prototxt", 'net: "a"\nbase_lr: 0.1\nlr_policy: "fixed"\nmax_iter: 10\n')
    assert "unknown-field" not in names(repository)


# ---------------------------------------------------------------- where it is found


def is_found(root: Path, *args: str) -> bool:
    found = names(root, *args)
    assert found in (set(), {"unknown-field"})
    return found == set()


def test_the_only_proto_with_layers(repository: Path) -> None:
    (repository / USUAL).rename(repository / "src/layers.proto")
    write(repository / "other.proto", 'syntax = "proto2"; message Other { }')
    assert is_found(repository)
    write(repository / "vendor/caffe.proto", PROTO)
    assert not is_found(repository)  # there are two


def test_the_nearest_of_several(repository: Path) -> None:
    write(repository / "models" / USUAL, PROTO.replace("FancyParameter fancy_param", "FancyParameter plain_param"))
    assert "unknown-field" in names(repository)


@pytest.mark.parametrize("bound", ["git", "root", "folder"])
def test_nothing_beyond_the_repository(repository: Path, bound: str) -> None:
    """Nor is there a search without one: what lies above a file is not the file's for that."""
    (repository / ".git").rmdir()
    if bound == "git":
        assert not is_found(repository)
        (repository / "models/.git").write_text("gitdir: elsewhere")  # a submodule's
        assert not is_found(repository)
    elif bound == "root":
        assert is_found(repository, "--root", ".")
        assert not is_found(repository, "--root", "models")
    else:
        for given, findings in ((".", 0), ("models", 1)):
            done = caffefix("--dry-run", "--notes", "--format", "json", given, cwd=repository)
            (file,) = [f for f in json.loads(done.out)["files"] if f["path"].endswith("net.prototxt")]
            assert len({f["name"] for f in file["findings"]}) == findings


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_links_are_not_followed(repository: Path, tmp_path: Path) -> None:
    (repository / USUAL).rename(tmp_path / "caffe.proto")
    (repository / USUAL).symlink_to(tmp_path / "caffe.proto")
    assert not is_found(repository)
    (repository / USUAL).unlink()
    (repository / "src/caffe/proto").rmdir()
    (tmp_path / "proto").mkdir()
    (tmp_path / "caffe.proto").rename(tmp_path / "proto/caffe.proto")
    (repository / "src/caffe/proto").symlink_to(tmp_path / "proto")
    assert not is_found(repository)


def test_more_than_can_be_searched_is_not_searched(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / USUAL).rename(repository / "layers.proto")
    assert is_found(repository)
    monkeypatch.setattr(own_caffe, "MOST_ENTRIES", 2)
    assert not is_found(repository)


def test_sources_that_cannot_be_read_whole_say_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repository / "models/net.prototxt", NET.replace("FancyAttention", "Other"))
    assert names(repository) == {"unknown-layer-type"}
    with monkeypatch.context() as patch:
        patch.setattr(own_caffe, "LARGEST_SOURCE", 10)
        assert names(repository) == set()
    with monkeypatch.context() as patch:
        patch.setattr(own_caffe, "MOST_BYTES", 10)
        assert names(repository) == set()
    write(repository / "src/caffe/more.cpp", "")
    with monkeypatch.context() as patch:
        patch.setattr(own_caffe, "MOST_SOURCES", 1)
        assert names(repository) == set()


def test_a_proto_that_is_named(repository: Path) -> None:
    (repository / USUAL).rename(repository / "mine.proto")
    write(repository / "other.proto", PROTO.replace("heat", "cold"))
    assert is_found(repository, "--proto", "mine.proto")
    assert "unknown-field" in names(repository, "--proto", "other.proto")
    write(repository / "caffefix.toml", 'proto = "mine.proto"')
    assert is_found(repository)
    assert "unknown-field" in names(repository, "--proto", "other.proto")
    assert names(repository, "--dialect", "bvlc") == FOREIGN
    shown = caffefix("config", "--format", "json", "models", cwd=repository).out
    assert b"mine.proto" in shown


def test_standard_input_has_a_place(repository: Path) -> None:
    done = caffefix(
        "-", "--stdin-filename", "models/other.prototxt", "--dry-run", cwd=repository, stdin=NET.encode()
    )
    assert (done.status, done.out) == (0, b"")


@pytest.mark.parametrize(
    ("args", "config", "words"),
    [
        (("--proto", "none.proto"), "", "none.proto"),
        (("--proto", "models/net.prototxt"), "", "models/net.prototxt:1:1: "),
        (("--proto", "other.proto"), "", "other.proto: it has no LayerParameter"),
        (("--proto", USUAL, "--dialect", "bvlc"), "", "--dialect and --proto cannot both be given"),
        ((), 'proto = "none.proto"', "caffefix.toml: proto: there is no file none.proto"),
        ((), 'proto = "../caffe.proto"', "is not below this file's folder; give it with --proto"),
        ((), 'proto = "/caffe.proto"', "is not below this file's folder; give it with --proto"),
        ((), "proto = 1", "must be a path, but is a number"),
        ((), f'proto = "{USUAL}"\ndialect = "bvlc"', "dialect also names a Caffe"),
        ((), 'proto = "other.proto"', "other.proto: it has no LayerParameter"),
    ],
)
def test_what_cannot_be_the_dialect(repository: Path, args: tuple[str, ...], config: str, words: str) -> None:
    write(repository / "other.proto", 'syntax = "proto2"; message Other { }')
    write(repository.parent / "caffe.proto", PROTO)
    if config:
        write(repository / "caffefix.toml", config)
    done = caffefix(*args, "models/net.prototxt", cwd=repository)
    assert done.status == 2
    assert words in done.err.decode()
    assert (repository / "models/net.prototxt").read_text() == NET


def test_a_proto_that_is_found_and_cannot_be_used_is_a_warning(repository: Path) -> None:
    write(repository / USUAL, PROTO + "message Broken { optional int32 a = 1 optional int32 b = 2; }")
    write(repository / "models/net2.prototxt", NET)
    done = caffefix("--dry-run", "--notes", "models", cwd=repository)
    assert done.status in (0, 1)
    warnings = [line for line in done.err.decode().splitlines() if line.startswith("warning")]
    line = PROTO.count("\n") + 1
    assert warnings == [
        f'warning: {USUAL}:{line}:39: unexpected "optional", expected "[" or ";"; '
        "2 files are judged by the known forks instead"
    ]


def test_imports_of_the_same_folder(repository: Path) -> None:
    head, _, tail = PROTO.partition("message FancyParameter")
    fancy, _, rest = tail.partition("message InnerProductParameter")
    write(repository / USUAL, f'import "caffe/proto/fancy.proto";{head}message InnerProductParameter{rest}')
    write(
        repository / USUAL.replace("caffe.proto", "fancy.proto"), f"package caffe; message FancyParameter{fancy}"
    )
    assert is_found(repository)


def test_a_result_is_not_kept_for_another_caffe(repository: Path) -> None:
    cache = ("--cache-dir", str(repository / "cache"))
    assert is_found(repository, *cache)
    write(repository / USUAL, PROTO.replace("fancy_param", "plain_param"))
    assert "unknown-field" in names(repository, *cache)
    write(repository / USUAL, PROTO)
    assert is_found(repository, *cache)
    write(repository / "src/caffe/layers.cpp", SOURCES.replace("FancyAttention", "Other"))
    assert names(repository, *cache) == {"unknown-layer-type"}


def test_several_processes(repository: Path) -> None:
    for number in range(12):
        write(repository / f"models/{number}/net.prototxt", NET)
    done = caffefix("--check", "--notes", "-j", "2", "--no-cache", ".", cwd=repository)
    assert (done.status, done.out.decode().splitlines()[-1]) == (0, "13 files, nothing to fix")


# ---------------------------------------------------------------- caffefix dialects


def test_dialects_names_it(repository: Path) -> None:
    text = caffefix("dialects", "models/net.prototxt", cwd=repository).out.decode()
    assert text.startswith(f"models/net.prototxt: this repository's {USUAL} (nearest known: ")
    assert "); no known fork has all of it\n" in text
    write(repository / "models/net.prototxt", NET.replace("heat", "het"))
    text = caffefix("dialects", "models/net.prototxt", cwd=repository).out.decode()
    assert f"  not this repository's {USUAL} (nearest known: " in text
    assert '): 12:17: Message type "caffe.FancyParameter" has no field named "het".\n' in text
    data = caffefix("dialects", "--format", "json", "models/net.prototxt", cwd=repository).out
    own = json.loads(data)["files"][0]["own"]
    assert (own["proto"], own["accepts"], own["fits"], len(own["lacks"])) == (USUAL, False, False, 1)


@pytest.mark.parametrize("fork", ["bvlc", "nvidia", "bvlc-v0.999", "tsn"])
def test_a_caffe_is_most_like_the_fork_that_it_is(tmp_path: Path, fork: str) -> None:
    root = make(tmp_path / "own", fork)
    write(root / "models/net.prototxt", NET)
    data = json.loads(caffefix("dialects", "--format", "json", "models/net.prototxt", cwd=root).out)
    assert data["files"][0]["own"]["nearest"] == fork


# ---------------------------------------------------------------- nothing is written that it cannot read

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


TRAIN = """name: "net"
layer {
  name: "data"
  type: "Data"
  top: "data"
  top: "label"
  transform_param { scale: 0.00390625 mean_value: 104 }
  data_param { source: "train" batch_size: 8 }
}
layer {
  name: "ip"
  type: "InnerProduct"
  bottom: "data"
  top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } }
}
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" }
"""


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


# ---------------------------------------------------------------- sources


def names_of(kind: Kind, form: Form, *texts: str) -> set[str]:
    from caffefix.caffe.own.sources import registered

    found = registered(text.encode() for text in texts)
    return {name for k, f, name in found.names if (k, f) == (kind, form)}


@pytest.mark.parametrize(
    ("kind", "form", "text", "expected"),
    [
        (Kind.LAYER, Form.STRING, "  REGISTER_LAYER_CLASS(\n  Convolution );", {"Convolution"}),
        (Kind.LAYER, Form.STRING, "#define REGISTER_LAYER_CLASS(type) x\nREGISTER_LAYER_CREATOR(Ab, x)", {"Ab"}),
        (Kind.LAYER, Form.STRING, "/* REGISTER_LAYER_CLASS(Ab); */ // \n/*\nREGISTER_LAYER_CLASS(Cd);*/", set()),
        (Kind.LAYER, Form.STRING, 's = "/*";\nREGISTER_LAYER_CLASS(Ab); // */', {"Ab"}),
        (Kind.LAYER, Form.ENUM, "REGISTER_LAYER_CLASS(RELU, ReLULayer);", {"RELU"}),
        (Kind.LAYER, Form.ENUM, "  case LayerParameter_LayerType_RELU:\n return x;", {"RELU"}),
        (Kind.LAYER, Form.ENUM, ' case V1LayerParameter_LayerType_RELU: return "ReLU";', set()),
        (Kind.SOLVER, Form.STRING, "REGISTER_SOLVER_CLASS(Adam);", {"Adam"}),
        (Kind.SOLVER, Form.ENUM, "case SolverParameter_SolverType_ADAGRAD:", {"ADAGRAD"}),
        (Kind.POLICY, Form.STRING, 'lr_policy == "step" || lr_policy() == "poly"', {"step", "poly"}),
        (Kind.FILLER, Form.STRING, 'GetFiller(const FillerParameter& p) {\n type == "a" \n}\n type == "b"', {"a"}),
    ],
)  # fmt: skip
def test_names_in_sources(kind: Kind, form: Form, text: str, expected: set[str]) -> None:
    assert names_of(kind, form, text) == expected


def test_sources_are_read_in_time_by_their_length() -> None:
    """No assertion on time: what is quadratic does not end."""
    for text in ("/*" * 500_000, '"\\' * 500_000, "case " * 200_000, "REGISTER_LAYER_CLASS(" * 50_000,
                 "GetFiller(const FillerParameter&" * 3_000, "  " * 500_000 + "\t" * 500_000):  # fmt: skip
        assert names_of(Kind.LAYER, Form.STRING, text) == set()


def test_git_itself_makes_the_bound(tmp_path: Path) -> None:
    root = make(tmp_path / "own", "bvlc")
    assert subprocess.run(["git", "-C", str(root), "rev-parse"], check=False).returncode == 0
    assert OwnCaffes().of(str(root / "examples/mnist")).caffes is not None


# ---------------------------------------------------------------- what a newcomer met


def findings_of(root: Path, text: str, *args: str) -> list[tuple[str, str, str]]:
    write(root / "models/net.prototxt", text)
    return told(root, *args)


@pytest.mark.parametrize("kind", ["CONVOLUTOIN", "convolution", "BOGUS", "99"])
def test_v1_types_that_a_v1_caffe_lacks(tmp_path: Path, kind: str) -> None:
    root = make(tmp_path / "own", EPOCHS["2014"])
    layer = f'layers {{ name: "c" type: {kind} bottom: "a" top: "b" }}'
    ((name, severity, message),) = findings_of(root, layer)
    assert (name, severity) == ("unknown-enum-value", "error")
    assert f'this repository\'s Caffe has no value {kind} for "type"' in message


def own_v1(root: Path, number: int) -> Path:
    """A Caffe of today with a V1 type of its own."""
    make(root, "bvlc")
    text = (root / USUAL).read_text()
    text = text.replace("POWER = 26;", "POWER = 126;").replace(
        "ABSVAL = 35;", f"ABSVAL = 35; GATED_MIX = {number};"
    )
    (root / USUAL).write_text(text)
    return root


def test_numbers_of_v1_types_are_the_own_ones(tmp_path: Path) -> None:
    root = own_v1(tmp_path / "own", 26)
    ((name, severity, message),) = findings_of(root, 'layers { name: "g" type: 26 bottom: "a" top: "b" }')
    assert (name, severity) == ("legacy-v1-layers", "info")
    assert message == "type 26 is GATED_MIX in this repository's Caffe; the net is not migrated"


def test_own_v1_types_are_no_alarm(tmp_path: Path) -> None:
    root = own_v1(tmp_path / "own", 90)
    ((name, severity, message),) = findings_of(root, 'layers { name: "g" type: GATED_MIX bottom: "a" top: "b" }')
    assert (name, severity) == ("legacy-v1-layers", "info")
    assert message.startswith(
        "type: GATED_MIX is specific to this repository's Caffe, whose own upgrade is not reproduced"
    )


def test_what_the_own_caffe_cannot_read_is_an_error(repository: Path) -> None:
    found = findings_of(repository, NET.replace("heat: 0.5", "dilation: 2"))
    assert [(name, severity) for name, severity, _ in found] == [("misplaced-field", "error")]
    found = findings_of(repository, NET.replace("num_output: 3", "axis: 1"))
    ((_, _, message),) = found
    assert message.startswith(
        '"axis" is not a field of InnerProductParameter in this repository\'s Caffe, only in '
    )


def test_a_format_that_the_own_caffe_has_not_is_one_finding(repository: Path) -> None:
    layer = 'layers { name: "r" type: RELU bottom: "a" top: "a" relu_param { negative_slope: 0.1 } }\n'
    found = findings_of(repository, layer * 5)
    assert [name for name, _, _ in found].count("misplaced-field") == 1
    assert "which Caffe upgrades at each load" not in str(found)


def test_a_proto_that_is_named_is_called_by_its_name(repository: Path) -> None:
    (repository / USUAL).rename(repository / "mine.proto")
    found = findings_of(repository, NET.replace("COLD", "HOT"), "--proto", "mine.proto")
    ((_, _, message),) = found
    assert message.startswith("the Caffe of mine.proto has no value HOT")


def test_registered_by_a_macro_of_their_own(repository: Path) -> None:
    """What such a macro registers is not seen, so nothing is known of layer types."""
    macro = "#define REG(x) REGISTER_LAYER_CLASS(x)\nREG(FancyAttention)\nREGISTER_LAYER_CLASS(InnerProduct)\n"
    write(repository / "src/caffe/layers.cpp", macro)
    assert names(repository) == set()


def test_dialects_reads_the_configuration(repository: Path) -> None:
    (repository / USUAL).rename(repository / "mine.proto")
    (repository / ".git").rmdir()
    assert b"mine.proto" not in caffefix("dialects", "models/net.prototxt", cwd=repository).out
    write(repository / "caffefix.toml", 'proto = "mine.proto"')
    assert b"mine.proto" in caffefix("dialects", "models/net.prototxt", cwd=repository).out


# ---------------------------------------------------------------- what an attacker tried


FIELDS = "optional string type = 2;"


def grown(root: Path, fields: str, more: str = "") -> None:
    """Put fields into the layers of the repository's Caffe."""
    path = root / USUAL
    path.write_text(path.read_text().replace(FIELDS, f"{FIELDS} {fields}") + more)


def test_one_file_cannot_be_imported_often(repository: Path) -> None:
    write(repository / "src/caffe/proto/b.proto", "message M { }")
    write(repository / USUAL, PROTO + 'import "b.proto";' * 2)
    done = caffefix("--check", "models/net.prototxt", cwd=repository)
    assert b'"b.proto" is imported twice; 1 file is judged by the known forks' in done.err


def test_an_import_of_what_can_be_no_name(repository: Path) -> None:
    write(repository / USUAL, PROTO + 'import "a\\000b";')
    done = caffefix("--check", "models/net.prototxt", cwd=repository)
    assert b'the imported file "a\\x00b" was not found' in done.err
    assert caffefix("dialects", "models/net.prototxt", cwd=repository).status == 0


def test_a_deep_net_that_the_own_caffe_reads(repository: Path) -> None:
    """Its Caffe has a message in itself; no assertion on time: by its square this does not end."""
    grown(repository, "optional LayerParameter again = 9;")
    depth = 20_000
    text = f'layer {{ name: "a" type: "InnerProduct" {"again { " * depth} nmae: "q" {"}" * depth} }}\n'
    assert findings_of(repository, text)[0][0] == "unknown-field"


@pytest.mark.parametrize(
    ("fields", "more", "text"),
    [
        (" ".join(f"optional int32 abcdefgh{i}x={i + 300};" for i in range(20_000)), "", "qbcdzfgh{0}y: 1"),
        ("repeated E eee = 9;", "enum E {" + " ".join(f"ABC{i}={i};" for i in range(10_000)) + "}", "eee: QQ{0}"),
        (
            " ".join(f"optional LayerParameter abcdefgh{i}x={i + 300};" for i in range(10_000)),
            "",
            "dilation: {0}",
        ),
    ],
    ids=["fields", "values", "messages"],
)
def test_what_is_unknown_times_what_is_known(repository: Path, fields: str, more: str, text: str) -> None:
    """No assertion on time: each held against each does not end."""
    grown(repository, fields, more)
    inner = " ".join(text.format(i) for i in range(1000))
    done = write(repository / "models/net.prototxt", f'layer {{ name: "a" type: "InnerProduct" {inner} }}\n')
    assert caffefix("--check", "--statistics", done.name, cwd=done.parent).status in (0, 1)


def test_names_in_sources_that_are_near_to_each_other(repository: Path) -> None:
    """A finding names three."""
    near = [f"Abcdefghij{a}{b}" for a in "klmnopqrst" for b in "klmnopqrst"]
    write(repository / "src/caffe/more.cpp", "".join(f"REGISTER_LAYER_CLASS({name});\n" for name in near))
    ((_, _, message),) = findings_of(repository, NET.replace("FancyAttention", "Abcdefghijzz"))
    assert message.count(" or ") == 2


def test_names_in_sources_that_are_long(repository: Path) -> None:
    long = "Ab" * 50_000
    write(
        repository / "src/caffe/more.cpp", f"REGISTER_LAYER_CLASS({long});\nREGISTER_LAYER_CLASS({long[:100]}c)\n"
    )
    ((_, _, message),) = findings_of(repository, NET.replace("FancyAttention", long))
    assert len(message) < 400


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_sources_behind_a_link_are_not_read(repository: Path, tmp_path: Path) -> None:
    write(tmp_path / "outside/x.cpp", "REGISTER_LAYER_CLASS(SecretOutside);")
    (repository / "include").symlink_to(tmp_path / "outside")
    ((_, _, message),) = findings_of(repository, NET.replace("FancyAttention", "SecretOutsid"))
    assert "SecretOutside" not in message.replace('"Unknown layer type: SecretOutsid"', "")


def test_a_net_that_a_known_fork_reads_is_not_respelt_by_itself(repository: Path) -> None:
    """A hostile caffe.proto has no TRAIN, but a BRAIN."""
    more = "message NetStateRule { optional Phase phase = 1; } enum Phase { BRAIN = 0; }"
    grown(repository, "repeated NetStateRule include = 8;", more)
    text = 'layer { name: "i" type: "InnerProduct" bottom: "a" top: "i" include { phase: TRAIN } }\n'
    net = write(repository / "models/net.prototxt", text)
    done = caffefix(net.name, cwd=net.parent)
    assert (done.status, net.read_text()) == (1, text)
    assert b"1 unsafe fix not applied (unknown-enum-value)" in done.out


@pytest.mark.parametrize(
    "command", [("deploy",), ("rescale-input", "--stored", "0..1", "--dry-run"), ("dialects",)]
)
def test_each_command_warns_of_a_proto_that_cannot_be_used(repository: Path, command: tuple[str, ...]) -> None:
    write(repository / USUAL, PROTO + "message {")
    net = write(repository / "models/train.prototxt", TRAIN)
    done = caffefix(*command, net.name, cwd=net.parent)
    assert f"warning: {USUAL}:".encode() in done.err
    assert b"train.prototxt is judged by the known forks only" in done.err
