"""Layers that go through time steps."""

from __future__ import annotations

from caffefix.caffe.layers.kind import LayerType

_NO_OUTPUT = "Check failed: num_output > 0 (0 vs. 0) num_output must be positive"

# A static input is another bottom, and where the hidden state is exposed, each part of it is a bottom and a top.
TYPES = (
    LayerType(
        "LSTM",
        params=("recurrent_param",),
        needs_params=True,
        bottoms=(2, 5),
        tops=(1, 3),
        shape="recurrent.recurrent",
        zero="recurrent",
        weights="recurrent_param",
        outputless=_NO_OUTPUT,
        recurrent=True,
        words=True,
    ),
    LayerType(
        "RNN",
        params=("recurrent_param",),
        needs_params=True,
        bottoms=(2, 4),
        tops=(1, 2),
        shape="recurrent.recurrent",
        zero="recurrent",
        weights="recurrent_param",
        outputless=_NO_OUTPUT,
        recurrent=True,
        words=True,
    ),
    LayerType("LSTMUnit", bottoms=(3, 3), tops=(2, 2), shape="ends.lstm_unit"),
)
