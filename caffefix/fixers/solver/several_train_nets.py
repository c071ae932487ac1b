"""The solver names several nets to train: Caffe aborts.

## What it finds

More than one of `net`, `net_param`, `train_net`, `train_net_param`.

## Why it matters

Exactly one of them says what is trained. With more than one, Caffe aborts: `SolverParameter must not
contain more than one of these fields specifying a train_net: net, net_param, train_net, train_net_param`.
This happens when a net is pasted into the solver (`net_param`) and the old `net` is left in.

## Example

```
-net: "train_val.prototxt"
 net_param {
   name: "tiny"
```

## Fix safety

No fix: only you know which one is meant. With `train_net`, a net for testing goes into `test_net`.

## When it is a false alarm

If your program deletes one of them before it creates the solver.

## References

- BVLC Caffe, `src/caffe/solver.cpp`, `InitTrainNet`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.REPAIR
SIGNS = ("solver",)
NAME = "several-train-nets"


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver, at the last of the fields."""
    solver = subject.solver
    if solver is None or not solver.is_plain:
        return
    names = list(dict.fromkeys(node.name for node in solver.train_nets))
    if len(names) > 1:
        message = (
            f'{" and ".join(names)} both say what is trained: Caffe aborts with "SolverParameter must not '
            'contain more than one of these fields specifying a train_net"; keep the one that is meant'
        )
        where = max((solver.train_nets), key=lambda node: node.start)
        yield Finding(NAME, Severity.ERROR, message, where)
