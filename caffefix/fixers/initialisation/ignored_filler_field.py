"""A filler has fields that its type does not read.

## What it finds

`std`, `mean`, `value`, `min`, `max` or `variance_norm` in a filler whose type ignores the field: `xavier`
with `std`, `constant` with `std`, `bilinear` with `value`.

## Why it matters

Caffe reads only the fields that the type of a filler needs: `constant` reads `value`, `uniform` `min` and
`max`, `gaussian` `mean` and `std`, `xavier` and `msra` `variance_norm`, `bilinear` nothing. The field looks
as if it set something. `xavier` with `std: 0.1` is plain xavier with variance 1/fan_in, whatever the number.

## Example

```
 weight_filler {
   type: "xavier"
-  std: 0.1
 }
```

## Fix safety

Unsafe, although Caffe never reads the field and the net is the same without it: perhaps the number was
intended, and the type should change instead (`type: "gaussian"` reads `std`). The edit is made on request
only (`--unsafe`, or `--select ignored-filler-field`). The finding is a note, shown with `--notes`.

## When it is a false alarm

The field never changes what a net does; nets that are known to be good have such fields (GoogLeNet's `xavier`
with `std`). Filler types that BVLC's Caffe does not have are not reported.

## What the forums say

"Use `xavier` with `std: 0.1`." 64 outputs of 576 inputs each, filled by real Caffe from the same seed
(`bench/forum_claims.py std`):

| weight_filler | standard deviation of the weights |
|---|---|
| `type: "xavier"` | 0.0417 |
| `type: "xavier" std: 0.1` | 0.0417 |
| `type: "xavier" std: 0.001` | 0.0417 |

The weights are the same to the last bit; 1/√576 is 0.0417. To set the standard deviation, use
`type: "gaussian"`.

## References

- BVLC Caffe, `include/caffe/filler.hpp`; `caffe.proto`, `FillerParameter`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import named_fillers
from caffefix.syntax.edits import Delete
from caffefix.syntax.tree import Node

PASS = Pass.TUNE
CHANGES = ("layer.*_param", "*_param", "*filler")
NAME = "ignored-filler-field"

# sparse is not among the fields: all types except gaussian abort on it.
_FIELDS = frozenset(("value", "min", "max", "mean", "std", "variance_norm"))
_READ = {
    "constant": {"value"},
    "uniform": {"min", "max"},
    "gaussian": {"mean", "std"},
    "positive_unitball": set(),
    "xavier": {"variance_norm"},
    "msra": {"variance_norm"},
    "bilinear": set(),
}
SIGNS = tuple(sorted(_FIELDS))


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each filler."""
    for layer, filler in named_fillers(subject):
        kind = filler.string("type") or "constant"
        if kind in _READ:
            yield from _judge(layer, filler, kind)


def _judge(layer: str, filler: Node, kind: str) -> Iterator[Finding]:
    ignored = [node for node in filler.children() if node.name in _FIELDS - _READ[kind]]
    if not ignored:
        return
    names = " and ".join(node.name for node in ignored)
    reads = " and ".join(sorted(_READ[kind])) or "no field"
    what = "it" if len(ignored) == 1 else "them"
    message = f'Caffe ignores {names} in a "{kind}" filler, which reads {reads}; deletes {what}'
    fix = Fix(tuple(map(Delete, ignored)), Applicability.UNSAFE, f"delete {names} of {filler.name}")
    yield Finding(NAME, Severity.INFO, message, ignored[0], layer=layer, fix=fix)
