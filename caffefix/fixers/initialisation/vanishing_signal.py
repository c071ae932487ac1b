"""Signals shrink layer by layer, so the net starts at chance and hardly moves.

## What it finds

Train nets on 8-bit images whose predicted logits (what feeds a softmax or sigmoid loss) have a standard
deviation below 0.05, at the upper end of the prediction's bracket, and whose weights are not so small that
they move fast anyway. See `caffefix signal` for the prediction, layer by layer.

## Why it matters

`xavier` gives weights the variance 1/fan_in, which keeps the size of a signal through a linear layer; each
ReLU then halves its square. After 15 of them a signal is 180 times smaller. Pixels of 0..255 can afford that,
and nets of that time relied on it; pixels scaled by 1/256 cannot. The loss starts at ln C, and the gradients
are as small as the signal. A higher base_lr does not help: training diverges before the signal grows. `msra`
gives 2/fan_in, which makes up for the ReLUs.

## Example

```
 convolution_param {
   num_output: 64
   kernel_size: 3
   weight_filler {
-    type: "xavier"
+    type: "msra"
   }
 }
```

## Fix safety

Unsafe: it changes the initial values of the net. The signals are predicted again for the edited net, and the
edit is proposed only if its logits then lie in 0.1..10 and no blob on the way has a mean |x| outside
1e-4..1e3. `msra` is tried first in place of `xavier`, then in place of all random fillers, then `xavier` in
place of fillers whose spread is set by hand. Where none of these works, the finding is displayed without an
edit.

## When it is a false alarm

When all weights are loaded (`--weights`): initial values do not matter then. Where the name of the net or its
solver mentions fine-tuning, or either mentions LSUV, the finding is a note (`--notes`) without a fix. The
prediction assumes 8-bit images; data stored in a larger or smaller range are predicted wrongly. Nets with
BatchNorm, with layers of a fork, and with `Python` layers are skipped.

## What the forums say

"With `scale: 0.00390625` gradients are 255 times smaller, so take `base_lr` times 255." A VGG-16 of 16
channels in real Caffe, five classes, 800 iterations, chance at ln 5 = 1.61 (`bench/forum_claims.py base_lr`):

| filler | scale | base_lr | first loss | last loss |
|---|---|---|---|---|
| `xavier` | `1` | `0.001` | 1.61 | 0.0002 |
| `xavier` | `1/256` | `0.001` | 1.61 | 1.61 |
| `xavier` | `1/256` | `0.255` | 1.61 | 1.61 |
| `xavier` | `1/256` | `2.55` | 1.61 | 1.61 |
| `msra` | `1/256` | `0.001` | 1.60 | 0.0003 |
| `msra` | `1/256` | `0.255` | 1.60 | 1.61 |

The filler is wrong, and with the right one the old learning rate is right. The other answer, "`xavier` with
`std: 0.1`", changes nothing: see `ignored-filler-field`.

"`debug_info` prints L2 norms." It prints mean absolute values, Σ|x| / count, which is what `caffefix signal`
predicts. An output for Gaussian noise, measured both ways (`bench/forum_claims.py debug_info`):

| Caffe's line | mean of absolute values | root mean square | L2 norm |
|---|---|---|---|
| 43.94 | 43.94 | 55.99 | 3135 |

So the numbers of layers of different sizes can be compared, and a drop to one tenth from layer to layer is a
shrinking signal. Only the last line, `All net params`, has sums and L2 norms.

## References

- Glorot and Bengio 2010 (xavier); He et al. 2015, arXiv:1502.01852 (msra)
- Schoenholz et al. 2017, arXiv:1611.01232 (how deep a signal gets)
- BVLC Caffe, `include/caffe/filler.hpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.roles import LEARNING
from caffefix.evidence.prediction import Logits, vanished
from caffefix.findings import Finding, Pass, Subject
from caffefix.fixers._claims import start
from caffefix.fixers.initialisation._signals import PIXELS, finding, refilled, shown, suspects

PASS = Pass.TUNE
CHANGES = ("layer.*_param.weight_filler",)
NEEDS_FAMILY = True  # a solver in the same folder may load weights
SIGNS = tuple(sorted(PIXELS))
ROLES = LEARNING
NAME = "vanishing-signal"


# Fillers made for signals that ReLUs do not halve, and fillers whose spread is set by hand.
_PLANS = (
    (("xavier",), "msra"),
    (("xavier", "gaussian", "uniform"), "msra"),
    (("gaussian", "uniform"), "xavier"),
)


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each net."""
    for net, prediction in suspects(subject):
        logits = vanished(prediction)
        if logits is not None:
            wrong = (
                f"predicted before the first step: {shown(logits)}{_through(logits)}, too small to learn from: "
                "the loss starts at chance and stays there"
            )
            remedy = refilled(subject, net, prediction, _PLANS)
            yield finding(NAME, logits, wrong, remedy, start(subject, net))


def _through(logits: Logits) -> str:
    count = sum(layer.type == "ReLU" for layer in logits.feeders)
    return f" after {count} ReLUs" if count > 1 else ""
