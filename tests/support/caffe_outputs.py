"""Runs inside an interpreter with real Caffe: what nets compute, in both phases.

    python caffe_outputs.py < JOBS > REPORTS

Each line of JOBS names a file; each line of REPORTS is JSON for it: layer types, blob shapes and a
checksum of every output with fixed seeds, or the reason why Caffe gives none. Each net is loaded in a
process of its own: Caffe ends it where it aborts.
"""

import hashlib
import json
import os
import resource
import signal
import sys
import tempfile

os.environ["GLOG_minloglevel"] = "2"  # noqa: SIM112 - so it is called
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # threads do not survive a fork

import caffe
import numpy

SECONDS = 120
BYTES = 6 << 30


def run(path, phase):
    caffe.set_mode_cpu()
    caffe.set_random_seed(1)
    net = caffe.Net(path, phase)
    noise = numpy.random.RandomState(1)
    for name in net.inputs:
        blob = net.blobs[name]
        is_label = blob.data.ndim < 4 or blob.data.shape[1:] == (1, 1, 1)
        blob.data[...] = noise.randint(0, 2, blob.data.shape) if is_label else noise.randn(*blob.data.shape) * 50
    net.forward()
    return {
        "types": [layer.type for layer in net.layers],
        "shapes": {name: list(blob.data.shape) for name, blob in net.blobs.items()},
        "outputs": {name: hashlib.sha256(blob.data.tobytes()).hexdigest() for name, blob in net.blobs.items()},
    }


def report(path, phase):
    """What a child of ours says; or why it said nothing."""
    reader, writer = os.pipe()
    with tempfile.TemporaryFile() as errors:
        child = os.fork()
        if child == 0:
            os.dup2(errors.fileno(), 2)
            signal.alarm(SECONDS)
            resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
            try:
                text = json.dumps(run(path, phase))
            except BaseException as error:
                text = json.dumps({"reason": "%s: %s" % (type(error).__name__, error)})  # noqa: UP031
            with os.fdopen(writer, "w") as out:
                out.write(text)
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            text = pipe.read()
        status = os.waitpid(child, 0)[1]
        if text:
            return json.loads(text)
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").splitlines()
        fatal = [line.partition("] ")[2] for line in lines if line.startswith("F") or "Check failed" in line]
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGALRM:
            fatal = ["takes longer than %d s" % SECONDS]  # noqa: UP031
        return {"reason": fatal[0] if fatal else "died: " + (lines[-1] if lines else str(status))}


def main():
    for line in sys.stdin:
        path = line.strip()
        phases = {name: report(path, phase) for phase, name in enumerate(("TRAIN", "TEST"))}
        print(json.dumps(phases), flush=True)


if __name__ == "__main__":
    main()
