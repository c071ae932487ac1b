"""Runs inside an interpreter with real Caffe (3.7 or later): a train net and its deploy net, side by side.

Reads one JSON object from standard input, ``{"train", "deploy", "mean", "scale"}``: two nets with Input
layers. The train net, in phase TEST, is fed (x − mean) · scale, as its data layer would; the deploy net
x − mean. Its weights are saved and loaded by name. Prints, for each blob that both have (but inputs), and
for each loss's probabilities, the largest difference.
"""

import json
import os
import sys
import tempfile

os.environ["GLOG_minloglevel"] = "2"  # noqa: SIM112 - so it is called

import caffe
import numpy


def load(text, weights=None):
    with tempfile.NamedTemporaryFile("w", suffix=".prototxt") as file:
        file.write(text)
        file.flush()
        return caffe.Net(file.name, caffe.TEST) if weights is None else caffe.Net(file.name, weights, caffe.TEST)


def main():
    job = json.loads(sys.stdin.read())
    caffe.set_mode_cpu()
    caffe.set_random_seed(1)
    train = load(job["train"])
    with tempfile.NamedTemporaryFile(suffix=".caffemodel") as file:
        train.save(file.name)
        deploy = load(job["deploy"], file.name)
    (name,) = deploy.inputs
    noise = numpy.random.RandomState(1)
    pixels = noise.randint(0, 256, deploy.blobs[name].data.shape) - job["mean"]
    train.blobs[name].data[...] = pixels * job["scale"]
    deploy.blobs[name].data[...] = pixels
    deploy.forward()
    out = deploy.forward()  # the first pass must have left the input as it was
    train.forward()
    found = {}
    for blob in set(train.blobs) & set(deploy.blobs) - {name}:
        found[blob] = float(abs(train.blobs[blob].data - deploy.blobs[blob].data).max())
    for output, blob in job["activations"].items():
        logits = train.blobs[blob].data.astype(numpy.float64)
        if job["kind"] == "Softmax":
            wanted = numpy.exp(logits - logits.max(1, keepdims=True))
            wanted /= wanted.sum(1, keepdims=True)
        else:
            wanted = 1 / (1 + numpy.exp(-logits))
        found[output] = float(abs(out[output] - wanted).max())
    print(json.dumps(found))


main()
