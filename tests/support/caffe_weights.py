"""Runs inside an interpreter with real Caffe (3.7 or later): what it says when it loads weights.

Reads JSON lines from standard input, ``{"name", "net", "phase", "model" (base64)}``, and prints one line for
each: what Caffe logged while it loaded the model, with what it aborted on, and the names of the net's layers. Each
lives in a fork and a folder of its own, because Caffe aborts the whole process.
"""

import base64
import json
import os
import re
import sys

os.environ["GLOG_minloglevel"] = "0"  # noqa: SIM112 - so it is called

import caffe
from caffe_fork import forked

caffe.set_mode_cpu()
LINE = re.compile(r"^[IWEF]\d+ [\d:.]+ +\d+ [\w./]+:\d+\] (.*)$")
MARK = "the net is there\n"


def load(job):
    with open("net.prototxt", "wb") as file:
        file.write(job["net"].encode("latin-1"))
    with open("net.caffemodel", "wb") as file:
        file.write(base64.b64decode(job["model"]))
    net = caffe.Net("net.prototxt", caffe.TRAIN if job["phase"] == "TRAIN" else caffe.TEST)
    os.write(2, MARK.encode())
    net.copy_from("net.caffemodel")
    return {
        "layers": list(net._layer_names),
        "sums": {name: [float(abs(b.data).sum()) for b in blobs] for name, blobs in net.params.items()},
    }


def answer(job):
    found, status, text = forked(job, load)
    if "Traceback" in text:  # ours: Caffe itself aborts
        raise SystemExit(text)
    _, _, loading = text.partition(MARK)
    lines = [match[1] for match in map(LINE.match, loading.splitlines()) if match]
    return {**(found or {}), "built": MARK in text, "log": lines, "loaded": not status}


for line in sys.stdin:
    job = json.loads(line)
    print(json.dumps({"name": job["name"], **answer(job)}), flush=True)
