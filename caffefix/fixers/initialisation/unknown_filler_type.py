"""The type of a filler is spelt in a way that Caffe does not recognise.

## What it finds

`type: "Xavier"`, `"MSRA"`, `"guassian"`: a filler type that differs from one of Caffe's seven only in case or
one letter. Also names that other libraries use for the same thing (`"kaiming"`, `"he"`, `"glorot"`,
`"normal"`, `"zeros"`), which are shown with Caffe's own name.

## Why it matters

Filler types are compared letter by letter. Caffe aborts while it builds the net:
`Unknown filler name: Xavier`. Deploy nets abort as well, because Caffe fills weights before it loads them.

## Example

```
 weight_filler {
-  type: "Xavier"
+  type: "xavier"
 }
```

## Fix safety

Safe: the old net could not be built. For names of other libraries no edit is offered, because their formulas
differ a little (Caffe's xavier has variance 1/fan_in).

## When it is a false alarm

If your own Caffe registers a filler of that name. Other unknown types are notes: types that only forks
register (NVIDIA's `xavierstatic`), with the names of the forks, and types that no known fork registers. With
`--dialect FORK`, a type that this fork does not register is an error.

## References

- BVLC Caffe, `include/caffe/filler.hpp`, `GetFiller`
- what 142 Caffes register, `caffefix/caffe/data/fillers.tsv`
- Glorot and Bengio 2010; He et al. 2015, arXiv:1502.01852
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.registry import Kind
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._layers import named_fillers
from caffefix.fixers._registered import Asked, asked
from caffefix.fixers._schema import respelling
from caffefix.syntax.edits import Replace
from caffefix.syntax.scalars import is_string, string_value
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
CHANGES = ("layer.*_param", "*_param", "*filler")
NAME = "unknown-filler-type"
VALUES = True

_ELSEWHERE = {
    "kaiming": "msra", "kaiming_normal": "msra", "he": "msra", "he_normal": "msra",
    "glorot": "xavier", "glorot_uniform": "xavier", "normal": "gaussian", "random_normal": "gaussian",
    "random_uniform": "uniform", "zeros": "constant", "zero": "constant", "ones": "constant",
}  # fmt: skip


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each filler."""
    caffe = asked(subject, Kind.FILLER)
    for layer, filler in named_fillers(subject, subject.nets if caffe.fork else None):
        node = filler.field("type")
        if node is not None and is_string(node.value):
            yield from _judge(layer, node, caffe)


def _judge(layer: str, node: Node, caffe: Asked) -> Iterator[Finding]:
    written = string_value(node.value)
    if caffe.has(written):
        return
    aborts = caffe.aborts(written)
    known = None if caffe.having(written) else respelling(written, caffe.names())
    if known is not None:
        quote = node.value[0]
        fix = Fix((Replace(node, f"{quote}{known}{quote}"),), Applicability.SAFE, f"{written} → {known}")
        yield Finding(NAME, Severity.ERROR, f'{aborts}; writes "{known}"', node, layer=layer, fix=fix)
    elif written.lower() in _ELSEWHERE:
        message = f'{aborts}; Caffe calls this "{_ELSEWHERE[written.lower()]}"'
        yield Finding(NAME, Severity.ERROR, message, node, layer)
    else:
        yield caffe.unregistered(NAME, written, node, layer)
