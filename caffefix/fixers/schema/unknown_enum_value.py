"""A word is not a value of the field's enum.

## What it finds

An identifier or number that is not a value of the field's enum in any fork that knows the field: `pool:
max`, `phase: train`, `solver_mode: gpu`, `backend: lmdb`.

## Why it matters

Enum values are case-sensitive. The parser stops, and nothing is loaded: `Unknown enumeration value of "max"
for field "pool"`.

## Example

```
 pooling_param {
-  pool: max
+  pool: MAX
 }
```

## Fix safety

Safe where exactly one value equals the word except for case or one letter, and some fork accepts the file
after the edit: the old file loaded nowhere. Otherwise the finding only lists the known values; it is a note
(`--notes`) where the word resembles none of them, because real files with such words (`engine: FFT`) are
made for unknown forks. Types of V1 layers are left to `legacy-v1-layers`.

## When it is a false alarm

For an unknown fork that has the value.

## References

- protobuf, `src/google/protobuf/text_format.cc`, `ConsumeFieldValue`
- the enums of 159 forks, `caffefix/caffe/data/enums.tsv`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.typecheck import Kind
from caffefix.findings import UNLOADABLE, Finding, Pass, Subject
from caffefix.fixers._schema import finding, like_value, loads_with, respelling, safe, universal, values
from caffefix.syntax.edits import Replace

PASS = Pass.UPGRADE
CHANGES = (UNLOADABLE,)
SIGNS = (Kind.UNKNOWN_VALUE.value,)
NAME = "unknown-enum-value"
VALUES = True


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each value."""
    # Layer types are left to legacy-v1-layers, unless there is no format to migrate to.
    migrates = subject.knows("NetParameter", "layer")
    wrong = [
        p
        for p in universal(subject, Kind.UNKNOWN_VALUE)
        if not p.node.is_list and not (migrates and p.node.name == "type")
    ]
    meant = {id(problem): respelling(problem.node.value, values(subject, problem)) for problem in wrong}
    edits = [Replace(p.node, word) for p in wrong if (word := meant[id(p)]) is not None]
    mends = bool(edits) and loads_with(subject, edits)
    for problem in wrong:
        word = meant[id(problem)]
        who = f"{subject.caffes.who} has no" if subject.own else "no known fork has a"
        what = f'{who} value {problem.node.value} for "{problem.node.name}"'
        if word is not None and mends:
            fix = safe(Replace(problem.node, word), f"{problem.node.value} → {word}", subject)
            yield finding(NAME, subject, problem, f"{what}: the parser stops here; writes {word}", fix)
        else:
            known = ", ".join(values(subject, problem)[:6])
            unless = "" if subject.own else ", unless yours has it"
            message = f"{what}: the parser stops here{unless}; known values: {known}"
            yield finding(NAME, subject, problem, message, likely=bool(like_value(subject, problem)))
