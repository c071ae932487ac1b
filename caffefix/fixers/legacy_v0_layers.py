"""Layers are written in the first format, `layers { layer { … } }` (V0).

## What it finds

Nets whose layers wrap an inner `layer` with lower-case types (`conv`, `innerproduct`,
`padding`), the format before the end of 2013.

## Why it matters

Caffe upgrades such a net each time it loads it, with a warning, and drops without a word what
the old upgrade does not know (an `include` beside the inner layer, for instance). Most other
readers refuse it.

## Example

```
layers {
  layer { name: "conv1" type: "conv" num_output: 96 kernelsize: 11 }
  bottom: "data"
  top: "conv1"
}
```

## Fix safety

There is no fix yet: the finding is displayed, and nothing else is said of such a net.

## When it is a false alarm

Never: no later format has a `layer` inside `layers`.

## References

- BVLC Caffe, `src/caffe/util/upgrade_proto.cpp`, `UpgradeV0Net`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import Generation
from caffefix.findings import Finding, Phase, Severity, Subject

PHASE = Phase.UPGRADE
NAME = "legacy-v0-layers"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding a net, at its first V0 layer."""
    for net in subject.all_nets:
        old = [layer for layer in net.layers if layer.generation is Generation.V0]
        if old:
            count = "1 layer is" if len(old) == 1 else f"{len(old)} layers are"
            yield Finding(
                NAME,
                Severity.WARNING,
                f"{count} in V0 format (layers {{ layer {{ … }} }}), which Caffe upgrades "
                "at each load; migration of V0 comes later, so the net is left as it is",
                old[0].node,
            )
