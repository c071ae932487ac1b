"""The lr_policy suggests that the rate falls, but a field is missing, so the rate never changes.

## What it finds

`poly` without `power`, `inv` without `gamma` or `power`, `multistep` without a `stepvalue`.

## Why it matters

Fields of a policy have no defaults: Caffe reads 0. `(1 − iter/max_iter)^0` and `(1 + gamma·iter)^−0` are 1,
and without `stepvalue` no step is ever taken. The rate silently stays at `base_lr` to the end.

## Example

```
 lr_policy: "poly"
+power: 1
 max_iter: 100000
```

## Fix safety

No fix: the value is yours to choose. If a constant rate is meant, `lr_policy: "fixed"` says so.

## When it is a false alarm

If the rate is meant to be constant. Solvers with fork-specific fields are not reported.

## References

- BVLC Caffe, `src/caffe/solvers/sgd_solver.cpp`, `GetLearningRate`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.TUNE
SIGNS = ("lr_policy",)
NAME = "constant-lr-policy"

# Without these fields the factor on base_lr is always 1.
_MOVING = {"poly": ("power",), "inv": ("gamma", "power"), "multistep": ("stepvalue",)}


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or not solver.number("base_lr"):
        return
    missing = [name for name in _MOVING.get(solver.policy, ()) if not solver.given(name)]
    where = solver.node.field("lr_policy")
    if missing and where is not None:
        what = " and ".join(missing)
        message = (
            f'lr_policy "{solver.policy}" without {what} never changes the rate, which stays at base_lr; '
            f'add {what}, or use lr_policy: "fixed"'
        )
        log = subject.options.log
        shown = log.of_constant_rate(solver) if log is not None else ""
        yield Finding(NAME, Severity.WARNING, message + shown, where)
