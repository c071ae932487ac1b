"""A long training run writes its weights only once, at the very end, or never.

## What it finds

A solver with a `max_iter` of 10000 or more and no `snapshot`, or with a `snapshot` larger than `max_iter`.
An explicit `snapshot: 0` is taken as intended, and so is a large one with `snapshot_after_train: false`.

## Why it matters

`snapshot` has no default: Caffe reads 0 and writes nothing while it trains; nor does it if `max_iter` is
reached before the first snapshot. Caffe writes the weights after the last iteration, and when it is
interrupted from the keyboard, but not when it crashes, is killed, or the machine goes down. With
`snapshot_after_train: false` as well, it never writes them.

## Example

```
 max_iter: 450000
+snapshot: 10000
+snapshot_prefix: "snapshots/caffenet"
```

## Fix safety

No fix: how often to write snapshots, and where, is yours to choose. The finding is a note, shown with
`--notes`.

## When it is a false alarm

If a program runs the solver's steps and saves the net itself (`net.save` in Python), or if only speed is
measured. Solvers with fork-specific fields are not reported.

## References

- BVLC Caffe, `src/caffe/solver.cpp`, `Solver::Step` and `Solver::Solve`; `tools/caffe.cpp`, `sigint_effect`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import truth
from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.TUNE
NAME = "missing-snapshot"

# A shorter run can be repeated in minutes.
_LONG = 10_000


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or not solver.train_nets:
        return
    given = solver.node.field("snapshot")
    where = given or solver.node.field("max_iter")
    last = int(solver.number("max_iter"))
    if where is None or last < _LONG or (given is not None and solver.number("snapshot") <= last):
        return  # an explicit 0 is taken as intended
    at_end = truth(solver.node.scalar("snapshot_after_train") or "true")
    if given is not None and not at_end:
        return  # both together switch snapshots off
    only = f"writes the weights only after iteration {last}"
    when = only if at_end else "never writes the weights, because snapshot_after_train is false"
    lack = "no snapshot" if given is None else f"snapshot {given.value} is beyond max_iter"
    message = f"{lack}: Caffe {when}; set how often and where to write them"
    yield Finding(NAME, Severity.INFO, message, where)
