"""Runs inside an interpreter with real Caffe (3.7 or later): two nets train on the same images.

Reads ``{"sides": [{"body", "means", "scale"}, …], "factors": [a, …]}`` from standard input: each side's
images are stored times a, and transformed as its data layer would. Prints the losses of each side.
"""

import json
import os
import sys
import tempfile

os.environ["GLOG_minloglevel"] = "2"  # noqa: SIM112 - so it is called

import caffe
import numpy

STEPS = 25
HEAD = """layer { name: "in" type: "Input" top: "data" top: "label" input_param {
  shape { dim: 10 dim: 3 dim: 8 dim: 8 } shape { dim: 10 } } }
"""
SOLVER = (
    'base_lr: 0.01 lr_policy: "fixed" momentum: 0.9 weight_decay: 0.01 max_iter: 100 random_seed: 3 net: "%s"\n'
)


def losses(side, factor):
    with tempfile.TemporaryDirectory() as folder:
        net, solver = os.path.join(folder, "net"), os.path.join(folder, "solver")
        with open(net, "w") as file:
            file.write(HEAD + side["body"])
        with open(solver, "w") as file:
            file.write(SOLVER % net)
        made = caffe.get_solver(solver)
    noise = numpy.random.RandomState(1)
    patterns = noise.randint(0, 256, (5, 3, 8, 8))
    found = []
    for _ in range(STEPS):
        label = noise.randint(0, 5, 10)
        pixels = (patterns[label] + noise.randint(0, 256, (10, 3, 8, 8))) / 2.0
        means = numpy.reshape(side["means"], (1, -1, 1, 1))
        made.net.blobs["data"].data[...] = (pixels * factor - means) * side["scale"]
        made.net.blobs["label"].data[...] = label
        made.step(1)
        found.append(float(made.net.blobs["loss"].data))
    return found


job = json.loads(sys.stdin.read())
caffe.set_mode_cpu()
print(json.dumps(list(map(losses, job["sides"], job["factors"]))))
