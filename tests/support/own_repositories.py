"""Repositories with a Caffe of their own: its caffe.proto, its sources, a net."""

from __future__ import annotations

import json
from pathlib import Path

from tests.support.golden import caffefix
from tests.support.own_caffes import USUAL

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


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def make_repository(root: Path) -> Path:
    """A repository whose net needs its own Caffe."""
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


def findings_of(root: Path, text: str, *args: str) -> list[tuple[str, str, str]]:
    write(root / "models/net.prototxt", text)
    return told(root, *args)
