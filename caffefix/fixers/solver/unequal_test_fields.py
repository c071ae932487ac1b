"""test_iter or test_state does not match the test nets: Caffe aborts.

## What it finds

- fewer `test_iter` than `test_net`s (or inline `test_net_param`s), or none;
- more `test_iter` than test nets, with no `net` for the others to test;
- `test_state` given, but not once for each test net.

## Why it matters

There is one `test_iter` for each net that is tested: for each `test_net`, and, if the solver has a `net`,
for each further one that tests that `net` in its TEST phase. Otherwise Caffe aborts when it creates the
solver: `test_iter must be specified for each test network.`, or `test_state must be unspecified or
specified once per test net.`

## Example

```
 train_net: "train.prototxt"
 test_net: "test.prototxt"
+test_iter: 100
 test_interval: 1000
```

## Fix safety

No fix: how many batches make up a test depends on your data (test images / batch size).

## When it is a false alarm

If your program deletes or completes the fields before it creates the solver.

## References

- BVLC Caffe, `src/caffe/solver.cpp`, `InitTestNets`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.findings import Finding, Pass, Severity, Subject

PASS = Pass.REPAIR
SIGNS = ("solver",)
NAME = "unequal-test-fields"


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver: Caffe stops at the first."""
    solver = subject.solver
    if solver is None or not solver.is_plain or not solver.train_nets:
        return
    nets, iterations = len(solver.test_nets), len(solver.node.scalars("test_iter"))
    generic = solver.has_generic_net
    if iterations < nets or (iterations > nets and not generic):
        where = solver.node.field("test_iter") or (solver.test_nets or solver.train_nets)[0]
        more = "; give one for each" if iterations < nets else ""
        rest = "" if generic or nets else "; name a test_net, or use net: to train and test one net"
        message = (
            f"{_count(nets, 'test net')} and {iterations} test_iter: Caffe aborts with "
            f'"test_iter must be specified for each test network."{rest or more}'
        )
        yield Finding(NAME, Severity.ERROR, message, where)
        return
    states = list(solver.node.fields("test_state"))
    # With a net, there are as many tests as there are test_iter.
    if states and len(states) != iterations:
        message = (
            f"{len(states)} test_state for {_count(iterations, 'test net')}: Caffe aborts with "
            '"test_state must be unspecified or specified once per test net."'
        )
        yield Finding(NAME, Severity.ERROR, message, states[0])


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
