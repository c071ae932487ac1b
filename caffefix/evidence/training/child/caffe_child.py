# ruff: noqa
# mypy: ignore-errors
"""Trains a net on synthetic data inside an interpreter that has real Caffe.

    python caffe_child.py        in a folder that holds job.json and body.prototxt

Copied there with its sibling modules and run by ``trial.py``; never imported by the tool. It needs only ``caffe``
and ``numpy``, and restricts itself to what Python 2.7 and 3.5 support. It writes ``net.prototxt`` and
``solver.prototxt`` into its folder, and ``result.jsonl``, one JSON object per line, so measurements made before
Caffe aborts are not lost:

    {"event": "loaded", "classes": 5, "baseline": 1.609, "floor": 0.0, "shapes": {...}}
    {"event": "loss", "value": 1.79}                   one per iteration
    {"event": "end", "dead_blobs": [...], ...}
    {"event": "refused", "reason": "..."}              what the task cannot represent

Each iteration fills the input blobs with images of a few classes, each class a fixed colour and pattern
of coarse cells, plus noise, lets Caffe's own solver take one step, and records the loss. Each batch holds all
classes equally often, so no constant prediction has a loss below the entropy of the labels.
"""

from __future__ import absolute_import, division, print_function

import io
import json
import os
import sys

import numpy as np

from child_costs import Refused, class_counts, constant_cost
from child_data import Task
from child_measures import Alive, is_finite


class Child(object):
    """One run: loads, trains, measures, and records the results."""

    def __init__(self, job, caffe):
        self.job = job
        self.caffe = caffe
        self.out = io.open("result.jsonl", "a", encoding="ascii")

    def say(self, event, **facts):
        facts["event"] = event
        self.out.write(json.dumps(facts).encode("ascii").decode("ascii") + "\n")
        self.out.flush()

    def check_types(self):
        known = getattr(self.caffe, "layer_type_list", None)
        if known is None:
            return
        known = set(str(name) for name in known())
        if "Python" not in known and self.job["has_norm"] and self.norm_is_faulty():
            raise Refused("this Caffe's BatchNorm does not normalise by the batch, and cannot run our own layer")
        for name, kind in self.job["types"]:
            if kind not in known:
                self.say("unloadable", reason="layer '%s': this Caffe has no layer type %s" % (name, kind))
                sys.exit(0)

    def norm_is_faulty(self):
        from child_norm import norm_is_faulty  # imports Caffe, for which the limits must be set

        return norm_is_faulty()

    def shapes(self):
        """The shape of each fed blob; shapes that depend on the net are obtained from Caffe."""
        batch = self.job["batch"]
        shapes = {}
        for feed in self.job["feeds"]:
            if feed["shape"] is not None:
                shapes[feed["name"]] = [batch] + feed["shape"]
        unknown = [feed for feed in self.job["feeds"] if feed["shape"] is None]
        if unknown:
            write("probe.prototxt", header(self.job, shapes), "predictions.prototxt")
            net = self.caffe.Net("probe.prototxt", self.caffe.TRAIN)
            for feed in unknown:
                prediction = list(net.blobs[feed["like"]].data.shape)
                if feed["kind"] in ("class", "ones"):
                    dims = [1 if axis == feed["axis"] else dim for axis, dim in enumerate(prediction)]
                    prediction = dims if len(dims) > 2 else dims[:1]
                elif feed["kind"] == "similar":
                    prediction = prediction[:1]
                shapes[feed["name"]] = prediction
            del net
        return shapes

    def loss(self, net):
        return sum(w * float(net.blobs[top].data.sum()) for top, w in self.job["scores"])

    def targets(self, net, task):
        """Values of the target blobs over a few batches, by loss."""
        found = dict((loss["layer"], []) for loss in self.job["losses"])
        for _ in range(4):
            task.fill(net)
            net.forward()
            for loss in self.job["losses"]:
                found[loss["layer"]].append(net.blobs[loss["target"]].data.copy())
        return dict((name, np.concatenate(values)) for name, values in found.items())

    def constants(self, net, task):
        """(baseline, floor) of all losses together."""
        values = self.targets(net, task) if any(loss["measured"] for loss in self.job["losses"]) else {}
        baseline = floor = 0.0
        for loss in self.job["losses"]:
            one, least = constant_cost(loss, net, task.classes, values.get(loss["layer"]))
            baseline += loss["weight"] * one
            floor += loss["weight"] * least
        return baseline, floor

    def run(self):
        job = self.job
        self.check_types()
        shapes = self.shapes()
        write("net.prototxt", header(job, shapes), "body.prototxt")
        own_norm = job["has_norm"] and self.norm_is_faulty()
        if own_norm:
            self.caffe.Net("net.prototxt", self.caffe.TRAIN)  # if Caffe refuses the net, it does so here
            write("net.prototxt", header(job, shapes), "own_norm.prototxt")
        make = getattr(self.caffe, "get_solver", self.caffe.SGDSolver)
        solver = make("solver.prototxt")
        net = solver.net
        classes = class_counts(job, net)
        task = Task(job, classes, shapes)
        baseline, floor = self.constants(net, task)
        outputs = [net.blobs[loss["prediction"]].data.shape[loss["axis"]] for loss in job["losses"]]
        self.say(
            "loaded", classes=classes, outputs=outputs, baseline=baseline, floor=floor, shapes=shapes,
            own_norm=own_norm,
            parameters=int(sum(b.data.size for blobs in net.params.values() for b in blobs)),
        )  # fmt: skip
        self.train(solver, net, task)

    def train(self, solver, net, task):
        alive = Alive(self.job, net)
        ever_blobs, ever_params = alive.now(net, task, 1)
        sizes = alive.sizes(net)
        looks = set((1 << k) - 1 for k in range(1, 12))  # 1, 3, 7 and so on: life may come late
        for iteration in range(self.job["iterations"]):
            if hasattr(os, "getppid") and os.getppid() != self.job["parent"]:
                sys.exit(3)  # the parent no longer waits
            if iteration in looks:
                blobs, params = alive.now(net, task, 1)
                ever_blobs |= blobs
                ever_params |= params
            task.fill(net)
            solver.step(1)
            loss = self.loss(net)
            self.say("loss", value=loss if is_finite(loss) else None)
            if not is_finite(loss):
                break
        blobs, params = alive.now(net, task, 2)
        ever_blobs |= blobs
        ever_params |= params
        self.say(
            "end",
            blobs=len(alive.blobs),
            params=len(alive.params),
            frozen=alive.frozen,
            dead_blobs=[n for n in alive.blobs if n not in ever_blobs],
            died_blobs=[n for n in alive.blobs if n in ever_blobs and n not in blobs],
            dead_params=[p for p in alive.params if p not in ever_params],
            died_params=[p for p in alive.params if p in ever_params and p not in params],
            first=sizes,
            last=alive.sizes(net),
        )


