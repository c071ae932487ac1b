"""Snapshots are requested, but snapshot_prefix does not say where they go, or under what name.

## What it finds

A positive `snapshot` without `snapshot_prefix`, with an empty one, or with one that is only a folder (it
ends with `/`).

## Why it matters

Without a prefix, Caffe before 2018 aborts when it creates the solver: `In solver params, snapshot is
specified but snapshot_prefix is not`. Later versions use the solver's own path without its extension, or,
if the prefix is a folder that exists, the solver's name in that folder. An empty prefix produces files
called `_iter_1000.caffemodel` in the working folder, and in Caffe before 2018 a folder as prefix produces
them in that folder: two solvers that write to the same folder overwrite each other's snapshots.

## Example

```
 snapshot: 5000
+snapshot_prefix: "snapshots/lenet"
```

## Fix safety

No fix: where weights are written is yours to choose. The folder must exist; Caffe does not create it.

## When it is a false alarm

If your Caffe is from 2018 or later, or if your program sets the prefix, as programs that create solvers do.
The finding is a note, shown with `--notes`.

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
    """At most one finding for each solver."""
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
            "snapshot without snapshot_prefix: Caffe before 2018 aborts, later versions write next to the solver "
            "file; set where weights go"
        )
        yield Finding(NAME, Severity.INFO, message, node)
    elif prefix.endswith("/") and place is not None:
        message = (
            "snapshot_prefix is only a folder: Caffe before 2018 calls snapshots "
            f'"{prefix}_iter_N.caffemodel", later versions add the solver file\'s name; add a name'
        )
        yield Finding(NAME, Severity.INFO, message, place)
