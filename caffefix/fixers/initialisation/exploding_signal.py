"""Signals grow layer by layer, so the first steps of training wreck the net.

## What it finds

Train nets on 8-bit images whose predicted logits (what feeds a softmax or sigmoid loss) have a standard
deviation above 10, at the lower end of the prediction's bracket. See `caffefix signal` for the prediction,
layer by layer. Where a missing input scale is the cause, `missing-input-scale` is reported instead. Nothing
is reported for a database whose range is not known: one whose name says features or floats, one that is
scaled up, one from which a mean in 0..1 is subtracted without a scale.

## Why it matters

With logits of 10 and more, a softmax is confident and wrong from the start: the loss begins far above ln C,
up to 87.34 where it saturates, and gradients are as large as the signals. With the usual learning rates the
first steps kill the ReLUs (the loss settles at ln C for ever) or end in NaN. `msra` on pixels of 0..255 does
this in a deep net: it keeps their size, while `xavier` lets it shrink into range.

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

Unsafe: it changes the initial values of the net. The signals are predicted again for the edited net, and the
edit is proposed only if its logits then lie in 0.1..10 and no blob on the way has a mean |x| outside
1e-4..1e3. `xavier` is tried first in place of `msra`, then in place of all random fillers, then a scale of
1/256 alongside the mean. Where none of these works, the finding is displayed without an edit.

## When it is a false alarm

When all weights are loaded (`--weights`): initial values do not matter then. Where the name of the net or its
solver mentions fine-tuning, or either mentions LSUV, the finding is a note (`--notes`) without a fix. The
prediction assumes 8-bit images; data stored as floats of 0..1 are smaller than predicted. With a very small
base_lr such a net may survive the first steps. Nets with BatchNorm, with layers of a fork, and with `Python`
layers are skipped.

## What the forums say

"`debug_info` prints L2 norms." It prints mean absolute values, Σ|x| / count, so layers of any size can be
compared: `vanishing-signal` has the measurement.

## References

- Glorot and Bengio 2010 (xavier); He et al. 2015, arXiv:1502.01852 (msra)
- BVLC Caffe, `include/caffe/filler.hpp`; `softmax_loss_layer.cpp` (−ln FLT_MIN is 87.34)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.roles import LEARNING
from caffefix.evidence.prediction import exploded
from caffefix.findings import Finding, Pass, Subject
from caffefix.fixers._claims import start
from caffefix.fixers.initialisation._log import seen_lost
from caffefix.fixers.initialisation._signals import PIXELS, finding, refilled, rescaled, shown, suspects

PASS = Pass.TUNE
CHANGES = ("layer.*_param.weight_filler", "layer.transform_param.scale")
NEEDS_FAMILY = True  # a solver in the same folder may load weights
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
            f"in NaN{seen_lost(subject)}"
        )
        remedy = refilled(subject, net, prediction, _PLANS) or rescaled(subject, net, prediction, centred=True)
        yield finding(NAME, logits, wrong, remedy, start(subject, net))
