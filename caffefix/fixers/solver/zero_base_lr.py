"""The solver has no base_lr, or a base_lr of 0: the net learns nothing.

## What it finds

A solver that names a net and an `lr_policy`, but whose `base_lr` is absent or 0.

## Why it matters

`base_lr` has no default, so Caffe reads 0. Training runs and prints losses, which change only with the
noise of the batches: every update is zero.

## Example

```
+base_lr: 0.01
 lr_policy: "fixed"
```

## Fix safety

No fix: the rate is yours to choose. Most nets trained by SGD start at 0.01 with momentum 0.9, and most
trained by Adam at 0.001.

## When it is a false alarm

A run that only measures time or only tests needs no rate, and a template gets one before it is used: the
finding is a note (`--notes`), and an error only where a log (`--log`) shows training at rate 0. Solvers with
fork-specific fields, which may set the rate in another way (`stagelr`), are not reported.

## References

- BVLC Caffe, `src/caffe/solvers/sgd_solver.cpp`, `GetLearningRate`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.solver import POLICIES
from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.REPAIR
SIGNS = ("solver",)
NAME = "zero-base-lr"
VALUES = True


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or solver.policy not in POLICIES or not solver.train_nets:
        return
    if solver.number("base_lr") == 0:
        where = solver.node.field("base_lr") or solver.node.field("lr_policy")
        lack = "base_lr is 0" if solver.given("base_lr") else "no base_lr, which Caffe reads as 0"
        assert where is not None
        message = f"{lack}: every update is zero and the net learns nothing; set base_lr (0.01 is usual for SGD)"
        log = subject.options.log
        shown = log.of_constant_rate(solver) if log is not None else ""
        yield Finding(NAME, Severity.ERROR if shown else Severity.INFO, message + shown, where)
