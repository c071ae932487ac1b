"""AdaGrad or RMSProp with momentum: Caffe aborts.

## What it finds

A solver with `type: "AdaGrad"` or `"RMSProp"` (or the `solver_type` that means it), and a
`momentum` that is not 0.

## Why it matters

Both methods check it when the solver is created: `Momentum cannot be used with AdaGrad.`, `Momentum cannot
be used with RMSProp.` This happens when `type` is added to a solver that was written for SGD.

## Example

```
 type: "AdaGrad"
-momentum: 0.9
```

## Fix safety

Safe: the solver could not be created, and no momentum other than 0 is accepted. If you want momentum,
change the method instead: SGD, Nesterov and Adam use it.

## When it is a false alarm

For a fork in which one of these methods has momentum; no known fork does this. Solvers with fork-specific
fields are not reported.

## References

- BVLC Caffe, `include/caffe/sgd_solvers.hpp`, `AdaGradSolver::constructor_sanity_check`,
  `RMSPropSolver::constructor_sanity_check`
- Duchi, Hazan and Singer 2011 (AdaGrad)
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import Delete

PASS = Pass.REPAIR
CHANGES = ("momentum",)
SIGNS = ("solver",)
NAME = "unsupported-momentum"
VALUES = True


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or solver.method not in ("AdaGrad", "RMSProp"):
        return
    nodes = list(solver.node.fields("momentum"))
    if len(nodes) != 1 or nodes[0].in_list or not solver.number("momentum"):
        return
    message = (
        f'Caffe aborts with "Momentum cannot be used with {solver.method}."; deletes momentum '
        "(to keep it, change the method to SGD, Nesterov or Adam)"
    )
    fix = Fix((Delete(nodes[0]),), Applicability.SAFE, "delete momentum")
    yield Finding(NAME, Severity.ERROR, message, nodes[0], layer="", fix=fix)
