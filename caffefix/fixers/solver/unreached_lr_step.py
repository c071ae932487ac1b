"""The learning rate should fall in steps, but training ends before the first one.

## What it finds

`lr_policy: "step"` with a `stepsize` of `max_iter` or more, and `"multistep"` whose first `stepvalue` is
`max_iter` or more.

## Why it matters

Iterations count from 0 to `max_iter` − 1, so no step is ever taken: the net trains at `base_lr` from the
first iteration to the last, as with `"fixed"`, and `gamma` has no effect. Caffe does not report this.
Usually `max_iter` was reduced, or the step was copied from a longer training run. `multistep` uses its
values in the order of the file: if the first comes too late, so do all the others.

## Example

```
 lr_policy: "step"
 gamma: 0.1
-stepsize: 100000
+stepsize: 20000
 max_iter: 50000
```

## Fix safety

No fix: where the rate should fall is yours to choose. The finding is a note, shown with `--notes`;
a log (`--log`) of a training that came to its end without a step makes it a warning.

## When it is a false alarm

If a constant rate is meant, which `lr_policy: "fixed"` would say, or if training continues from the
snapshot with a larger `max_iter`. A `gamma` of 1 is not reported, because the rate is not meant to fall.
Solvers with fork-specific fields are not reported.

## References

- BVLC Caffe, `src/caffe/solvers/sgd_solver.cpp`, `GetLearningRate`; `src/caffe/solver.cpp`, `Solver::Step`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.TUNE
SIGNS = ("lr_policy",)
NAME = "unreached-lr-step"

_FIELDS = {"step": "stepsize", "multistep": "stepvalue"}


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or not solver.number("base_lr") or solver.number("gamma") == 1:
        return
    where = solver.node.field(_FIELDS.get(solver.policy, ""))
    first, last = solver.step_at(1), int(solver.number("max_iter"))
    if where is None or first is None or not 0 < last <= first:
        return
    message = (
        f"{where.name} {first} is not reached in {last} iterations, so the rate stays at base_lr to the end; "
        'take the first step earlier, or use lr_policy: "fixed"'
    )
    log = subject.options.log
    shown = log.of_constant_rate(solver) if log is not None and log.is_done else ""
    yield Finding(NAME, Severity.WARNING if shown else Severity.INFO, message + shown, where)
