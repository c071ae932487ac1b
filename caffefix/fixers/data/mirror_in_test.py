"""Images are mirrored at random while the net is tested.

## What it finds

`mirror: true` in a data layer that belongs to phase TEST only, or in a net that is only tested: one that a
solver in the same folder names as `test_net`.

## Why it matters

Caffe mirrors in every phase: unlike random cropping, `mirror` is not switched off for TEST. Each test then
runs on a different mixture of mirrored images, so accuracy is that of a harder set than the real one, and
differs from run to run. Usually the line was copied along with the TRAIN layer.

## Example

```
 layer {
   name: "data"
   type: "Data"
   top: "data"
   top: "label"
   include { phase: TEST }
   transform_param {
-    mirror: true
+    mirror: false
     scale: 0.00390625
   }
   data_param { source: "test_lmdb" batch_size: 32 backend: LMDB }
 }
```

## Fix safety

Unsafe: the numbers that tests print change (weights and training do not).

## When it is a false alarm

When many passes over the test images are averaged on purpose.

## References

- BVLC Caffe, `src/caffe/data_transformer.cpp`, `Transform` (`do_mirror`)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Phase, truth
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import only_in, transform_field
from caffefix.syntax.edits import Replace

PASS = Pass.REPAIR
CHANGES = ("layer.transform_param.mirror",)
SIGNS = ("mirror",)
NAME = "mirror-in-test"
VALUES = True


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each data layer."""
    for net in subject.nets:
        tested = subject.is_tested(net)
        for layer in net.layers:
            node = transform_field(layer, "mirror") if layer.kind.images else None
            if node is None or not truth(node.value) or not (tested or only_in(layer, Phase.TEST)):
                continue
            message = (
                "test images are mirrored at random, because Caffe mirrors in every phase: accuracy differs from "
                "run to run; switches mirroring off"
            )
            fix = Fix((Replace(node, "false"),), Applicability.UNSAFE, f"mirror {node.value} → false")
            yield Finding(NAME, Severity.WARNING, message, node, layer=layer.name, fix=fix)
