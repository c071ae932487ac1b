"""A frozen bilinear Deconvolution mixes all channels into each output.

## What it finds

A Deconvolution with a `bilinear` filler, weights frozen by `lr_mult: 0`, more than one output and
`group` not equal to `num_output`, in a train net.

## Why it matters

The filler writes the same interpolation kernel for every pair of input and output channels. With `group: 1`
each output is the sum of all input channels, upsampled: all outputs are equal, for ever, because the weights
are frozen. After a score layer every class gets the same score, and the loss stays at ln(number of classes).
With `group` equal to the number of channels, each channel is upsampled by itself.

## Example

```
 convolution_param {
   num_output: 21
+  group: 21
   kernel_size: 4
   stride: 2
   bias_term: false
   weight_filler { type: "bilinear" }
 }
```

## Fix safety

Unsafe: the weights get another shape, so weights that were trained before no longer load. The edit is offered
where the layer before also has `num_output` channels.

## When it is a false alarm

When weights are loaded for this layer, or written into it by a program before training (FCN's
`surgery.interp`): the filler does not matter then, and `from-scratch = false` turns the finding off. With a
learning rate the layer can learn to tell channels apart, and is not reported.

## References

- BVLC Caffe, `include/caffe/filler.hpp`, `BilinearFiller` (its comment asks for `group`)
- BVLC/caffe issue 5611
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Layer
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import bvlc_nets, phase_layers, with_makers
from caffefix.syntax.edits import After, Edit, Insert, NewField, Replace

PASS = Pass.REPAIR
CHANGES = ("layer.convolution_param.group",)
NEEDS_FAMILY = True  # a solver in the same folder may load weights
SIGNS = ("Deconvolution",)
NAME = "bilinear-without-groups"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer."""
    if not subject.from_scratch:
        return
    for net in bvlc_nets(subject):
        if subject.learns(net):
            for layer, makers in with_makers(next(phase_layers(net))):
                if layer.type == "Deconvolution" and len(makers) == 1:
                    yield from _judge(layer, makers[0])


def _judge(layer: Layer, maker: Layer | None) -> Iterator[Finding]:
    outputs = int(layer.number("convolution_param", "num_output", 0))
    group = int(layer.number("convolution_param", "group", 1))
    kind = layer.filler("convolution_param", "weight_filler").type
    if kind != "bilinear" or layer.param(0).lr_mult != 0 or not 1 <= group < outputs:
        return
    node = layer.node.message("convolution_param", "weight_filler")
    assert node is not None
    message = (
        f"a frozen bilinear kernel with group {group} sums all {'' if group == 1 else 'the '}"
        f"channels{'' if group == 1 else ' of its group'} into each output, so all outputs are equal for ever"
    )
    channels = maker.number("convolution_param", "num_output", 0) if maker is not None else 0
    if maker is None or maker.type != "Convolution" or channels != outputs:
        advice = f"{message}; set group = num_output = the number of channels"
        yield Finding(NAME, Severity.WARNING, advice, node, layer.name)
        return
    fix = Fix((_group(layer, outputs),), Applicability.UNSAFE, f"group {group} → {outputs}")
    yield Finding(
        NAME, Severity.WARNING, f"{message}; gives each channel a group", node, layer=layer.name, fix=fix
    )


def _group(layer: Layer, outputs: int) -> Edit:
    holder = layer.node.message("convolution_param")
    assert holder is not None
    given, count = holder.field("group"), holder.field("num_output")
    if given is not None:
        return Replace(given, str(outputs))
    assert count is not None
    return Insert(After(count), (NewField("group", str(outputs)),))
