"""The solver's lr_policy is missing, or Caffe does not have it.

## What it finds

A solver without `lr_policy` that says how to train (`base_lr`, `max_iter` or `momentum`), or with a name
other than `fixed`, `step`, `exp`, `inv`, `multistep`, `poly` and `sigmoid`.

## Why it matters

The file parses and the nets are built; Caffe aborts at the first update: `Unknown learning rate policy:
Step`. Without the field, the name after the colon is empty.

## Example

```
-lr_policy: "Step"
+lr_policy: "step"
```

## Fix safety

Safe: no update could be made. There is a fix if exactly one policy has the same spelling except for case or
one letter; otherwise only you know which policy is meant.

## When it is a false alarm

Forks have policies of their own (`plateau`, `multifixed`, …): a solver with a fork-specific field is not
reported, and a name that resembles none of Caffe's is only a note, which says which forks have it. With
`--dialect FORK`, a policy that this fork does not know is an error. If both `base_lr` and `lr_policy` are
missing, a program may set them, so the finding is a warning.

## References

- BVLC Caffe, `src/caffe/solvers/sgd_solver.cpp`, `GetLearningRate`
- what 139 Caffes know, `caffefix/caffe/data/policies.tsv`
"""

from __future__ import annotations

from collections.abc import Iterator

from caffefix.caffe.registry import Kind
from caffefix.findings import Finding, Pass, Severity, Subject
from caffefix.fixers._registered import Asked, asked
from caffefix.fixers._schema import respelling, respelt
from caffefix.syntax.scalars import is_string
from caffefix.syntax.tree import Node

PASS = Pass.REPAIR
CHANGES = ("lr_policy",)
SIGNS = ("solver",)
NAME = "unknown-lr-policy"
VALUES = True

# A solver without any of these fields gets the rest from a program.
_SHOWS_TRAINING = ("base_lr", "max_iter", "momentum")


def find(subject: Subject) -> Iterator[Finding]:
    """At most one finding for each solver."""
    solver = subject.solver
    caffe = asked(subject, Kind.POLICY)
    if solver is None or not (caffe.fork or solver.is_plain):
        return
    node = solver.node.field("lr_policy")
    if node is None:
        where = next(filter(None, map(solver.node.field, _SHOWS_TRAINING)), None)
        if where is not None and solver.train_nets:
            how, hint = Severity.ERROR, 'lr_policy: "fixed" keeps base_lr as it is'
            if not solver.given("base_lr"):  # a program may set both
                how, hint = Severity.WARNING, "set it and base_lr, which is also missing and read as 0"
            message = (
                'lr_policy is missing: Caffe aborts at the first update with "Unknown learning rate policy: "; '
            )
            log = subject.options.log
            shown = log.of_abort("Unknown learning rate policy:\n") if log is not None else ""
            yield Finding(NAME, Severity.ERROR if shown else how, message + hint + shown, where)
    elif is_string(node.value) and not caffe.has(solver.policy):
        yield _unknown(solver.policy, node, caffe)


def _unknown(name: str, node: Node, caffe: Asked) -> Finding:
    near = None if caffe.having(name) else respelling(name, caffe.names())
    if near is None:
        return caffe.unregistered(NAME, name, node)
    fix = respelt(node, near, f"lr_policy {name} → {near}")
    does = "writes" if fix else "it should be"
    return Finding(NAME, Severity.ERROR, f'{caffe.aborts(name)}; {does} "{near}"', node, layer="", fix=fix)
