"""Other families write protobuf's text format, too: nothing is found in what shows no sign of Caffe."""

from __future__ import annotations

import json

import pytest

from caffefix.caffe.recognition import is_caffe
from caffefix.caffe.roles import Role, file_role
from caffefix.syntax.parse import parse
from tests.support.golden import caffefix

OTHERS = {
    "triton": """name: "resnet" platform: "tensorrt_plan" max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 3, 224, 224 ] } ]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 10 ] } ]
instance_group [ { count: 1 kind: KIND_GPU } ]""",
    "triton without a list": 'name: "a" backend: "onnxruntime" input { name: "x" dims: 3 } output { name: "y" }',
    "detection pipeline": """model { ssd { num_classes: 3 box_coder { faster_rcnn_box_coder { y_scale: 10 } } } }
train_config { batch_size: 24 optimizer { rms_prop_optimizer { momentum_optimizer_value: 0.9 decay: 0.9 } } }
train_input_reader { tf_record_input_reader { input_path: "train.record" } label_map_path: "labels.pbtxt" }""",
    "an optimizer": 'learning_rate { constant: 0.1 } momentum: 0.9 use_nesterov: true decay_steps: 10 name: "m"',
    "graph": 'node { name: "x" op: "Placeholder" attr { key: "T" value { type: DT_FLOAT } } } versions { }',
    "node": 'name: "c" op: "Conv2D" input: "x" input: "w" attr { key: "T" value { type: DT_FLOAT } }',
    "model list": 'model_config_list { config { name: "m" base_path: "/models/m" model_platform: "tensorflow" } }',
    "label map": 'item { name: "none" label: 0 display_name: "background" }',
    "deepnet": """name: "mnist" model_type: FEED_FORWARD_NET hyperparams { base_epsilon: 0.1 }
layer { name: "in" dimensions: 784 is_input: true param { name: "bias" initialization: CONSTANT } }
layer { name: "hid" dimensions: 10 activation: LOGISTIC }
edge { node1: "in" node2: "hid" param { name: "weight" initialization: DENSE_GAUSSIAN } }""",
    "paddle": """type: "nn"
layers { name: "pixel" type: "data" size: 784 active_type: "" }
layers { name: "fc" type: "fc" size: 10 active_type: "softmax" inputs { input_layer_name: "pixel" } }
input_layer_names: "pixel" output_layer_names: "fc\"""",
    "boxes": 'layer { name: "roof" top: 3 bottom: 9 left: 1 right: 4 colour: "red" }',
    "perception": """name: "lane" net { width: 640 height: 480 } max_iter: 20 gamma: 0.5
detector_param { confidence: 0.4 } camera_names: "front" model_dir: "m" max_distance: 40""",
    "cyber": 'module_config { module_library: "lib.so" components { class_name: "X" config { name: "x" } } }',
    "nothing": "",
    "numbers": "gamma: 2.2 contrast: 1 saturation: 1",
}

PIECES = {
    "a filler": 'weight_filler { type: "xavier" }',
    "rates": "param { lr_mult: 1 }\nparam { lr_mult: 2 }",
    "a shared blob": 'param { name: "w" }',
    "parameters": "convolution_param { num_output: 3 kernel_size: 3 }",
    "a fork's parameters": 'my_conv_param { num_output: 3 weight_filler { type: "xavier" } }',
    "a rule": "include { phase: TRAIN }",
    "an empty layer": "layer { }",
    "a layer of an unknown type": 'layer { name: "x" type: "Mine" }',
    "a layer of an unknown type with blobs": 'layer { name: "x" type: "Mine" bottom: "a" top: "b" mine: 3 }',
    "a misspelt layer": 'layer { name: "r" type: "ReLU" botom: "a" }',
    "a V1 layer": 'layers { name: "r" type: RELU }',
    "a V1 layer by number": 'layers { name: "r" type: 18 }',
    "a V0 layer": 'layers { layer { name: "c" type: "conv" num_output: 3 } bottom: "a" top: "b" }',
    "a V0 layer alone": 'layers { layer { name: "c" type: "conv" kernel: 3 } }',
    "layers in a list": 'layer [ { name: "r" type: "ReLU" } ]',
    "a template's layer": 'layer { name: "r" type: "${TYPE}" bottom: "${IN}" top: "${OUT}" }',
    "inputs": 'input: "data"',
    "inputs and sizes": 'name: "n" input: "data" input_dim: [ 1, 3, 8, 8 ] mine: 3',
    "a method": "solver_type: ADAM",
    "a rate": "base_lr: 0.1",
    "a net's name": 'net: "train.prototxt"',
    "a net inside": 'train_net_param { layer { name: "r" type: "ReLU" top: "b" } } mine: 1 yours: 2 his: 3',
    "a fork's solver": 'net: "n.prototxt" base_lr: 0.1 lr_policy: "fixed" mine: 1 yours: 2',
    "a damaged solver": 'net: "n.prototxt" base_lrr: 0.1 lr_policy: "fixed"',
}


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_nothing_is_found_in_texts_of_other_families(text: str) -> None:
    assert not is_caffe(parse(text))
    done = caffefix("--check", "--notes", "--format", "json", "-", stdin=text.encode())
    assert done.status == 0
    (file,) = json.loads(done.out)["files"]
    assert (file["status"], file["role"], file["findings"]) == ("clean", "other", [])
    assert b"neither a Caffe net nor a solver: nothing to check" in caffefix("-", stdin=text.encode()).err


@pytest.mark.parametrize("text", PIECES.values(), ids=PIECES)
def test_pieces_of_caffe_are_known(text: str) -> None:
    assert is_caffe(parse(text))
    assert file_role(parse(text)) is not Role.OTHER
