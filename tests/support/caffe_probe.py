"""Runs inside an interpreter with real Caffe (3.7 or later): loads a net, one step, prints JSON.

    python caffe_probe.py NET

Prints, for the TRAIN net at iteration 0, the mean absolute value of each top and of each
parameter's gradient, by layer. Exits as Caffe does where Caffe aborts.
"""

import json
import os
import sys

os.environ["GLOG_minloglevel"] = "2"  # noqa: SIM112 - so it is called

import caffe
import numpy


def mean(array):
    return float(numpy.abs(array).mean())


def main():
    caffe.set_mode_cpu()
    caffe.set_random_seed(1)
    net = caffe.Net(sys.argv[1], caffe.TRAIN)
    net.forward()
    net.backward()
    report = {
        "tops": {name: mean(blob.data) for name, blob in net.blobs.items()},
        "gradients": {name: [mean(blob.diff) for blob in blobs] for name, blobs in net.params.items()},
        "types": {name: net.layers[i].type for i, name in enumerate(net._layer_names)},
    }
    print(json.dumps(report))


main()
