"""A word that a field does not know.

## What it finds

An identifier or number that is no value of the field's enum in any fork that knows the field:
`pool: max`, `phase: train`, `solver_mode: gpu`, `backend: lmdb`.

## Why it matters

Words are case-sensitive. The parser stops, and nothing is loaded: `Unknown enumeration value of
"max" for field "pool"`.

## Example

```
 pooling_param {
-  pool: max
+  pool: MAX
 }
```

## Fix safety

Safe where exactly one value is the word but for case or for one letter, and some fork accepts
the file once it is mended: the old file loaded nowhere. Otherwise it is displayed with the
values that there are; as a note (`--notes`) where the word is like none of them, because real
files with such words (`engine: FFT`) are made for forks that are not among the known ones. Types of V1
layers belong to `legacy-v1-layers`.

## When it is a false alarm

For a fork that is not among those that are known, and has the value.

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
    # Types of layers are left to what migrates them, but where there is nothing to migrate to.
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
            message = f"{what}: the parser stops here{unless}; there are {known}"
            yield finding(NAME, subject, problem, message, likely=bool(like_value(subject, problem)))
