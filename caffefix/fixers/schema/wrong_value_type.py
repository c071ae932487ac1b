"""A value has a type that the field does not accept.

## What it finds

A number where Caffe expects a string, a string where it expects a number or a word, a negative number where
it accepts none, a fraction where it expects an integer, a message where it expects a value: anything that
every fork that knows the field refuses. Confusions of the V1 and V2 formats (`layer { type: CONVOLUTION }`,
`layers { type: "Convolution" }`) are left to `legacy-v1-layers`.

## Why it matters

The parser stops at the value, and nothing is loaded: `Expected integer, got: 64.0`.

## Example

```
 convolution_param {
-  num_output: 64.0
+  num_output: 64
   kernel_size: 3
 }
```

## Fix safety

No fix: the finding only reports the value, in the parser's own words.

## When it is a false alarm

For an unknown fork that gives the field another type. A list where one value is expected and a name where a
number is expected (`num_output: classes`) are notes (`--notes`): nobody writes them by mistake. Anything
else that is refused is also a note if the file's fields show that it is for an unknown fork. A placeholder
that a program or a person fills in (`num_output: NUM_CLASSES`, `"${CLASSES}"`, `TODO`) is not reported.

## References

- protobuf, `src/google/protobuf/text_format.cc`, `ConsumeFieldValue`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.typecheck import BARE_LIST, Kind
from caffefix.findings import UNLOADABLE, Finding, Pass, Subject
from caffefix.fixers._schema import finding, is_foreign, is_name, universal

PASS = Pass.UPGRADE
CHANGES = (UNLOADABLE,)
SIGNS = (Kind.WRONG_TYPE.value,)
NAME = "wrong-value-type"
VALUES = True

# What the parser's words mean where people confuse the formats, by (message, field).
_EXPLAINED = {
    ("V1LayerParameter", "type"): "in layers { … } (V1) the type is a word without quotes",
    ("LayerParameter", "type"): "in layer { … } (V2) the type is a string",
    ("V1LayerParameter", "param"): 'in layers { … } (V1) param is a string; rates are set with "blobs_lr"',
    ("LayerParameter", "param"): "in layer { … } (V2) param is a message: param { lr_mult: 1 }",
    ("SolverParameter", "type"): 'the solver\'s type is a string: type: "SGD"',
    ("SolverParameter", "solver_mode"): "solver_mode is a word without quotes: GPU or CPU",
}


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each value."""
    for problem in universal(subject, Kind.WRONG_TYPE):
        explained = _EXPLAINED.get((problem.message, problem.node.name))
        more = f"; {explained}" if explained else ""
        if problem.text == BARE_LIST:
            more = f"; with a colon it is an empty list, {problem.node.name}: []"
        if is_foreign(subject, problem):
            named = is_name(problem.node)
            more = ", until it is filled in" if named else "; valid only for a fork that accepts a list"
        message = f'"{problem.node.name}" does not accept this value ({problem.text}): the parser stops here{more}'
        yield finding(NAME, subject, problem, message)
