"""The net file that a solver names cannot be found.

## What it finds

A `net`, `train_net` or `test_net` that is not a file: neither in the solver's folder, nor in the working
folder, nor in a folder given with `--root`, nor in a folder above the solver's (models in a repository name
their nets from its root).

## Why it matters

Caffe opens the path relative to the folder in which it is started, and aborts: `File not found:
train_val.prototxt`.

## Example

```
-net: "train_test.prototxt"
+net: "train_val.prototxt"
```

## Fix safety

No fix: only you know where the net is.

## When it is a false alarm

If the solver comes from another machine, or a program creates the net: the finding is a note (`--notes`).
For standard input, use `--stdin-filename`.

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
                f"no file {path} in the solver's folder or above it, the working folder or --root: "
                f'started there, Caffe aborts with "File not found: {path}"; correct the path'
            )
            yield Finding(NAME, Severity.INFO, message, node)
