"""Runs inside an interpreter with real Caffe (3.7 or later): many nets, one process.

Reads JSON lines from standard input, ``{"name", "text", "phase", "run", "reload", "beside"}``, and
prints one line for each: shapes of blobs and parameters, the ``debug_info`` log of a pass if ``run``
says so, or what Caffe aborted with. A text with ``steps`` is a solver, which makes as many of them.
Each lives in a fork and a folder of its own, because Caffe aborts the whole process.
"""

import json
import os
import sys
import warnings

os.environ["GLOG_minloglevel"] = "0"  # noqa: SIM112 - so it is called

import caffe
from caffe_fork import forked

warnings.filterwarnings("ignore")
caffe.set_mode_cpu()


def look(job):
    """In the fork: build the net, maybe run it; the answer goes to the pipe."""
    for name, text in {**(job.get("beside") or {}), "net.prototxt": job["text"]}.items():
        with open(name, "wb") as file:
            file.write(text.encode("latin-1"))
    caffe.set_random_seed(job.get("seed", 1))
    if job.get("steps"):
        solver = caffe.get_solver("net.prototxt")
        solver.step(job["steps"])
        return {"files": os.listdir()}
    net = caffe.Net("net.prototxt", caffe.TRAIN if job["phase"] == "TRAIN" else caffe.TEST)
    if job.get("reload"):
        net.save("net.caffemodel")
        net.copy_from("net.caffemodel")
    if job.get("run"):
        net.forward()
        if job["phase"] == "TRAIN":
            net.backward()
    return {
        "blobs": {name: list(blob.data.shape) for name, blob in net.blobs.items()},
        "params": {name: [list(b.data.shape) for b in blobs] for name, blobs in net.params.items()},
        "layers": list(net._layer_names),
        "tops": {name: list(tops) for name, tops in net.top_names.items()},
    }


def answer(job):
    found, status, log = forked(job, look)
    lines = log.encode("latin-1").decode("utf-8", "replace").splitlines()
    report = {"name": job["name"], "abort": None}
    if status:
        fatal = [line for line in lines if line.startswith("F") and "] " in line]
        report["abort"] = fatal[0].split("] ", 1)[1] if fatal else "died: " + " | ".join(lines[-3:])
        parsing = [line.split("Parameter: ", 1)[1] for line in lines if "Error parsing text-format" in line]
        if parsing:  # protobuf says what is wrong, Caffe only that something is
            report["abort"] = parsing[0]
        return report
    report.update(found)
    wanted = "ward]" if job.get("run") else "Test net output" if job.get("steps") else ""
    report["log"] = [line.split("] ", 1)[1].strip() for line in lines if wanted and wanted in line]
    return report


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
