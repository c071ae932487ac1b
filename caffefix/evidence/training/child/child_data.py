# ruff: noqa
# mypy: ignore-errors
"""Synthetic data for ``caffe_child.py``."""

from __future__ import absolute_import, division, print_function

import math

import numpy as np

CELLS = 8  # a pattern is a grid of so many cells, so pooling does not wash it out
MEAN, DEVIATION = 128.0, 58.0  # of 8-bit images, as natural images have them
NOISE = 16.0


class Task(object):
    """Batches of synthetic data: the class of each item determines everything that is fed."""

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
        # Half the variance is the colour of the image, so nets that see little of the image also learn.
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
        """Class 1: the two images of a pair are alike; class 0: they differ."""
        if feed["pair"] == "both":  # one blob holds the two images one after the other
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
