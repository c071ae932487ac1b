"""A layer has both `include` and `exclude` rules.

## What it finds

`include { … }` and `exclude { … }` in one layer.

## Why it matters

Caffe accepts only one kind of rule and aborts when it selects the layers of a phase: `Specify either
include rules or exclude rules; not both.`

## Example

```
 layer {
   name: "accuracy"
   type: "Accuracy"
   bottom: "fc8"
   bottom: "label"
   top: "accuracy"
   include { phase: TEST }
-  exclude { phase: TRAIN }
 }
```

## Fix safety

No fix: the combination could mean several things.

## When it is a false alarm

If a program evaluates the rules before Caffe does.

## References

- BVLC Caffe, `src/caffe/net.cpp`, `Net::FilterNet`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.REPAIR
SIGNS = ("exclude",)
NAME = "include-and-exclude"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each layer."""
    for net in subject.nets:
        for layer in net.layers:
            node = layer.node.field("exclude")
            if layer.includes and node is not None:
                message = (
                    'Caffe aborts with "Specify either include rules or exclude rules; not both.": '
                    "use only one of the two"
                )
                yield Finding(NAME, Severity.ERROR, message, node, layer.name)
