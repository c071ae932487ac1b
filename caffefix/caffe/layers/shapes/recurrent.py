"""LSTM and RNN: T × N × … in, T × N × num_output out (recurrent_layer.cpp)."""

from __future__ import annotations

from caffefix.caffe.fillers import Dim, Shape, count
from caffefix.caffe.layers.shapes.base import Outcome, ParamBlob, Site, require


def recurrent(site: Site) -> Outcome:
    """The sequence of hidden states; also the last ones if they are exposed."""
    param, bottom = site.fields("recurrent_param"), site.bottom
    outputs = param.integer("num_output", 0)
    require("num_output > 0", outputs, 0, "num_output must be positive")
    steps: Dim = None
    streams: Dim = None
    inputs: Dim = None
    if bottom is not None:
        message = "bottom[0] must have at least 2 axes -- (#timesteps, #streams, ...)"
        require("bottom[0]->num_axes() >= 2", len(bottom), 2, message)
        steps, streams, inputs = bottom[0], bottom[1], count(bottom[2:])
    if len(site.bottoms) > 1:
        _check_continuation(site.bottoms[1], steps, streams)
    hidden: Shape = (1, streams, outputs)
    tops: tuple[Shape, ...] = ((steps, streams, outputs),)
    if param.flag("expose_hidden", False):
        tops += (hidden,) * (2 if site.layer.type == "LSTM" else 1)
    return Outcome(tops, _params(site, outputs, inputs))


def _check_continuation(shape: Shape, steps: Dim, streams: Dim) -> None:
    if shape is None:
        return
    message = "bottom[1] must have exactly 2 axes -- (#timesteps, #streams)"
    require("bottom[1]->num_axes() == 2", len(shape), 2, message)
    require("T_ == bottom[1]->shape(0)", steps, shape[0])
    require("N_ == bottom[1]->shape(1)", streams, shape[1])


def _params(site: Site, outputs: Dim, inputs: Dim) -> tuple[ParamBlob, ...]:
    param = site.fields("recurrent_param")
    weight, bias = param.filler("weight_filler"), param.filler("bias_filler")
    gates = 4 if site.layer.type == "LSTM" else 1
    wide = None if outputs is None else gates * outputs
    blobs = [ParamBlob("weight", (wide, inputs), weight), ParamBlob("bias", (wide,), bias)]
    hidden = 0 if not param.flag("expose_hidden", False) else 2 if gates == 4 else 1
    if len(site.bottoms) > 2 + hidden:
        static = site.bottoms[2]
        blobs.append(ParamBlob("weight", (wide, None if static is None else count(static[1:])), weight))
    blobs.append(ParamBlob("weight", (wide, outputs), weight))
    if site.layer.type == "RNN":
        blobs += [ParamBlob("weight", (outputs, outputs), weight), ParamBlob("bias", (outputs,), bias)]
    return tuple(blobs)
