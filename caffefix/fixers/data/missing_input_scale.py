"""Raw pixels of 0..255 go into a net that is not made for them.

## What it finds

Train nets whose images come from `Data`, `ImageData`, `WindowData` or `AnnotatedData` layers with neither a
scale nor a mean, where because of that the predicted logits (what feeds a softmax or sigmoid loss) have a
standard deviation above 10, at the lower end of the prediction's bracket. A net that brings raw pixels into
range itself, by its depth, its fillers or a `Power` layer, is not reported. Nor is a net whose database is
named after features or floats: its range is not known.

## Why it matters

Nets of a few `xavier` layers come from frameworks that load images as 0..1, and work there. The same net in
Caffe receives 0..255: the logits are 256 times as large, the loss begins far above ln C, the first steps kill
the ReLUs, and the loss stays at ln C for ever. No learning-rate policy fixes that.

## Example

```
 layer {
   name: "data"
   type: "Data"
   top: "data"
   top: "label"
+  transform_param {
+    scale: 0.00390625
+  }
   data_param {
     source: "train_lmdb"
     batch_size: 32
     backend: LMDB
   }
 }
```

## Fix safety

Unsafe: it changes what the net computes, and weights that were trained without the scale depend on raw
pixels. The scale of 1/256 goes into every phase, and is proposed only if the net's logits, predicted again
with it, lie in 0.1..10. The input of a deploy net must be scaled in the same way.

## When it is a false alarm

When the database holds floats of 0..1, and its name does not say so. When all weights are loaded
(`--weights`) and were trained on raw pixels. Where the name of the net or its solver mentions fine-tuning, or
either mentions LSUV, the finding is a note (`--notes`) without a fix.

## What the forums say

- "Change `power` of the `poly` policy." After 100,000 of 3,000,000 iterations the rate is 0.98 of `base_lr` with
  `power: 0.5`, 0.93 with `power: 2`, so it cannot matter.
- "With `scale: 0.00390625` use `base_lr` times 255." A scale changes the signals of every layer, a rate only
  the steps; in a deep net of `xavier` layers neither helps, see `vanishing-signal`.
- "Divide the mean by 255, too." No: the mean is subtracted first, see `mean-in-scaled-units`.

## References

- BVLC Caffe, `src/caffe/data_transformer.cpp`, `Transform`
- Glorot and Bengio 2010 (what xavier keeps)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.roles import LEARNING
from caffefix.evidence.prediction import exploded
from caffefix.findings import Finding, Pass, Subject
from caffefix.fixers._claims import start
from caffefix.fixers.initialisation._log import seen_lost
from caffefix.fixers.initialisation._signals import PIXELS, finding, rescaled, shown, suspects

PASS = Pass.TUNE
CHANGES = ("layer.transform_param.scale",)
NEEDS_FAMILY = True  # a solver in the same folder may load weights
SIGNS = tuple(sorted(PIXELS))
ROLES = LEARNING
NAME = "missing-input-scale"


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each net."""
    for net, prediction in suspects(subject):
        logits = exploded(prediction)
        remedy = rescaled(subject, net, prediction, centred=False) if logits is not None else None
        if logits is not None and remedy is not None:
            wrong = (
                f"pixels are neither scaled nor centred; predicted before the first step: {shown(logits)}, "
                f"so large that the first steps kill ReLUs or end in NaN{seen_lost(subject)}"
            )
            yield finding(NAME, logits, wrong, remedy, start(subject, net))
