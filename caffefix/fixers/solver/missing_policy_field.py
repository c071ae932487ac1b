"""The lr_policy needs a field that the solver does not set: Caffe aborts, or the net learns nothing.

## What it finds

- `step` or `sigmoid` without a positive `stepsize`;
- `step`, `multistep` or `exp` without `gamma`, if training reaches the first step;
- `poly` without `max_iter`.

## Why it matters

No field of a policy has a default, so Caffe reads 0. Without `stepsize` it aborts at the first update
(`Check failed: this->param_.stepsize() > 0`; old versions divide by zero). Without `gamma` the rate is
multiplied by 0 at the first step, and the net learns nothing from then on, although the loss is still
printed. Without `max_iter`, `poly` divides by zero: `caffe train` runs no iteration and exits with 0, and
from Python the first step makes every weight NaN.

## Example

```
 lr_policy: "step"
 stepsize: 10000
+gamma: 0.1
```

## Fix safety

No fix: the value is yours to choose. `gamma: 0.1` is the usual choice for `step` and `multistep`; for `exp`
it is just below 1 (0.9999), because `gamma` is applied at every iteration.

## When it is a false alarm

If your program sets the field itself before it creates the solver. Solvers with fork-specific fields are
not reported.

## References

- BVLC Caffe, `src/caffe/solvers/sgd_solver.cpp`, `GetLearningRate`; `src/caffe/proto/caffe.proto`,
  `SolverParameter`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.solver import Solver
from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.REPAIR
SIGNS = ("lr_policy",)
NAME = "missing-policy-field"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each field that is missing."""
    solver = subject.solver
    if solver is None or not solver.is_plain:
        return
    where = solver.node.field("lr_policy")
    if where is None:
        return
    for message in (_stepsize(solver), _gamma(solver), _max_iter(solver)):
        if message:
            yield Finding(NAME, Severity.ERROR, message, where)


def _stepsize(solver: Solver) -> str:
    if solver.policy not in ("step", "sigmoid") or solver.number("stepsize") > 0:
        return ""
    lack = "stepsize is not positive" if solver.given("stepsize") else "no stepsize"
    return (
        f'lr_policy "{solver.policy}": {lack}, so Caffe aborts at the first update '
        '("Check failed: this->param_.stepsize() > 0"); set stepsize, the number of iterations between steps'
    )


def _gamma(solver: Solver) -> str:
    if solver.given("gamma") or solver.policy not in ("step", "multistep", "exp"):
        return ""
    first = _first_step(solver)
    last = solver.number("max_iter")
    if first is None or (last and first >= last):
        return ""  # training ends before gamma is used
    return (
        f'lr_policy "{solver.policy}" has no gamma, which Caffe reads as 0: from iteration {first} on the '
        f"rate is 0 and the net learns nothing; add gamma (say, {'0.9999' if solver.policy == 'exp' else '0.1'})"
    )


def _first_step(solver: Solver) -> int | None:
    """The first iteration whose rate is multiplied by gamma."""
    if solver.policy == "exp":
        return 1
    if solver.policy == "step":
        size = int(solver.number("stepsize"))
        return size if size > 0 else None
    values = solver.numbers("stepvalue")
    return int(values[0]) if values else None


def _max_iter(solver: Solver) -> str:
    if solver.policy != "poly" or solver.number("max_iter") != 0:
        return ""
    return (
        'lr_policy "poly" has no max_iter, by which it divides: caffe train runs no iteration, and from '
        "Python all weights become NaN; add max_iter"
    )
