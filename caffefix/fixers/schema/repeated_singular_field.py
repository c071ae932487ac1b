"""A field that may appear only once is given twice.

## What it finds

A second value of a field that every fork that knows it accepts only once: two `weight_filler` blocks, two
`convolution_param` blocks, `name` twice. Fields that may be repeated (`bottom`, `param`, Convolution's
`kernel_size`, one for each axis) are not reported.

## Why it matters

Caffe uses neither the last value nor the first: the parser stops, and nothing is loaded: `Non-repeated
field "weight_filler" is specified multiple times`.

## Example

```
 convolution_param {
   num_output: 4
   kernel_size: 3
   weight_filler { type: "xavier" }
-  weight_filler { type: "msra" }
 }
```

## Fix safety

No fix: the file does not say which value is meant.

## When it is a false alarm

For an unknown fork that repeats the field. Two different `source`s are a note (`--notes`): forks for
several disks or machines read a list of databases. A field that some Caffe repeats is also a note:
`kernel_size`, `stride`, `pad` and `dilation` of Pooling and related layers, one for each axis in BVLC's
OpenCL branch and in forks with N-dimensional layers.

## References

- protobuf, `src/google/protobuf/text_format.cc`, `ConsumeField`
  (`SingularOverwritePolicy`)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix._startup.records import replace
from caffefix.caffe.schema import load
from caffefix.caffe.typecheck import Kind, Problem
from caffefix.findings import UNLOADABLE, Finding, Pass, Severity, Subject
from caffefix.fixers._schema import finding, lists_sources, universal

PASS = Pass.UPGRADE
CHANGES = (UNLOADABLE,)
SIGNS = (Kind.REPEATED.value,)
NAME = "repeated-singular-field"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each value after the first."""
    for problem in universal(subject, Kind.REPEATED):
        is_list = _is_list_elsewhere(problem)
        message = (
            f'"{problem.node.name}" may appear only once, but is given again: the parser stops here and uses '
            "neither"
        )
        message += "; valid only for a Caffe that accepts a list" if is_list else "; delete one of them"
        found = finding(NAME, subject, problem, message, likely=True)
        is_told = subject.named or not (is_list or lists_sources(problem.node))
        yield found if is_told else replace(found, severity=Severity.INFO)


# One for each axis, where layers have N dimensions (BVLC's OpenCL branch among others).
_OF_AXES = frozenset(("kernel_size", "stride", "pad", "dilation"))


def _is_list_elsewhere(problem: Problem) -> bool:
    """Whether some Caffe accepts a list where those that may read the file accept one value."""
    variants = load().messages.get(problem.message, {}).get(problem.node.name, ())
    return problem.node.name in _OF_AXES or any(variant.label == "repeated" for variant in variants)
