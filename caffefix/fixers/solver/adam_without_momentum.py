"""Adam without momentum: its first moment is switched off.

## What it finds

A solver with `type: "Adam"` (or `solver_type: ADAM`) and no `momentum`. An explicit `momentum: 0` is taken
as intended.

## Why it matters

Caffe's Adam reads β1 from `momentum` and β2 from `momentum2`. `momentum2` is 0.999 by default; `momentum`
is 0 by default, for all methods alike. At 0 the gradient is not averaged: Adam is reduced to RMSProp with a
corrected start. The 0.9 that the paper and other programs use by default must be written out.

## Example

```
 type: "Adam"
+momentum: 0.9
 base_lr: 0.001
```

## Fix safety

Unsafe: the net learns differently. `momentum: 0.9` is added only on request (`--unsafe`, or `--select
adam-without-momentum`).

## When it is a false alarm

If Adam without a first moment is intended, or if your program sets the field before it creates the solver.
Solvers with fork-specific fields are not reported.

## References

- BVLC Caffe, `src/caffe/solvers/adam_solver.cpp`, `ComputeUpdateValue`; `src/caffe/proto/caffe.proto`,
  `SolverParameter`
- Kingma and Ba 2014, arXiv:1412.6980
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import After, Insert, NewField

PASS = Pass.TUNE
CHANGES = ("momentum",)
SIGNS = ("solver",)
NAME = "adam-without-momentum"


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or solver.method != "Adam" or solver.given("momentum"):
        return
    if not solver.train_nets:
        return  # part of a solver: the rest may set it
    where = solver.node.field("type") or solver.node.field("solver_type")
    assert where is not None
    message = (
        "Adam without momentum: Caffe reads beta1 from momentum, by default 0, so gradients are not averaged; "
        "adds momentum 0.9, the usual beta1"
    )
    fix = Fix((Insert(After(where), (NewField("momentum", "0.9"),)),), Applicability.UNSAFE, "add momentum 0.9")
    yield Finding(NAME, Severity.WARNING, message, where, layer="", fix=fix)