def header(job, shapes):
    """The ``input`` fields: V1 and V2 both have them."""
    lines = []
    for feed in job["feeds"]:
        if feed["name"] not in shapes:
            continue
        lines.append("input: %s" % feed["literal"])
        lines.append("input_shape { %s }" % " ".join("dim: %d" % dim for dim in shapes[feed["name"]]))
    return "\n".join(lines) + "\n"


def write(name, head, body):
    with open(body, "rb") as source:
        text = source.read()
    with open(name, "wb") as target:
        target.write(head.encode("latin-1") + text)


def limit(job):
    """Bounds on memory, time and written bytes, where the system has them."""
    try:
        import resource
    except ImportError:
        return
    for kind, value in (
        ("RLIMIT_AS", job["memory"]),
        ("RLIMIT_CPU", job["cpu_seconds"]),
        ("RLIMIT_FSIZE", 256 << 20),
        ("RLIMIT_CORE", 0),
    ):
        number = getattr(resource, kind, None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        try:
            resource.setrlimit(number, (value, hard))
        except (ValueError, OSError):
            pass  # some systems list a limit that cannot be set


def main():
    with io.open("job.json", encoding="utf-8") as source:
        job = json.load(source)
    for feed in job["feeds"]:
        feed["literal"] = str(feed["literal"])
    limit(job)
    import caffe

    caffe.set_mode_cpu()
    child = Child(job, caffe)
    try:
        child.run()
    except Refused as refusal:
        child.say("refused", reason=str(refusal))
    except MemoryError:
        child.say("memory")


if __name__ == "__main__":
    main()
