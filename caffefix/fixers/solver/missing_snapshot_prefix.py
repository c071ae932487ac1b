"""Snapshots are asked for, but snapshot_prefix does not say where they go, or by what name.

## What it finds

A positive `snapshot` without `snapshot_prefix`, with an empty one, or with one that is only a folder (it ends
with `/`).

## Why it matters

Caffe of before 2018 aborts while it makes the solver if there is none: `In solver params, snapshot is
specified but snapshot_prefix is not`. Later versions take the solver's own path without its ending, and its
name in a folder that exists. An empty prefix makes files called `_iter_1000.caffemodel` in the working folder,
and to Caffe of before 2018 a folder makes them there: two solvers that write there overwrite each
other's snapshots.

## Example

```
 snapshot: 5000
+snapshot_prefix: "snapshots/lenet"
```

## Fix safety

No fix: where weights are to be written is yours to choose. The folder must exist; Caffe makes none.

## When it is a false alarm

If your Caffe is of 2018 or later, or if your program sets the prefix, as those do that make solvers. It is a
note: shown with `--notes`.

## References

- BVLC Caffe, `src/caffe/solver.cpp`, `CheckSnapshotWritePermissions`;
  `src/caffe/util/upgrade_proto.cpp`, `UpgradeSnapshotPrefixProperty`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.REPAIR
SIGNS = ("snapshot",)
NAME = "missing-snapshot-prefix"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding a solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or not solver.train_nets:
        return
    node = solver.node.field("snapshot")
    if node is None or solver.number("snapshot") <= 0:
        return
    prefix = solver.node.string("snapshot_prefix") or ""
    place = solver.node.field("snapshot_prefix")
    if not prefix:
        message = (
            "snapshot without snapshot_prefix: Caffe of before 2018 aborts, later ones write beside the solver "
            "file; say where weights are to go"
        )
        yield Finding(NAME, Severity.INFO, message, node)
    elif prefix.endswith("/") and place is not None:
        message = (
            "snapshot_prefix is only a folder: Caffe of before 2018 calls snapshots "
            f'"{prefix}_iter_N.caffemodel", later ones put the solver file\'s name in; add a name'
        )
        yield Finding(NAME, Severity.INFO, message, place)
