"""A long training writes its weights once, at its very end, or never.

## What it finds

A solver with a `max_iter` of 10000 or more and no `snapshot`, or one that is larger than `max_iter`. One of 0
that is written out is meant, and so is a large one beside `snapshot_after_train: false`.

## Why it matters

`snapshot` has no default: Caffe reads 0, and writes nothing while it trains; nor does it if `max_iter` is
reached before the first snapshot. It writes the weights after the
last iteration, and when it is interrupted from the keyboard; not when it crashes, is killed, or the machine goes
down. With `snapshot_after_train: false` besides, it never writes them at all.

## Example

```
 max_iter: 450000
+snapshot: 10000
+snapshot_prefix: "snapshots/caffenet"
```

## Fix safety

No fix: how often, and where to, is yours to choose. It is a note: shown with `--notes`.

## When it is a false alarm

When a program takes the solver's steps and saves the net by itself (`net.save` in Python), or when only speed is
measured. Solvers with fields of forks are left alone.

## References

- BVLC Caffe, `src/caffe/solver.cpp`, `Solver::Step` and `Solver::Solve`; `tools/caffe.cpp`, `sigint_effect`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.net import truth
from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.TUNE
NAME = "missing-snapshot"

# Shorter trainings are done again in minutes.
_LONG = 10_000


def find(subject: Subject) -> Iterator[Finding]:
    """One finding a solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or not solver.train_nets:
        return
    given = solver.node.field("snapshot")
    where = given or solver.node.field("max_iter")
    last = int(solver.number("max_iter"))
    if where is None or last < _LONG or (given is not None and solver.number("snapshot") <= last):
        return  # who writes 0 knows what it does
    at_end = truth(solver.node.scalar("snapshot_after_train") or "true")
    if given is not None and not at_end:
        return  # both together switch snapshots off
    when = f"only after iteration {last}" if at_end else "never, for snapshot_after_train is false"
    lack = "no snapshot" if given is None else f"snapshot {given.value} is beyond max_iter"
    message = f"{lack}: Caffe writes the weights {when}; say how often, and where to"
    yield Finding(NAME, Severity.INFO, message, where)
