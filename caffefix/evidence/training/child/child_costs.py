# ruff: noqa
# mypy: ignore-errors
"""What a constant prediction costs, for ``caffe_child.py``."""

from __future__ import absolute_import, division, print_function

import math

import numpy as np


class Refused(Exception):
    """The task cannot be represented; the message says why."""


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
