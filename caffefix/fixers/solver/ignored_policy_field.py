"""The solver has a field that its lr_policy does not read.

## What it finds

`gamma`, `power`, `stepsize` or `stepvalue` with a policy that does not use it: `gamma` with `poly`,
`stepvalue` with `step`, `stepsize` with `multistep`, any of them with `fixed`.

| policy | learning rate | reads |
|---|---|---|
| fixed | base_lr | |
| step | base_lr · gamma^⌊iter / stepsize⌋ | gamma, stepsize |
| exp | base_lr · gamma^iter | gamma |
| inv | base_lr · (1 + gamma · iter)^−power | gamma, power |
| multistep | base_lr · gamma^(stepvalues passed) | gamma, stepvalue |
| poly | base_lr · (1 − iter / max_iter)^power | power, max_iter |
| sigmoid | base_lr / (1 + e^(−gamma · (iter − stepsize))) | gamma, stepsize |

## Why it matters

Caffe says nothing about it. Anyone who tunes such a field waits for an effect that cannot come. (In one
well-known question, `gamma: 0.1` with `poly` was believed to be the reason why a net did not learn.)

## Example

```
 lr_policy: "poly"
 power: 0.5
-gamma: 0.1
```

## Fix safety

Unsafe, although the rate is the same without the field: many people keep the fields of another policy so
that they can return to it. The field is deleted only on request (`--unsafe`, or `--select
ignored-policy-field`).

## When it is a false alarm

If the field is kept on purpose. The finding is a note (`--notes`). Fork-specific policies and fields are
not reported.

## References

- BVLC Caffe, `src/caffe/solvers/sgd_solver.cpp`, `GetLearningRate`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.solver import POLICIES
from caffefix.findings import Applicability, Finding, Fix, Pass, Severity, Subject
from caffefix.syntax.edits import Delete

PASS = Pass.TUNE
FIELDS = ("gamma", "power", "stepsize", "stepvalue")
CHANGES = FIELDS
SIGNS = ("lr_policy",)
NAME = "ignored-policy-field"


def find(subject: Subject) -> Iterator[Finding]:
    """One finding for each field name."""
    solver = subject.solver
    if solver is None or not solver.is_plain or solver.policy not in POLICIES:
        return
    reads = POLICIES[solver.policy]
    for name in FIELDS:
        nodes = [child for child in solver.node.children() if child.name == name]
        if name in reads or not nodes:
            continue
        edits = tuple(Delete(node) for node in nodes)
        fix = Fix(edits, Applicability.UNSAFE, f"delete {name}")
        used = " and ".join(reads) or "base_lr alone"
        message = f'lr_policy "{solver.policy}" reads {used}, not {name}, which has no effect; deletes it'
        yield Finding(NAME, Severity.INFO, message, nodes[0], layer="", fix=fix)
