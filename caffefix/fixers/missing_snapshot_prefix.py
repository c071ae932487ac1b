"""Snapshots are asked for, but snapshot_prefix does not say where they go.

## What it finds

A positive `snapshot` without `snapshot_prefix`, or with an empty one.

## Why it matters

Caffe of before 2018 aborts while it makes the solver: `In solver params, snapshot is specified but
snapshot_prefix is not`. Later versions take the solver's own path without its ending. An empty
prefix makes files called `_iter_1000.caffemodel` in the working folder.

## Example

```
 snapshot: 5000
+snapshot_prefix: "snapshots/lenet"
```

## Fix safety

No fix: where weights are to be written is yours to choose. The folder must exist; Caffe makes none.

## When it is a false alarm

If your Caffe is of 2018 or later, or if your program sets the prefix, as those do that make solvers
from templates: this is a note (`--notes`).

## References

- BVLC Caffe, `src/caffe/solver.cpp`, `CheckSnapshotWritePermissions`;
  `src/caffe/util/upgrade_proto.cpp`, `UpgradeSnapshotPrefixProperty`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Phase, Severity, Subject

PHASE = Phase.REPAIR
GROUP = "Solver"
NAME = "missing-snapshot-prefix"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding a solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or not solver.train_nets:
        return
    node = solver.node.field("snapshot")
    if node is not None and solver.number("snapshot") > 0 and not solver.node.string("snapshot_prefix"):
        message = (
            "snapshot without snapshot_prefix: Caffe of before 2018 aborts, later ones write beside the solver "
            "file; say where weights are to go"
        )
        yield Finding(NAME, Severity.INFO, message, node)
