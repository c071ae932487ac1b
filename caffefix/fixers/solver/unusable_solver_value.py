"""The solver has a value that Caffe cannot use.

## What it finds

| field | what Caffe accepts | otherwise |
|---|---|---|
| `average_loss` | at least 1 | aborts: `average_loss should be non-negative.` |
| `iter_size` | at least 1 | at 0 every weight is NaN after one step, below 0 no gradient is computed |
| `rms_decay` (RMSProp) | from 0 up to, but not including, 1 | aborts: `rms_decay should lie between 0 and 1.` |
| `gamma` (step, sigmoid) | at least 0 | aborts: `Check failed: this->param_.gamma() >= 0` |
| `regularization_type` | `L1`, `L2` | aborts if there is weight decay: `Unknown regularization type: l2` |

## Why it matters

The file parses, and Caffe aborts when it creates the solver or at the first update. A 0 is often meant as
"off"; for `average_loss` and `iter_size`, off is 1, the default.

## Example

```
-average_loss: 0
```

## Fix safety

Safe where there is a fix: the solver could not run. `average_loss` and `iter_size` below 1 are deleted,
which restores their default 1; `regularization_type` is respelt if it differs only in case.

## When it is a false alarm

If your program sets the field before it creates the solver. Solvers with fork-specific fields are not
reported.

## References

- BVLC Caffe, `src/caffe/solver.cpp`, `Solver::Init`; `src/caffe/solvers/sgd_solver.cpp`,
  `Normalize`, `Regularize`, `GetLearningRate`; `include/caffe/sgd_solvers.hpp`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.solver import Solver
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.fixers._schema import respelt
from caffefix.syntax.edits import Delete
from caffefix.syntax.scalars import is_string, number_value, string_value
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
CHANGES = ("average_loss", "iter_size", "regularization_type")
SIGNS = ("solver",)
NAME = "unusable-solver-value"
VALUES = True


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each value."""
    solver = subject.solver
    if solver is None or not solver.is_plain:
        return
    for node in solver.node.children():
        number = number_value(node.value) if node.value else None
        if node.name in ("average_loss", "iter_size") and number is not None and number < 1:
            yield _below_one(subject, node, number)
        elif node.name == "rms_decay" and number is not None and not 0 <= number < 1:
            if solver.method == "RMSProp":
                yield _refused(subject, node, "rms_decay should lie between 0 and 1.")
        elif node.name == "gamma" and number is not None and number < 0:
            if solver.policy in ("step", "sigmoid"):
                yield _refused(subject, node, "Check failed: this->param_.gamma() >= 0")
        elif node.name == "regularization_type" and is_string(node.value):
            yield from _regularization(subject, solver, node)


def _below_one(subject: Subject, node: Node, number: float) -> Finding:
    why = 'aborts with "average_loss should be non-negative."'
    log = subject.options.log
    shown = log.of_abort("average_loss should be non-negative") if log is not None else ""
    if node.name == "iter_size":
        why = "divides the gradients by 0, so every weight becomes NaN" if number == 0 else "computes no gradient"
        shown = log.of_divergence() if log is not None and number == 0 else ""
    fix = Fix((Delete(node),), Applicability.SAFE, f"delete {node.name}")
    message = f"{node.name} {node.value} is below 1: Caffe {why}; deletes it, because 1 is the default{shown}"
    return Finding(NAME, Severity.ERROR, message, node, layer="", fix=fix)


def _refused(subject: Subject, node: Node, words: str) -> Finding:
    log = subject.options.log
    shown = log.of_abort(words) if log is not None else ""
    message = f'{node.name} {node.value}: Caffe aborts with "{words}"{shown}'
    return Finding(NAME, Severity.ERROR, message, node)


def _regularization(subject: Subject, solver: Solver, node: Node) -> Iterator[Finding]:
    name = string_value(node.value)
    if name in ("L1", "L2") or not solver.number("weight_decay"):
        return
    words = f"Unknown regularization type: {name}"
    message = f'Caffe aborts at the first update with "{words}"'
    log = subject.options.log
    shown = log.of_abort(words) if log is not None else ""
    if name.upper() not in ("L1", "L2"):
        yield Finding(NAME, Severity.ERROR, f"{message}; Caffe has L1 and L2{shown}", node)
        return
    fix = respelt(node, name.upper(), f"{name} → {name.upper()}")
    does = "writes" if fix else "it should be"
    message += f'; {does} "{name.upper()}"{shown}'
    yield Finding(NAME, Severity.ERROR, message, node, layer="", fix=fix)
