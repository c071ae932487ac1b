"""The solver has nets to test, but no test_interval: Caffe aborts.

## What it finds

A solver with `test_iter` for its test nets, but with a `test_interval` that is absent or not positive.

## Why it matters

`test_interval` has no default: Caffe reads 0, and checks it when it creates the solver (`Check failed:
param_.test_interval() > 0`), even if you never meant to test.

## Example

```
 test_iter: 100
+test_interval: 1000
```

## Fix safety

No fix: how often to test is yours to choose. A solver that should not test has no `test_iter`.

## When it is a false alarm

If your program sets the field before it creates the solver, as CaffeOnSpark does. If each `test_iter` is 0,
no test is wanted, and the finding is only a note, unless a log (`--log`) ends with this abort.

## References

- BVLC Caffe, `src/caffe/solver.cpp`, `InitTestNets`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.REPAIR
SIGNS = ("test_iter",)
NAME = "missing-test-interval"


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    solver = subject.solver
    if solver is None or not solver.is_plain or solver.number("test_interval") > 0:
        return
    nets, iterations = len(solver.test_nets), len(solver.node.scalars("test_iter"))
    tested = iterations >= nets if solver.has_generic_net else iterations == nets
    where = solver.node.field("test_interval") or solver.node.field("test_iter")
    if iterations and tested and where is not None:
        lack = (
            "test_interval is not positive" if solver.given("test_interval") else "test_iter without test_interval"
        )
        message = (
            f'{lack}: Caffe aborts with "Check failed: param_.test_interval() > 0"; set how often to test, '
            "or delete test_iter to never test"
        )
        log = subject.options.log
        shown = log.of_abort("test_interval() > 0") if log is not None else ""
        severity = Severity.ERROR if shown or any(solver.numbers("test_iter")) else Severity.INFO
        yield Finding(NAME, severity, message + shown, where)
