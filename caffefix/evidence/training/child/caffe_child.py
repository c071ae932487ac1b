# ruff: noqa
# mypy: ignore-errors
"""Trains a net on synthetic data inside an interpreter that has real Caffe.

    python caffe_child.py        in a folder that holds job.json and body.prototxt

Copied there under that name and run by ``trial.py``; never imported by the tool. It needs ``caffe``
and ``numpy`` only, and keeps to what Python 2.7 and 3.5 understand. It writes ``net.prototxt`` and ``solver.prototxt``
into its folder, and ``result.jsonl``, one JSON object a line, so that what was measured before
Caffe aborts is not lost:

    {"event": "loaded", "classes": 5, "baseline": 1.609, "floor": 0.0, "shapes": {...}}
    {"event": "loss", "value": 1.79}                   one an iteration
    {"event": "end", "dead_blobs": [...], ...}
    {"event": "refused", "reason": "..."}              what the task cannot represent

Each iteration fills the input blobs with images of a few classes, each class a fixed colour and pattern
of coarse cells, plus noise, lets Caffe's own solver make one step, and notes the loss. Each batch
holds all classes equally often, so that no constant prediction has a loss below the entropy of
the labels.
"""

from __future__ import absolute_import, division, print_function

import io
import json
import math
import os
import sys

import numpy as np

CELLS = 8  # a pattern is a grid of so many cells, so that pooling does not wash it out
MEAN, DEVIATION = 128.0, 58.0  # of 8-bit images, as natural images have them
NOISE = 16.0


class Refused(Exception):
    """The task cannot be represented; the message says why."""


# ---------------------------------------------------------------- data


