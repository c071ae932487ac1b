# ruff: noqa
# mypy: ignore-errors
"""BatchNorm for a Caffe whose own is faulty: Caffe imports it as a Python layer, ``caffe_child.py`` to test
Caffe's."""

from __future__ import absolute_import, division, print_function

import caffe
import numpy as np

TINY = """
input: "data" input_shape { dim: 8 dim: 2 dim: 4 dim: 4 }
layer { name: "norm" type: "BatchNorm" bottom: "data" top: "norm" }
"""


def norm_is_faulty():
    """Whether BatchNorm in the TRAIN phase does something other than normalise by the batch.

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


class Normalize(caffe.Layer):
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
