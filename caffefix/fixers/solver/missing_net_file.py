"""The net that a solver names is not there.

## What it finds

A `net`, `train_net` or `test_net` that is no file: not in the solver's folder, not in the working
folder, not in a folder given by `--root`, and not in a folder above the solver's (models of a
repository name their nets from its root).

## Why it matters

Caffe opens the path from the folder in which it is started, and aborts: `File not found:
train_val.prototxt`.

## Example

```
-net: "train_test.prototxt"
+net: "train_val.prototxt"
```

## Fix safety

No fix: where the net is only you know.

## When it is a false alarm

Where the solver is one of another machine, or the net is made by a program: this is a note
(`--notes`). For standard input, give `--stdin-filename`.

## References

- BVLC Caffe, `src/caffe/util/io.cpp`, `ReadProtoFromTextFile`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.syntax.scalars import string_value

PASS = Pass.TUNE
SIGNS = ("net", "train_net", "test_net")
NAME = "missing-net-file"
VALUES = True
NEEDS_FAMILY = True


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each path."""
    solver = subject.solver
    if solver is None:
        return
    for node in solver.net_paths():
        path = string_value(node.value)
        if path in subject.family.lost:
            message = (
                f"no file {path} beside the solver, in the working folder, in those above or in --root: "
                f'started there, Caffe aborts with "File not found: {path}"; correct the path'
            )
            yield Finding(NAME, Severity.INFO, message, node)