class Task(object):
    """Batches of synthetic data: the class of each item decides all that is fed."""

    def __init__(self, job, classes, shapes):
        self.feeds = job["feeds"]
        self.batch = job["batch"]
        self.classes = classes
        self.random = np.random.RandomState(job["seed"])
        self.tables = dict((feed["name"], self._table(feed, shapes[feed["name"]])) for feed in self.feeds)

    def _table(self, feed, shape):
        """What is fed for each class, without noise."""
        rest = tuple(shape[1:])
        kind = feed["kind"]
        size = (self.classes,) + rest
        if kind == "class":
            allowed = np.array(feed["allowed"][: self.classes], dtype=np.float32)
            return np.broadcast_to(allowed.reshape((-1,) + (1,) * len(rest)), size)
        if kind == "similar":
            return np.arange(self.classes).reshape((-1,) + (1,) * len(rest)) * np.ones(size)
        if kind == "ones":
            return np.ones(size)
        if kind in ("vector", "binary"):
            return self._signs(size) if kind == "vector" else (self._signs(size) > 0).astype(np.float32)
        if feed["pair"]:
            return self._pairs(feed, rest)
        return self._patterns(self.classes, rest)

    def _signs(self, size):
        """-1 and 1, each about half of the classes at each place."""
        flat = int(np.prod(size[1:]))
        ranks = np.argsort(self.random.rand(size[0], flat), axis=0)
        return np.where(ranks < size[0] // 2, -1.0, 1.0).reshape(size)

    def _patterns(self, count, rest):
        if len(rest) < 3:
            return MEAN + DEVIATION * self._even((count,) + rest)
        # Half the variance is the colour of the image: nets that see little of it learn, too.
        colours = self._even((count,) + rest[:-2] + (1, 1))
        cells = self._even((count,) + rest[:-2] + (CELLS, CELLS))
        cells = MEAN + DEVIATION * (colours + cells) / math.sqrt(2)
        rows = np.arange(rest[-2]) * CELLS // rest[-2]
        columns = np.arange(rest[-1]) * CELLS // rest[-1]
        return cells[..., rows, :][..., columns]

    def _even(self, size):
        """Evenly distributed, with mean 0 and variance 1."""
        return self.random.uniform(-math.sqrt(3), math.sqrt(3), size)

    def _pairs(self, feed, rest):
        """Class 1: both of a pair are alike; class 0: they differ."""
        if feed["pair"] == "both":  # one blob holds the two behind each other
            half = (rest[0] // 2,) + rest[1:]
            one, other = self._patterns(2, half)
            return np.stack([np.concatenate([one, other]), np.concatenate([one, one])])
        state = np.random.RandomState(0)
        mine, self.random = self.random, state
        one, other = self._patterns(2, rest)
        self.random = mine
        return np.stack([one, one]) if feed["pair"] == "first" else np.stack([other, one])

    def fill(self, net):
        """Fill the net's inputs with the next batch."""
        chosen = self.random.permutation(np.arange(self.batch) % self.classes)
        for feed in self.feeds:
            values = self.tables[feed["name"]][chosen]
            if feed["kind"] == "data":
                raw = values + self.random.normal(0, NOISE, values.shape)
                values = (np.clip(raw, 0, 255) - mean_of(feed, values.ndim)) * feed["scale"]
            net.blobs[feed["name"]].data[...] = values


def mean_of(feed, axes):
    mean = np.array(feed["mean"], dtype=np.float64)
    return mean.reshape((1, -1) + (1,) * (axes - 2)) if mean.size > 1 else mean


# ---------------------------------------------------------------- what a constant prediction costs


def entropy(p):
    q = np.clip(np.asarray(p, dtype=np.float64), 1e-12, 1 - 1e-12)
    return -(q * np.log(q) + (1 - q) * np.log(1 - q))


def constant_cost(loss, net, classes, targets):
    """(baseline, floor) of one loss: of the best prediction that ignores the input, and of any.

    ``targets`` holds the values of the target blob over some batches, for losses that need them.
    """
    kind = loss["type"]
    prediction = net.blobs[loss["prediction"]].data
    items = prediction.shape[0]
    if kind in ("SoftmaxWithLoss", "MultinomialLogisticLoss"):
        inner = prediction.size // (items * prediction.shape[loss["axis"]])
        factor = {"BATCH_SIZE": inner, "NONE": inner * items}.get(loss["normalization"] or "VALID", 1)
        return math.log(classes) * (factor if kind == "SoftmaxWithLoss" else 1), 0.0
    if kind == "HingeLoss":
        return (2.0 if loss["norm"] == "L1" else 4 * (1 - 1.0 / classes)), 0.0
    if kind == "ContrastiveLoss":
        return (loss["margin"] / 4.0 if loss["legacy"] else loss["margin"] ** 2 / 8.0), 0.0
    flat = targets.reshape(len(targets), -1)
    if kind == "EuclideanLoss":
        return 0.5 * float(flat.var(axis=0).sum()), 0.0
    factor = {"VALID": 1.0 / flat.shape[1], "FULL": 1.0 / flat.shape[1], "NONE": items}
    scale = factor.get(loss["normalization"], 1.0)
    floor = entropy(flat).sum(axis=1).mean()
    return float(entropy(flat.mean(axis=0)).sum()) * scale, float(floor) * scale


def class_counts(job, net):
    """How many classes the task has; sets which labels each class feed uses."""
    feeds = dict((feed["name"], feed) for feed in job["feeds"])
    most = 5
    for loss in job["losses"]:
        if loss["type"] == "ContrastiveLoss":
            most = 2
        feed = feeds.get(loss["target"])
        if feed is None or feed["kind"] != "class":
            continue
        outputs = net.blobs[loss["prediction"]].data.shape[loss["axis"]]
        allowed = [label for label in range(min(outputs, most + 1)) if label != loss["ignore"]][:most]
        if len(allowed) < 2:
            raise Refused(
                "layer '%s' has a choice of %d class%s: its loss says nothing"
                % (loss["layer"], outputs, "" if outputs == 1 else "es")
            )
        feed["allowed"] = [a for a in feed.get("allowed", allowed) if a in allowed]
        most = min(most, len(feed["allowed"]))
    return max(k for k in range(2, most + 1) if job["batch"] % k == 0 or k == 2)


# ---------------------------------------------------------------- measures


class Alive(object):
    """Which blobs were ever other than zero, and which parameters ever had a gradient."""

    def __init__(self, job, net):
        skip = set(job["silent"])
        frozen = set((name, index) for name, index in job["frozen"])
        kinds = dict(zip(net._layer_names, (layer.type for layer in net.layers)))
        self.blobs = [name for name in net.blobs if name not in skip]
        self.params = []
        self.frozen = 0
        for name, blobs in net.params.items():
            for index in range(len(blobs)):
                if kinds.get(name) == "BatchNorm" or (name, index) in frozen:
                    self.frozen += kinds.get(name) != "BatchNorm"
                else:
                    self.params.append((name, index))

    def now(self, net, task, batches):
        """The blobs and parameters that show a sign of life in so many batches, and their sizes."""
        blobs, params = set(), set()
        for _ in range(batches):
            task.fill(net)
            for name, index in self.params:
                net.params[name][index].diff[...] = 0
            net.forward()
            net.backward()
            blobs.update(name for name in self.blobs if net.blobs[name].data.any())
            params.update(p for p in self.params if net.params[p[0]][p[1]].diff.any())
        return blobs, params

    def sizes(self, net):
        """Mean absolute values, as debug_info prints them."""
        return dict((name, size(net.blobs[name].data)) for name in self.blobs)


def is_finite(value):
    return value - value == 0  # Python 2.7 has no math.isfinite


def size(array):
    value = float(np.abs(array).mean()) if array.size else 0.0
    return value if is_finite(value) else None


# ---------------------------------------------------------------- BatchNorm

TINY = """
input: "data" input_shape { dim: 8 dim: 2 dim: 4 dim: 4 }
layer { name: "norm" type: "BatchNorm" bottom: "data" top: "norm" }
"""


def norm_is_faulty(caffe):
    """Whether BatchNorm in the TRAIN phase does anything but normalise by the batch.

    Some builds (kendryte-caffe) normalise by stored statistics, which are zero in the beginning.
    """
    with open("tiny.prototxt", "w") as target:
        target.write(TINY)
    net = caffe.Net("tiny.prototxt", caffe.TRAIN)
    for _ in range(2):
        net.blobs["data"].data[...] = np.random.RandomState(0).normal(5, 3, (8, 2, 4, 4))
        net.forward()
        out = net.blobs["norm"].data
        if abs(out.mean()) > 0.01 or abs(out.std() - 1) > 0.01:
            return True
    return False


class BatchNormalization(object):
    """BatchNorm as BVLC's batch_norm_layer.cpp has it, for a Caffe whose own is faulty."""

    def setup(self, bottom, top):
        eps, stored = self.param_str.split()
        self.eps, self.stored = float(eps), stored == "1"

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        x = np.array(bottom[0].data)
        axes = tuple(axis for axis in range(x.ndim) if axis != 1)
        if self.stored:  # statistics of a net that was never trained are zero
            mean, variance = 0.0, np.zeros((1,) * x.ndim)
        else:
            mean = x.mean(axis=axes, keepdims=True)
            variance = x.var(axis=axes, keepdims=True)
        self.root = np.sqrt(variance + self.eps)
        self.y = (x - mean) / self.root
        top[0].data[...] = self.y

    def backward(self, top, propagate_down, bottom):
        if not propagate_down[0]:
            return
        dy = np.array(top[0].diff)
        axes = tuple(axis for axis in range(dy.ndim) if axis != 1)
        if not self.stored:
            along = self.y * (dy * self.y).mean(axis=axes, keepdims=True)
            dy = dy - dy.mean(axis=axes, keepdims=True) - along
        bottom[0].diff[...] = dy / self.root


if __name__ != "__main__":  # imported by Caffe, for the layer
    import caffe

    class Normalize(BatchNormalization, caffe.Layer):
        """The layer; the mixin alone can be defined before limits are set and Caffe is imported."""


# ---------------------------------------------------------------- the run


class Child(object):
    """One run: loads, trains, measures, and writes down what it sees."""

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
        if "Python" not in known and self.job["has_norm"] and norm_is_faulty(self.caffe):
            raise Refused("this Caffe's BatchNorm does not normalise by the batch, and it runs no layer of ours")
        for name, kind in self.job["types"]:
            if kind not in known:
                self.say("unloadable", reason="layer '%s': this Caffe has no layer type %s" % (name, kind))
                sys.exit(0)

    def shapes(self):
        """The shape of each fed blob; what depends on the net is asked of Caffe."""
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
        own_norm = job["has_norm"] and norm_is_faulty(self.caffe)
        if own_norm:
            self.caffe.Net("net.prototxt", self.caffe.TRAIN)  # what Caffe refuses, it refuses here
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
                sys.exit(3)  # nobody waits any more
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
    """The ``input`` fields: V1 and V2 both know them."""
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
            pass  # some systems list a limit that they do not let us set


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
