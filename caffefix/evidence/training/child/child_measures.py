# ruff: noqa
# mypy: ignore-errors
"""Signs of life in a net, for ``caffe_child.py``."""

from __future__ import absolute_import, division, print_function

import numpy as np


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
        """The blobs and parameters that show a sign of life in that many batches, and their sizes."""
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
