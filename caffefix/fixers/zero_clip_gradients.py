"""clip_gradients is 0: every gradient is scaled to nothing.

## What it finds

A solver with `clip_gradients: 0`.

## Why it matters

It does not switch clipping off: a negative value does (the default is −1). With 0 Caffe scales the
gradients so that their norm is 0. Nothing is learnt; weight decay goes on, and draws all weights
towards zero.

## Example

```
-clip_gradients: 0
```

## Fix safety

Unsafe: without it the net learns, which it did not before; and you may have wanted another
threshold.

## When it is a false alarm

There is no use for it in Caffe that we know. A fork in which 0 means off would be one; solvers
with fields of forks are left alone.

## References

- BVLC Caffe, `src/caffe/solvers/sgd_solver.cpp`, `ClipGradients`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Applicability, Finding, Fix, Phase, Severity, Subject
from caffefix.syntax.edits import Delete
from caffefix.syntax.scalars import number_value

PHASE = Phase.REPAIR
GROUP = "Solver"
CHANGES = ("clip_gradients",)
NAME = "zero-clip-gradients"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding a solver."""
    solver = subject.solver
    nodes = list(solver.node.fields("clip_gradients")) if solver is not None and solver.is_plain else []
    if len(nodes) == 1 and not nodes[0].in_list and number_value(nodes[0].value) == 0:
        message = (
            "clip_gradients 0 scales every gradient to 0, so nothing is learnt (off is −1, the default); "
            "deletes it"
        )
        fix = Fix((Delete(nodes[0]),), Applicability.UNSAFE, "delete clip_gradients")
        yield Finding(NAME, Severity.ERROR, message, nodes[0], "", fix)
