"""Which names are slips of which."""

from __future__ import annotations

import pytest

from caffefix.caffe.layers.bvlc import BVLC_TYPES
from caffefix.caffe.nearest import nearest
from caffefix.caffe.registry import Kind, names
from caffefix.caffe.schema import load


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("relu", "ReLU"),
        ("TANH", "TanH"),
        ("Convolutoin", "Convolution"),
        ("Convoltuon", "Convolution"),
        ("convolutoin", "Convolution"),
        ("Droput", "Dropout"),
        ("BatchNrom", "BatchNorm"),
        ("SoftmaxWithLos", "SoftmaxWithLoss"),
        ("SoftmaxWithLosss", "SoftmaxWithLoss"),
        ("Convolutionn", "Convolution"),
    ],
)
def test_slips(word: str, name: str) -> None:
    assert nearest(word, BVLC_TYPES) == (name,)


@pytest.mark.parametrize(
    "word",
    [
        "LReLU",
        "SELU",
        "Pooling3D",
        "ConvolutionFixed",
        "ImageGtData",
        "Sigmoids",
        "FancyAttention",
        "Filler",
        "LSTMs",
    ],
)
def test_names_of_their_own(word: str) -> None:
    assert nearest(word, BVLC_TYPES) == ()


def test_next_to_no_type_of_a_fork_is_a_slip() -> None:
    """What a fork calls its layers, seen by one who does not know the fork."""
    of_forks = set(names(Kind.LAYER, load().everyone)) - BVLC_TYPES
    assert {name for name in of_forks if nearest(name, BVLC_TYPES)} == {"Lstm"}
