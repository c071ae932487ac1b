"""The learning rate falls almost to zero long before training ends.

## What it finds

A `step`, `multistep` or `exp` policy whose factor on `base_lr` is below one millionth for a tenth of the
iterations or more.

| policy | factor on base_lr |
|---|---|
| step | gamma^⌊iter / stepsize⌋ |
| multistep | gamma^(stepvalues passed) |
| exp | gamma^iter |

## Why it matters

Each step multiplies the rate by `gamma` again. Ten steps of 0.1 leave a ten-billionth of it: most updates
are then too small to change a weight in 32-bit floats, and the rest of the training computes without
learning. This happens when `max_iter` is increased and `stepsize` is not.

## Example

```
 lr_policy: "step"
 gamma: 0.1
-stepsize: 5000
+stepsize: 40000
 max_iter: 100000
```

## Fix safety

No fix: whether to take fewer steps or to train for less time is yours to choose.

## When it is a false alarm

If you or a program stop training well before `max_iter`. `poly`, which ends at 0 on purpose, is never
reported. Solvers with fork-specific fields are not reported: some forks keep the rate above a bound.

## References

- BVLC Caffe, `src/caffe/solvers/sgd_solver.cpp`, `GetLearningRate`
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from caffefix.caffe.solver import Solver
from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.TUNE
SIGNS = ("gamma",)
NAME = "vanishing-lr"

_NOTHING = 1e-6  # of base_lr; the precision of 32-bit floats is a tenth of a millionth
_SHARE = 0.1

_INSTEAD = {
    "step": "use a larger stepsize",
    "multistep": "use fewer stepvalues",
    "exp": "bring gamma nearer to 1",
}


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or not solver.number("base_lr"):
        return
    where = solver.node.field("gamma")
    last = int(solver.number("max_iter"))
    start = _start(solver)
    if where is None or start is None or last - start < _SHARE * last:
        return
    message = (
        f'lr_policy "{solver.policy}" multiplies the rate by {where.value} repeatedly: from {start} '
        f"on it is below a millionth of base_lr, and the rest of the {last} iterations learns almost nothing; "
        f"{_INSTEAD[solver.policy]}, or stop earlier"
    )
    log = subject.options.log
    shown = log.of_last_rate(solver, _NOTHING * solver.number("base_lr")) if log is not None else ""
    yield Finding(NAME, Severity.WARNING, message + shown, where)


def _start(solver: Solver) -> int | None:
    """The first iteration in which the rate is practically zero."""
    gamma = solver.number("gamma")
    if not 0 < gamma < 1 or solver.policy not in _INSTEAD:
        return None
    steps = math.floor(math.log(_NOTHING) / math.log(gamma) + 1e-9) + 1  # 0.1 six times is exactly a millionth
    return steps if solver.policy == "exp" else solver.step_at(steps)
