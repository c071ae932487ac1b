"""Signals grow layer by layer, so that the first steps of training wreck the net.

## What it finds

Train nets on 8-bit images whose predicted logits (what feeds a softmax or sigmoid loss) have a
standard deviation above 10, at the lower end of the prediction's bracket. See `caffefix signal`
for the prediction, layer by layer. Where a missing input scale is the cause,
`missing-input-scale` says so instead. A database whose range is not known is left alone: one that is called
features or floats, one that is scaled up, one from which a mean in 0..1 is subtracted without a scale.

## Why it matters

With logits of 10 and more, a softmax is sure of itself and wrong from the start: the loss
begins far above ln C, up to 87.34 where it saturates, and gradients are as large as the signals.
With usual rates the first steps kill the ReLUs (the loss settles at ln C for ever) or end in
NaN. `msra` on pixels of 0..255 does this in a deep net: it keeps their size, where `xavier`
lets it shrink into range.

## Example

```
 convolution_param {
   num_output: 64
   kernel_size: 3
   weight_filler {
-    type: "msra"
+    type: "xavier"
   }
 }
```

## Fix safety

Unsafe: it changes what a net starts from. The signals are predicted once more for the edited net,
and the edit is proposed only if its logits then lie in 0.1..10 and no blob on the way has a mean
|x| outside 1e-4..1e3. First `xavier` is tried in place of `msra`, then of all random fillers, then a
scale of 1/256 beside the mean. Where none lands, the finding is displayed.

## When it is a false alarm

When all weights are loaded (`--weights`): initial values do not matter then. Where the net's name or its
solver speaks of fine-tuning, or either of LSUV, it is a note (`--notes`) without a fix. The prediction
takes images to be of 8 bits; data stored as floats of 0..1 are smaller than it thinks. A very
small base_lr may get such a net through. Nets with BatchNorm, with layers of a fork, and with
`Python` layers are skipped.

## What the forums say

"`debug_info` prints L2 norms." It prints mean absolute values, Σ|x| / count, so that layers of any size can be
compared: see `vanishing-signal`, where it is measured.

## References

- Glorot and Bengio 2010 (xavier); He et al. 2015, arXiv:1502.01852 (msra)
- BVLC Caffe, `include/caffe/filler.hpp`; `softmax_loss_layer.cpp` (−ln FLT_MIN is 87.34)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.roles import LEARNING
from caffefix.findings import Finding, Pass, Subject
from caffefix.fixers._claims import start
from caffefix.fixers.initialisation._signals import PIXELS, exploded, finding, refilled, rescaled, shown, suspects

PASS = Pass.TUNE
CHANGES = ("layer.*_param.weight_filler", "layer.transform_param.scale")
NEEDS_FAMILY = True  # a solver beside the net may load weights
SIGNS = tuple(sorted(PIXELS))
ROLES = LEARNING
NAME = "exploding-signal"


_PLANS = ((("msra",), "xavier"), (("msra", "gaussian", "uniform"), "xavier"))


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each net."""
    for net, prediction in suspects(subject):
        logits = exploded(prediction)
        if logits is None or rescaled(subject, net, prediction, centred=False) is not None:
            continue
        wrong = (
            f"predicted before the first step: {shown(logits)}, so large that the first steps kill ReLUs or end "
            "in NaN"
        )
        remedy = refilled(subject, net, prediction, _PLANS) or rescaled(subject, net, prediction, centred=True)
        yield finding(NAME, logits, wrong, remedy, start(subject, net))
